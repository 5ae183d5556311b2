import Encoding
import Ledger
import LedgerCrypto
import Records

/// A member asks its bank to pay money out (申请出金). The amount is set aside at once.
public struct WithdrawalRequest: TransactionBody {
    public let bank: MemberID
    public let amountFen: UInt64
    /// Salted digest of the account that it goes to.
    public let destinationCommitment: Digest

    public init(
        bank: MemberID, amountFen: UInt64, destinationCommitment: Digest
    ) {
        self.bank = bank
        self.amountFen = amountFen
        self.destinationCommitment = destinationCommitment
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(3)
        encoder.field(1, bank)
        encoder.field(2, amountFen)
        encoder.field(3, destinationCommitment)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        bank = try fields.value(1, &decoder)
        amountFen = try fields.number(2, &decoder)
        destinationCommitment = try fields.value(3, &decoder)
        try fields.finish(&decoder)
    }
}

extension WithdrawalRequest {
    public static var kind: TransactionKind { .withdrawalRequest }
    public static var requiredRoles: [Role] { [] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "bank", 1, .memberID, .parties, en: "the settlement bank", zh: "清结算机构"),
            FieldSpec(
                "amountFen", 2, .fen, .parties, en: "amount in fen", zh: "金额（分）"),
            FieldSpec(
                "destinationCommitment", 3, .commitment, .members, opening: .parties,
                en: "salted digest of the account that it goes to", zh: "收款账户的加盐摘要"),
        ]
    }

    public static var example: WithdrawalRequest {
        WithdrawalRequest(
            bank: Example.bank, amountFen: 50_000, destinationCommitment: Example.commitment)
    }

    public func check() throws(OutcomeCode) {
        guard (1...RecordLimits.amountFenMax).contains(amountFen) else { throw .amountOutOfRange }
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard let record = state.bank(bank) else { throw .bankUnknown }
        guard !record.frozen else { throw .bankFrozen }
        var account = state.account(context.member.id, at: bank)
        guard account.availableFen >= amountFen else { throw .insufficientFunds }
        account.availableFen -= amountFen
        account.pendingWithdrawalFen += amountFen
        state.put(account)
        state.put(
            WithdrawalRecord(
                id: context.transactionID, member: context.member.id, bank: bank,
                amountFen: amountFen, destinationCommitment: destinationCommitment,
                requestedHeight: context.height))
    }
}
