import LedgerCrypto
import Records

/// Why a proposed block is not what an honest leader would have made of its parent.
public enum BlockFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// A header field has another value than its parent demands.
    case header(String)
    /// Bytes or entries beyond the genesis parameters.
    case tooLarge(String)
    /// An automatic action is missing, not due, out of order or not at the front.
    case automaticAction(index: Int)
    /// The envelope at that index was not verified before.
    case notVerified(index: Int)
    /// The envelope at that index may never stand in a block here.
    case inadmissible(index: Int, OutcomeCode)
    /// Execution here gave something else than the header says.
    case result(String)

    public var description: String {
        switch self {
        case .header(let field): "the header's \(field) does not follow from its parent"
        case .tooLarge(let what): "the block exceeds \(what)"
        case .automaticAction(let index): "entry \(index): not the automatic action that is due"
        case .notVerified(let index): "entry \(index): the envelope has not been verified"
        case .inadmissible(let index, let code): "entry \(index): \(code.messageEn)"
        case .result(let field): "the header's \(field) differs from what execution gave"
        }
    }
}
