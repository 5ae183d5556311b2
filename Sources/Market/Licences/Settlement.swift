import Encoding
import Ledger
import LedgerCrypto
import Policy
import Records

/// How a licence ends, for `licence.close`, `licence.revoke` and `licence.expire` alike.
///
/// Provider and venue are paid for the metered uses by the split that was pinned, computed on the cumulative amount,
/// and the rest of the escrow goes back to the buyer. Everything is in accounts at one bank, so no bank's total
/// changes. A use is paid for when its output was released; a job that is still open when its licence expires
/// lapses: its use is refunded and its output never leaves the sandbox, so neither side can gain by delay.
enum Settlement {
    static func settle(
        _ licence: inout AgreementRecord, to status: AgreementStatus,
        in state: inout StateView
    ) {
        let (earnedFen, overflow) = licence.priceFen.multipliedReportingOverflow(
            by: licence.usesMetered)
        let paidFen = licence.paidProviderFen + licence.paidVenueFen
        precondition(
            !overflow && earnedFen >= paidFen && earnedFen - paidFen <= licence.escrowFen,
            "no more uses are metered than were locked")
        guard let split = PriceSplit(venueBasisPoints: licence.venueFeeBasisPoints) else {
            preconditionFailure("offer.admit pinned a fee in range")
        }
        let due = split.payment(fromFen: paidFen, toFen: earnedFen)
        let refundFen = licence.escrowFen - due.providerFen - due.venueFen
        let (buyer, bank) = (licence.buyer, licence.bank)
        state.payLocked(due.providerFen, of: buyer, to: licence.provider, at: bank)
        state.payLocked(due.venueFen, of: buyer, to: licence.venue, at: bank)
        if refundFen > 0 { state.unlock(refundFen, of: buyer, at: bank) }
        licence.paidProviderFen += due.providerFen
        licence.paidVenueFen += due.venueFen
        licence.refundedFen += refundFen
        licence.escrowFen = 0
        licence.usesReserved = 0
        licence.status = status
    }

    /// What the trades log says about a settlement.
    static func detail(_ licence: AgreementRecord) -> [(String, CBORValue)] {
        [
            ("status", .text(licence.status.name)),
            ("usesMetered", .unsigned(licence.usesMetered)),
            ("paidProviderFen", .unsigned(licence.paidProviderFen)),
            ("paidVenueFen", .unsigned(licence.paidVenueFen)),
            ("refundedFen", .unsigned(licence.refundedFen)),
        ]
    }
}
