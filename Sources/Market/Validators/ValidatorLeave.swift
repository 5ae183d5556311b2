import Encoding
import Ledger
import LedgerCrypto
import Records

/// Takes a seat out of the validator set from the next epoch on (记账节点退出). Signed for the governor, or by a legal
/// representative of the seat's member. The key never comes back.
public struct ValidatorLeave: TransactionBody {
    /// The seat's.
    public let votingKey: KeyID

    public init(
        votingKey: KeyID
    ) {
        self.votingKey = votingKey
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(1)
        encoder.field(1, votingKey)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        votingKey = try fields.value(1, &decoder)
        try fields.finish(&decoder)
    }
}

extension ValidatorLeave {
    public static var kind: TransactionKind { .validatorLeave }
    public static var requiredRoles: [Role] { [] }
    public static var requiredMandates: [Mandate] { [.legalRepresentative] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "votingKey", 1, .keyID, .everyone, en: "id of the voting key of the seat that goes",
                zh: "退出席位的投票密钥编号")
        ]
    }

    public static var example: ValidatorLeave { ValidatorLeave(votingKey: Example.publicKey.keyID) }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        let seat = try state.seat(votingKey, by: context)
        try state.changeSeats(in: context) { (seats) throws(OutcomeCode) in
            seats.removeAll { $0.votingKey == seat.votingKey }
        }
        state.retireVotingKey(of: seat, in: context)
    }
}

extension StateView {
    /// The seat with that voting key, when the sender may change it: the governor, or the seat's member.
    ///
    /// - Throws: `unknownValidator`, `notPermitted`.
    mutating func seat(_ keyID: KeyID, by context: ApplyContext) throws(OutcomeCode) -> Validator {
        let set = validators(after: context.block)
        guard let index = set.index(ofKey: keyID) else { throw .unknownValidator }
        let seat = set.validators[index]
        guard seat.member == context.member.id || context.member.has(.governor) else {
            throw .notPermitted
        }
        return seat
    }
}
