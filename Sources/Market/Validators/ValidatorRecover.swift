import Encoding
import Ledger
import LedgerCrypto
import Records

/// Seats the validators of the next epoch all at once, when a quorum of the present ones is lost for good (恢复记账).
///
/// It means something only in the block that a `Recovery` makes final: the keys of the genesis' recovery rule decide, and the
/// member that signed it only wrote it down. In every other block it is refused.
public struct ValidatorRecover: TransactionBody {
    /// In the order that numbers them.
    public let seats: [Validator]

    /// At most what an envelope has beside the body.
    static let envelopeBytes = 512

    public init(seats: [Validator]) {
        self.seats = seats
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(1)
        encoder.field(1, list: seats)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        seats = try fields.list(1, max: LedgerLimits.validatorsMax, &decoder)
        try fields.finish(&decoder)
    }
}

extension ValidatorRecover {
    public static var kind: TransactionKind { .validatorRecover }
    public static var requiredRoles: [Role] { [] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "seats", 1, .seats(max: LedgerLimits.validatorsMax), .everyone,
                en:
                    "the next epoch's seats: present ones that stay, and others with keys never used before",
                zh: "下一届全部席位：保留的现有席位，及使用全新密钥的席位")
        ]
    }

    public static var example: ValidatorRecover {
        ValidatorRecover(seats: [
            Validator(
                member: Example.provider, votingKey: Example.publicKey,
                transportKey: Example.transportKey)
        ])
    }

    public func check() throws(OutcomeCode) {
        guard !seats.isEmpty else { throw .validatorCount }
        guard Set(seats.map(\.member)).count == seats.count else { throw .alreadyExists }
        for seat in seats { try ValidatorRules.check(transportKey: seat.transportKey) }
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard context.block.isRecovery else { throw .notPermitted }
        let present = context.block.validators
        guard seats != present.validators else { throw .wrongState }
        guard present.epoch < UInt64.max else { throw .validatorCount }
        let members = Set(present.validators.map(\.member))
        let voting = Set(present.validators.map(\.votingKey))
        for seat in seats {
            // Who has a seat stands for it already; whoever comes in is a validator by the market's rules.
            if !members.contains(seat.member) {
                _ = try state.activeMember(seat.member, role: .validator)
            }
            let held = present.validators.first { $0.votingKey == seat.votingKey }
            guard let held else {
                try state.addVotingKey(seat.votingKey, of: seat.member, in: context)
                continue
            }
            guard held.member == seat.member else { throw .alreadyExists }
        }
        guard let next = ValidatorSet(epoch: present.epoch + 1, validators: seats) else {
            throw .alreadyExists
        }
        state.put(ValidatorsRecord(set: next, setHeight: context.height))
        let staying = voting.intersection(seats.map(\.votingKey))
        for seat in present.validators where !staying.contains(seat.votingKey) {
            state.retireVotingKey(of: seat, in: context)
        }
    }
}
