import Encoding
import Ledger
import LedgerCrypto
import Records

/// The ledger ends a licence at its deadline and settles it; see `Settlement`.
enum LicenceExpire {
    static func apply(to id: Digest, in state: inout StateView) -> [Touch] {
        guard var licence = state.agreement(id), licence.status == .agreed else {
            preconditionFailure("an agreed licence has a deadline until it is settled")
        }
        Settlement.settle(&licence, to: .expired, in: &state)
        state.put(licence)
        // Whoever knows the licence's id knows or guesses all else that an automatic action says; its leaf is not to be guessed with it.
        let buyer = licence.pseudonym(of: licence.buyer, suite: state.suite)
        return [
            Touch(
                asset: licence.asset, log: .trades, actor: .ledger,
                detail: .detail(
                    [("agreement", .bytes(id.bytes)), ("buyer", .bytes(buyer))]
                        + Settlement.detail(licence)))
        ]
    }
}
