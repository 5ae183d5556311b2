import Encoding
import Ledger
import LedgerCrypto
import LightClient

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
    static func escaped(_ text: String) -> String {
        text.split(separator: ":", omittingEmptySubsequences: false).joined(separator: "%3A")
    }

    /// Whether a text can stand as the address of a web page: http or https, and only characters of RFC 3986.
    static func isWebAddress(_ text: String) -> Bool {
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) {
            let rest = text.utf8.dropFirst(scheme.utf8.count)
            return !rest.isEmpty && rest.allSatisfy(isAddressByte)
        }
        return false
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~:/?#[]@!$&'()*+,;=%".utf8.contains(byte)
        }
    }
}

extension JSONNode {
    /// A JSON-LD reference.
    static func reference(_ iri: String) -> JSONNode { .members(["@id": .text(iri)]) }

    /// A JSON-LD literal with a type of XML Schema; numbers as text keep all their digits.
    static func typed(_ text: String, _ type: String) -> JSONNode {
        .members(["@value": .text(text), "@type": .text("xsd:\(type)")])
    }

    static func inBoth(zh: String, en: String) -> JSONNode {
        .list([
            .members(["@value": .text(zh), "@language": .text("zh")]),
            .members(["@value": .text(en), "@language": .text("en")]),
        ])
    }
}

/// `xsd:dateTime` in UTC of Unix milliseconds; nil beyond the year 9999.
func dateTime(unixMs: UInt64) -> String? {
    guard unixMs <= ShanghaiTime.max else { return nil }
    // "2026-03-01 09:30:00.000 +08:00" with the separators of ISO 8601: the zone makes it exact.
    let parts = ShanghaiTime.text(unixMs: unixMs).split(separator: " ")
    return "\(parts[0])T\(parts[1])\(parts[2])"
}
