import Encoding
import LedgerCrypto

/// What stands behind a trust file's name in the names of the files of evidence beside it.
public enum EvidenceMark: String, Sendable, CaseIterable {
    /// Two certified histories: as long as it is there, nothing is proven or followed with that trust file.
    case fork = ".fork-"
    /// Another history by keys of an epoch that ended long ago.
    case oldFork = ".old-fork-"
    /// An answer that is false by itself.
    case refused = ".refused-"

    /// The same evidence has the same name.
    public func path(beside trust: String, _ evidence: [UInt8], _ suite: Suite) -> String {
        trust + rawValue + String(suite.digest(evidence).hex.prefix(16))
    }
}
