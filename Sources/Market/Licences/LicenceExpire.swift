import Encoding
import Ledger
import LedgerCrypto
import Records

/// The ledger ends a licence at its deadline and settles it; see `Settlement`.
enum LicenceExpire {
    static func apply<Base>(to id: Digest, in state: inout StateView<Base>) -> [Touch] {
        guard var licence = state.agreement(id), licence.status == .agreed else {
            preconditionFailure("an agreed licence has a deadline until it is settled")
        }
        Settlement.settle(&licence, to: .expired, in: &state)
        state.put(licence)
        return [
            Touch(
                asset: licence.asset, log: .trades, actor: .ledger,
                detail: .detail(
                    [("agreement", .bytes(id.bytes))] + Settlement.detail(licence)))
        ]
    }
}
