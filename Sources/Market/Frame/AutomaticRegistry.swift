import LedgerCrypto
import Records

extension AutomaticKind {
    /// The one place that says what is done for which kind. It cannot be refused: the rule settles whatever it finds.
    ///
    /// - Returns: the assets concerned.
    func apply(
        to subject: Digest, in state: inout StateView, _ block: BlockContext
    ) -> [Touch] {
        switch self {
        case .licenceExpire: LicenceExpire.apply(to: subject, in: &state)
        }
    }
}
