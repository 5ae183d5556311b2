import Encoding
import Ledger
import LedgerCrypto
import Records

/// A settlement bank confirms money that came in for a member (确认入金).
public struct DepositConfirm: TransactionBody {
    public let member: MemberID
    public let amountFen: UInt64
    /// Salted digest of the bank's own reference.
    public let referenceCommitment: Digest

    public init(
        member: MemberID, amountFen: UInt64, referenceCommitment: Digest
    ) {
        self.member = member
        self.amountFen = amountFen
        self.referenceCommitment = referenceCommitment
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(3)
        encoder.field(1, member)
        encoder.field(2, amountFen)
        encoder.field(3, referenceCommitment)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        member = try fields.value(1, &decoder)
        amountFen = try fields.number(2, &decoder)
        referenceCommitment = try fields.value(3, &decoder)
        try fields.finish(&decoder)
    }
}

extension DepositConfirm {
    public static var kind: TransactionKind { .depositConfirm }
    public static var requiredRoles: [Role] { [.settlementBank] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "member", 1, .memberID, .parties, en: "whose money it is", zh: "入金成员"),
            FieldSpec(
                "amountFen", 2, .fen, .parties, en: "amount in fen", zh: "金额（分）"),
            FieldSpec(
                "referenceCommitment", 3, .commitment, .members, opening: .parties,
                en: "salted digest of the bank's reference", zh: "清结算机构流水号的加盐摘要"),
        ]
    }

    public static var example: DepositConfirm {
        DepositConfirm(
            member: Example.buyer, amountFen: 1_000_000, referenceCommitment: Example.commitment)
    }

    public func check() throws(OutcomeCode) {
        guard (1...RecordLimits.amountFenMax).contains(amountFen) else { throw .amountOutOfRange }
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        _ = try state.activeMember(member)
        var bank = state.bank(context.member.id) ?? BankRecord(member: context.member.id)
        // Bounds what all accounts together can hold, so that no sum of them overflows.
        guard bank.depositsFen <= RecordLimits.amountFenMax - amountFen else {
            throw .amountOutOfRange
        }
        bank.depositsFen += amountFen
        state.put(bank)
        var account = state.account(member, at: bank.member)
        account.availableFen += amountFen
        state.put(account)
    }
}
