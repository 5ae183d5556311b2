import Encoding
import Ledger
import LedgerCrypto

/// A member's money at a settlement bank, in fen. The three amounts are disjoint.
public struct AccountRecord: Hashable, Sendable {
    public var member: MemberID
    public var bank: MemberID
    public var availableFen: UInt64
    /// In escrow for agreements.
    public var lockedFen: UInt64
    /// Asked out, not yet confirmed by the bank.
    public var pendingWithdrawalFen: UInt64

    public init(
        member: MemberID, bank: MemberID, availableFen: UInt64 = 0, lockedFen: UInt64 = 0,
        pendingWithdrawalFen: UInt64 = 0
    ) {
        self.member = member
        self.bank = bank
        self.availableFen = availableFen
        self.lockedFen = lockedFen
        self.pendingWithdrawalFen = pendingWithdrawalFen
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(5)
        encoder.field(1, member)
        encoder.field(2, bank)
        encoder.field(3, availableFen)
        encoder.field(4, lockedFen)
        encoder.field(5, pendingWithdrawalFen)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        member = try fields.value(1, &decoder)
        bank = try fields.value(2, &decoder)
        availableFen = try fields.number(3, &decoder)
        lockedFen = try fields.number(4, &decoder)
        pendingWithdrawalFen = try fields.number(5, &decoder)
        try fields.finish(&decoder)
    }
}

/// A settlement bank's running totals: `depositsFen − withdrawalsFen` is what it holds for all members.
public struct BankRecord: Hashable, Sendable {
    public var member: MemberID
    public var depositsFen: UInt64
    public var withdrawalsFen: UInt64
    /// A mismatch freezes withdrawals of this bank, never the chain.
    public var frozen: Bool

    public init(
        member: MemberID, depositsFen: UInt64 = 0, withdrawalsFen: UInt64 = 0,
        frozen: Bool = false
    ) {
        self.member = member
        self.depositsFen = depositsFen
        self.withdrawalsFen = withdrawalsFen
        self.frozen = frozen
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(4)
        encoder.field(1, member)
        encoder.field(2, depositsFen)
        encoder.field(3, withdrawalsFen)
        encoder.field(4, frozen)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        member = try fields.value(1, &decoder)
        depositsFen = try fields.number(2, &decoder)
        withdrawalsFen = try fields.number(3, &decoder)
        frozen = try fields.value(4, &decoder)
        try fields.finish(&decoder)
    }
}

/// A member's order to pay money out (出金申请).
public struct WithdrawalRecord: Hashable, Sendable {
    /// The request's transaction id.
    public var id: Digest
    public var member: MemberID
    public var bank: MemberID
    public var amountFen: UInt64
    /// Salted digest of the account that it goes to.
    public var destinationCommitment: Digest
    public var status: WithdrawalStatus
    public var requestedHeight: UInt64

    public init(
        id: Digest, member: MemberID, bank: MemberID, amountFen: UInt64,
        destinationCommitment: Digest, status: WithdrawalStatus = .requested,
        requestedHeight: UInt64
    ) {
        self.id = id
        self.member = member
        self.bank = bank
        self.amountFen = amountFen
        self.destinationCommitment = destinationCommitment
        self.status = status
        self.requestedHeight = requestedHeight
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(7)
        encoder.field(1, id)
        encoder.field(2, member)
        encoder.field(3, bank)
        encoder.field(4, amountFen)
        encoder.field(5, destinationCommitment)
        encoder.field(6, status)
        encoder.field(7, requestedHeight)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        id = try fields.value(1, &decoder)
        member = try fields.value(2, &decoder)
        bank = try fields.value(3, &decoder)
        amountFen = try fields.number(4, &decoder)
        destinationCommitment = try fields.value(5, &decoder)
        status = try fields.value(6, &decoder)
        requestedHeight = try fields.number(7, &decoder)
        try fields.finish(&decoder)
    }
}
