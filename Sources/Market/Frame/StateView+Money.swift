import Ledger
import Records

// Money in whole fen. What all accounts of a bank hold is bounded by its confirmed deposits, which are at most
// `RecordLimits.amountFenMax`; so additions below never overflow, and if one does it traps.
extension StateView {
    /// Moves available money into the same account's escrow.
    ///
    /// - Throws: `insufficientFunds`, and nothing is changed.
    public mutating func lock(
        _ fen: UInt64, of member: MemberID, at bank: MemberID
    ) throws(OutcomeCode) {
        var account = account(member, at: bank)
        guard account.availableFen >= fen else { throw .insufficientFunds }
        account.availableFen -= fen
        account.lockedFen += fen
        put(account)
    }

    /// Gives escrowed money back to its owner. The agreement's record bounds the amount.
    public mutating func unlock(_ fen: UInt64, of member: MemberID, at bank: MemberID) {
        var account = account(member, at: bank)
        precondition(account.lockedFen >= fen, "no more is unlocked than was locked")
        account.lockedFen -= fen
        account.availableFen += fen
        put(account)
    }

    /// Pays escrowed money to another member's account at the same bank.
    public mutating func payLocked(
        _ fen: UInt64, of payer: MemberID, to payee: MemberID, at bank: MemberID
    ) {
        guard fen > 0 else { return }
        var source = account(payer, at: bank)
        precondition(source.lockedFen >= fen, "no more is paid than was locked")
        source.lockedFen -= fen
        put(source)
        var target = account(payee, at: bank)
        target.availableFen += fen
        put(target)
    }
}
