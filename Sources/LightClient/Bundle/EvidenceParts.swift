import Encoding
import Ledger
import LedgerCrypto
import Merkle

/// The end of an epoch: its last header, finalized under the epoch's own set or by a recovery under the genesis' rule, and the set
/// that comes after it. Wire: `[header, certificate, validator set]`.
public struct EpochChange: Equatable, Sendable, CBORCodable {
    public let header: Header
    public let certificate: Certificate
    /// The set whose digest is the header's `nextValidators`.
    public let next: ValidatorSet

    public init(header: Header, certificate: Certificate, next: ValidatorSet) {
        self.header = header
        self.certificate = certificate
        self.next = next
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.value(header)
        encoder.value(certificate)
        encoder.value(next)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        header = try decoder.value()
        certificate = try decoder.value()
        next = try decoder.value()
    }
}

/// What the state map holds at a key under the certified state root, or that it holds nothing.
///
/// Wire: `[key, content, map proof]`.
public struct StateEvidence: Equatable, Sendable, CBORCodable {
    public let key: Digest
    public let content: Content
    public let proof: MapProof

    /// Wire: `bstr`, `null` or `[digest]`.
    public enum Content: Equatable, Sendable {
        /// An encoded `StoredRecord`, salt included.
        case value([UInt8])
        /// The map has no such key.
        case nothing
        /// Confidential here: only the digest of the value, which nobody can guess it from (its salt).
        case withheld(Digest)
    }

    public init(key: Digest, content: Content, proof: MapProof) {
        self.key = key
        self.content = content
        self.proof = proof
    }

    public init(key: Digest, value: [UInt8]?, proof: MapProof) {
        self.init(key: key, content: value.map { .value($0) } ?? .nothing, proof: proof)
    }

    /// What the map's leaf commits to; `nil` where it has no such key.
    public func valueHash(_ suite: Suite) -> Digest? {
        switch content {
        case .value(let bytes): suite.digest(bytes)
        case .nothing: nil
        case .withheld(let digest): digest
        }
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.value(key)
        switch content {
        case .value(let bytes): encoder.bytes(bytes)
        case .nothing: encoder.null()
        case .withheld(let digest):
            encoder.array(1)
            encoder.value(digest)
        }
        encoder.value(proof)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        key = try decoder.value()
        if try decoder.peekIsNull() {
            try decoder.null()
            content = .nothing
        } else if try decoder.peekIsArray() {
            try decoder.array(exactly: 1)
            content = .withheld(try decoder.value())
        } else {
            content = .value(try decoder.bytes(max: EvidenceLimits.recordBytesMax))
        }
        proof = try decoder.value()
    }
}

/// An ancestor of the certified header. Wire: `[header, path]`.
///
/// The place of its leaf is not said, because it is known: a block's first leaf is its parent's header, so the leaf
/// of a header stands where its own log ended, at index `header.logSize`.
public struct HeaderEvidence: Equatable, Sendable, CBORCodable {
    public let header: Header
    /// RFC 9162 inclusion path in the certified log, lowest sibling first.
    public let path: [Digest]

    public init(header: Header, path: [Digest]) {
        self.header = header
        self.path = path
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(header)
        encoder.list(path)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        header = try decoder.value()
        path = try decoder.list(max: EvidenceLimits.pathMax)
    }
}

extension HeaderEvidence {
    /// Whether the certified header's log holds this one at its place. The path's length is checked before hashing.
    func isIn(logOf certified: Header, _ suite: Suite) -> Bool {
        // The next block's first leaf is this header, and this block's log ends right before it.
        let root = LogProof.rootFromInclusion(
            leafHash: LogLeaf.header(header.digest(suite), suite: suite),
            index: header.logSize, size: certified.logSize, path: path, suite: suite)
        return root == certified.logRoot
    }

    /// The root over all leaves before the header's own, in a log of `size` leaves that the path was found to lead to.
    func rootBefore(size: UInt64, _ suite: Suite) -> Digest {
        LogProof.rootBefore(index: header.logSize, size: size, path: path, suite: suite)
    }
}

