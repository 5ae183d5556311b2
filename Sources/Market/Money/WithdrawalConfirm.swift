import Encoding
import Ledger
import LedgerCrypto
import Records

/// A settlement bank confirms that it paid out, or gives the money back (确认出金).
public struct WithdrawalConfirm: TransactionBody {
    /// Id of the request.
    public let withdrawal: Digest
    /// False when the bank could not pay: the money is available again.
    public let paid: Bool

    public init(
        withdrawal: Digest, paid: Bool
    ) {
        self.withdrawal = withdrawal
        self.paid = paid
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(2)
        encoder.field(1, withdrawal)
        encoder.field(2, paid)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        withdrawal = try fields.value(1, &decoder)
        paid = try fields.value(2, &decoder)
        try fields.finish(&decoder)
    }
}

extension WithdrawalConfirm {
    public static var kind: TransactionKind { .withdrawalConfirm }
    public static var requiredRoles: [Role] { [.settlementBank] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "withdrawal", 1, .digest, .parties, en: "transaction id of the request",
                zh: "出金申请的交易号"),
            FieldSpec(
                "paid", 2, .flag, .parties, en: "true when paid out, false when given back",
                zh: "已出金为真，退回为假"),
        ]
    }

    public static var example: WithdrawalConfirm {
        WithdrawalConfirm(withdrawal: Example.id, paid: true)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard var order = state.withdrawal(withdrawal) else { throw .unknownWithdrawal }
        guard order.bank == context.member.id else { throw .notPermitted }
        guard order.status == .requested else { throw .wrongState }
        guard var bank = state.bank(order.bank) else { throw .bankUnknown }
        guard !(paid && bank.frozen) else { throw .bankFrozen }
        var account = state.account(order.member, at: order.bank)
        precondition(account.pendingWithdrawalFen >= order.amountFen, "the order set it aside")
        account.pendingWithdrawalFen -= order.amountFen
        if paid {
            bank.withdrawalsFen += order.amountFen
            state.put(bank)
        } else {
            account.availableFen += order.amountFen
        }
        state.put(account)
        order.status = paid ? .confirmed : .rejected
        state.put(order)
    }
}
