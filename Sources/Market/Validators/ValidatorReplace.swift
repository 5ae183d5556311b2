import Encoding
import Ledger
import LedgerCrypto
import Records

/// Gives a seat of the validator set other keys from the next epoch on (更换席位密钥). Signed by a legal representative of
/// the seat's member, from `ValidatorRules.ownReplacementBlocksMin` blocks after the set's last change on, or for the governor.
public struct ValidatorReplace: TransactionBody {
    /// The seat's present one.
    public let replacedKey: KeyID
    /// The same as now where only the transport key changes.
    public let votingKey: PublicKey
    /// DER SubjectPublicKeyInfo of a P-256 key; the same as now where only the voting key changes.
    public let transportKey: [UInt8]

    public init(
        replacedKey: KeyID, votingKey: PublicKey, transportKey: [UInt8]
    ) {
        self.replacedKey = replacedKey
        self.votingKey = votingKey
        self.transportKey = transportKey
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(3)
        encoder.field(1, replacedKey)
        encoder.field(2, votingKey)
        encoder.field(3, bytes: transportKey)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        replacedKey = try fields.value(1, &decoder)
        votingKey = try fields.value(2, &decoder)
        transportKey = try fields.bytes(3, exactly: ValidatorRules.transportKeyBytes, &decoder)
        try fields.finish(&decoder)
    }
}

extension ValidatorReplace {
    public static var kind: TransactionKind { .validatorReplace }
    public static var requiredRoles: [Role] { [] }
    public static var requiredMandates: [Mandate] { [.legalRepresentative] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "replacedKey", 1, .keyID, .everyone, en: "id of the seat's present voting key",
                zh: "席位现有投票密钥编号"),
            FieldSpec(
                "votingKey", 2, .publicKey, .everyone,
                en: "the new voting key, never used before, or the present one", zh: "新投票公钥，或与现有相同"),
            FieldSpec(
                "transportKey", 3, .bytes(exactly: ValidatorRules.transportKeyBytes), .everyone,
                en: "the new P-256 key in TLS as DER SubjectPublicKeyInfo, or the present one",
                zh: "新 TLS P-256 公钥，DER 格式，或与现有相同"),
        ]
    }

    public static var example: ValidatorReplace {
        ValidatorReplace(
            replacedKey: Example.publicKey.keyID, votingKey: Example.publicKey,
            transportKey: Example.transportKey)
    }

    public func check() throws(OutcomeCode) {
        try ValidatorRules.check(transportKey: transportKey)
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        let seat = try state.seat(replacedKey, by: context)
        let isNewKey = votingKey != seat.votingKey
        guard isNewKey || transportKey != seat.transportKey else { throw .wrongState }
        if !context.member.has(.governor) {
            let since =
                state.record(ValidatorsRecord.self, at: StateKey.validators(context.suite))?
                .setHeight ?? 0
            guard context.height >= since + ValidatorRules.ownReplacementBlocksMin else {
                throw .tooEarly
            }
        }
        if isNewKey { try state.addVotingKey(votingKey, of: seat.member, in: context) }
        try state.changeSeats(in: context) { (seats) throws(OutcomeCode) in
            for index in seats.indices where seats[index].votingKey == seat.votingKey {
                seats[index] = Validator(
                    member: seat.member, votingKey: votingKey, transportKey: transportKey)
            }
        }
        if isNewKey { state.retireVotingKey(of: seat, in: context) }
    }
}
