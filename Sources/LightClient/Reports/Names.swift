import Ledger
import LedgerCrypto

/// Names under which other people's tools know what is on a ledger.
///
/// A thing on a ledger is `urn:huijin:<chain id>:<kind>-<id>`: resolvable by nobody, and the same for everybody who
/// has the ledger. Terms that no public vocabulary has are under `Names.terms`.
public struct Names: Sendable {
    public let chain: ChainID

    public init(chain: ChainID) {
        self.chain = chain
    }

    /// Prefix of the terms of this market's own vocabulary.
    public static let terms = "urn:huijin:terms:"

    /// Prefix of everything on this ledger.
    public var prefix: String { "urn:huijin:\(chain.hex):" }

    public func asset(_ id: Digest) -> String { "\(prefix)asset-\(id.hex)" }
    public func offer(_ id: Digest) -> String { "\(prefix)offer-\(id.hex)" }
    public func agreement(_ id: Digest) -> String { "\(prefix)agreement-\(id.hex)" }
    public func member(_ id: MemberID) -> String { "\(prefix)member-\(Self.escaped(id.text))" }

    /// A member id's colon would read as a delimiter.
    public static func escaped(_ text: String) -> String {
        text.split(separator: ":", omittingEmptySubsequences: false).joined(separator: "%3A")
    }
}
