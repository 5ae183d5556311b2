import Encoding
import Ledger
import LedgerCrypto
import Merkle

/// A header with its finalization, as it comes: nothing is checked yet. Wire: `[header, certificate]`, which is also
/// what a node answers to `GET /v1/checkpoint`.
public struct CertifiedHeader: Equatable, Sendable, CBORCodable {
    public let header: Header
    public let certificate: Certificate

    public init(header: Header, certificate: Certificate) {
        self.header = header
        self.certificate = certificate
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(header)
        encoder.value(certificate)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        header = try decoder.value()
        certificate = try decoder.value()
    }
}

extension EpochChange {
    public var certified: CertifiedHeader {
        CertifiedHeader(header: header, certificate: certificate)
    }
}

/// What one header's log holds at the place where another, lower header must be. Wire: `[leaf hash, path]`.
///
/// The leaf of a header stands at the index that is its own log size. A different leaf there shows that the higher
/// header's log does not go on from the lower header's.
public struct LeafEvidence: Equatable, Sendable, CBORCodable {
    public let leaf: Digest
    /// RFC 9162 inclusion path in the higher header's log, lowest sibling first.
    public let path: [Digest]

    public init(leaf: Digest, path: [Digest]) {
        self.leaf = leaf
        self.path = path
    }

    /// Whether that log holds the leaf at the place of `lower`'s header. The path's length is checked before hashing.
    func holds(lower: Header, higher: Header, suite: Suite) -> Bool {
        let root = LogProof.rootFromInclusion(
            leafHash: leaf, index: lower.logSize, size: higher.logSize, path: path, suite: suite)
        return root == higher.logRoot
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(leaf)
        encoder.list(path)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        leaf = try decoder.value()
        path = try decoder.list(max: EvidenceLimits.pathMax)
    }
}

/// Why two finalised headers cannot belong to one history, whatever else is true.
public enum Contradiction: String, Sendable, CaseIterable {
    case sameHeight = "same-height"
    /// The lower one ends their epoch, and the higher one is of the same epoch.
    case beyondEpochEnd = "beyond-epoch-end"
    /// The higher one is of an earlier epoch.
    case epochGoesBack = "epoch-goes-back"
    /// Each block adds a leaf at least, but the higher one's log is not the longer one.
    case logDoesNotGrow = "log-does-not-grow"
    /// The higher one's log holds something else where the lower header's leaf must be.
    case logIsNoExtension = "log-is-no-extension"

    /// As far as the headers alone show it; the order of the two does not matter.
    static func between(_ one: Header, _ other: Header) -> Contradiction? {
        if one.height == other.height { return one == other ? nil : .sameHeight }
        let (low, high) = one.height < other.height ? (one, other) : (other, one)
        if high.epoch < low.epoch { return .epochGoesBack }
        if high.epoch == low.epoch, low.nextValidators != nil { return .beyondEpochEnd }
        return high.logSize <= low.logSize ? .logDoesNotGrow : nil
    }
}