/// An entry as far as it is shown. Wire: `[0, envelope bstr]`, `[1, action]` or `[2, envelope digest]`.
public enum EntryContent: Equatable, Sendable, CBORCodable {
    /// The exact bytes that the member signed.
    case envelope([UInt8])
    case automatic(AutomaticAction)
    /// Confidential here: only the digest of the envelope, which nobody can guess it from (nonce and signature).
    case withheld(Digest)

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        switch self {
        case .envelope(let bytes):
            encoder.unsigned(0)
            encoder.bytes(bytes)
        case .automatic(let action):
            encoder.unsigned(1)
            encoder.value(action)
        case .withheld(let digest):
            encoder.unsigned(2)
            encoder.value(digest)
        }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        switch try decoder.unsigned() {
        case 0: self = .envelope(try decoder.bytes(max: LedgerLimits.envelope.bytesMax))
        case 1: self = .automatic(try decoder.value())
        case 2: self = .withheld(try decoder.value())
        default:
            throw decoder.invalid("an entry is [0, envelope], [1, action] or [2, digest]")
        }
    }

    /// Digest of the envelope's exact bytes, or of the encoded action.
    public func digest(_ suite: Suite) -> Digest {
        switch self {
        case .envelope(let bytes): suite.digest(bytes)
        case .automatic(let action): suite.digest(action.encoded)
        case .withheld(let digest): digest
        }
    }

    /// The data of the leaf that the chain's log holds for it.
    func leaf(_ suite: Suite) -> [UInt8] {
        let tag =
            switch self {
            case .envelope, .withheld: LogLeaf.envelopeTag
            case .automatic: LogLeaf.automaticTag
            }
        return LogLeaf.bytes(tag: tag, digest: digest(suite))
    }

    /// The leaf that the chain's log holds for it.
    ///
    /// - Parameter digest: its own, from `digest(_:)`.
    func leafHash(digest: Digest, _ suite: Suite) -> Digest {
        switch self {
        case .envelope, .withheld: LogLeaf.envelope(digest, suite: suite)
        case .automatic(let action): LogLeaf.entry(.automatic(action), suite: suite)
        }
    }
}

/// One entry of a block: that the log holds it there, and what became of it.
///
/// Wire: `[height, position, content, code, results path, log path]`.
public struct EntryEvidence: Equatable, Sendable, CBORCodable {
    public let height: UInt64
    /// Position among the block's entries, from 0.
    public let position: UInt64
    public let content: EntryContent
    /// The outcome's code; the outcome's digest is the content's.
    public let code: UInt64
    /// Inclusion path of the outcome in the block's results root.
    public let resultsPath: [Digest]
    /// Inclusion path of the entry's leaf: in the certified log for an entry of the certified header's own block; for an older
    /// one as far as the peak of its block's log, which is on the path of its block's header (`LogPeak`).
    public let logPath: [Digest]

    public init(
        height: UInt64, position: UInt64, content: EntryContent, code: UInt64,
        resultsPath: [Digest], logPath: [Digest]
    ) {
        self.height = height
        self.position = position
        self.content = content
        self.code = code
        self.resultsPath = resultsPath
        self.logPath = logPath
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(6)
        encoder.unsigned(height)
        encoder.unsigned(position)
        encoder.value(content)
        encoder.unsigned(code)
        encoder.list(resultsPath)
        encoder.list(logPath)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 6)
        height = try decoder.unsigned()
        position = try decoder.unsigned()
        content = try decoder.value()
        code = try decoder.unsigned()
        resultsPath = try decoder.list(max: EvidenceLimits.pathMax)
        logPath = try decoder.list(max: EvidenceLimits.pathMax)
    }
}

/// One event of an asset's log with the entry that caused it. Wire: `[leaf bytes, entry]`, where `entry` counts
/// from 0 in the bundle's entries.
public struct EventEvidence: Equatable, Sendable, CBORCodable {
    /// The encoded event: exactly the data of the log's leaf.
    public let leaf: [UInt8]
    public let entry: Int

    public init(leaf: [UInt8], entry: Int) {
        self.leaf = leaf
        self.entry = entry
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.bytes(leaf)
        encoder.unsigned(UInt64(entry))
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        leaf = try decoder.bytes(max: EvidenceLimits.eventBytesMax)
        entry = Int(try decoder.uint32())
    }
}

/// All events of one of an asset's logs, oldest first. Wire: `[log, [event…]]`.
public struct LogEvidence: Equatable, Sendable, CBORCodable {
    /// 0 rights, 1 trades, 2 refusals.
    public let log: UInt64
    public let events: [EventEvidence]

    public init(log: UInt64, events: [EventEvidence]) {
        self.log = log
        self.events = events
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.unsigned(log)
        encoder.list(events)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        log = try decoder.unsigned()
        events = try decoder.list()
    }
}
