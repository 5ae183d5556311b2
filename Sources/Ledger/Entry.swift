import Encoding
import LedgerCrypto

/// Something that the ledger does by itself when a deadline passes; it is logged like a transaction.
public struct AutomaticAction: Hashable, Sendable, CBOREncodable, CBORDecodable {
    /// What is done; the numbers belong to Records (`AutomaticKind`).
    public let kind: UInt64
    /// The deadline that passed, in milliseconds of Unix time.
    public let deadlineMs: UInt64
    /// The record that it concerns.
    public let subject: Digest

    public init(kind: UInt64, deadlineMs: UInt64, subject: Digest) {
        self.kind = kind
        self.deadlineMs = deadlineMs
        self.subject = subject
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.unsigned(kind)
        encoder.unsigned(deadlineMs)
        encoder.value(subject)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        kind = try decoder.unsigned()
        deadlineMs = try decoder.unsigned()
        subject = try decoder.value()
    }
}

/// One entry of a block: a member's envelope or an automatic action. Wire: `[0, bstr]` or `[1, action]`.
public enum Entry: Equatable, Sendable {
    /// The exact envelope bytes.
    case envelope([UInt8])
    case automatic(AutomaticAction)

    /// Digest of the envelope's exact bytes, or of the encoded action.
    public func digest(_ suite: Suite) -> Digest {
        switch self {
        case .envelope(let bytes): suite.digest(bytes)
        case .automatic(let action): suite.digest(action.encoded)
        }
    }

    /// The data of its leaf in the log.
    public func leafBytes(_ suite: Suite) -> [UInt8] {
        LogLeaf.bytes(tag: leafTag, digest: digest(suite))
    }

    var leafTag: UInt64 {
        switch self {
        case .envelope: LogLeaf.envelopeTag
        case .automatic: LogLeaf.automaticTag
        }
    }
}

extension Entry: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        switch self {
        case .envelope(let bytes):
            encoder.unsigned(0)
            encoder.bytes(bytes)
        case .automatic(let action):
            encoder.unsigned(1)
            encoder.value(action)
        }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        switch try decoder.unsigned() {
        case 0:
            self = .envelope(
                try decoder.bytes(max: LedgerLimits.envelope.bytesMax))
        case 1: self = .automatic(try decoder.value())
        default: throw decoder.invalid("an entry is [0, envelope] or [1, action]")
        }
    }
}

/// The leaves of the chain's one RFC 9162 log: `[tag, digest]`, first the parent's header, then the entries.
public enum LogLeaf {
    public static let headerTag: UInt64 = 0
    public static let envelopeTag: UInt64 = 1
    public static let automaticTag: UInt64 = 2

    /// The leaf's data, before the RFC 9162 leaf prefix.
    public static func bytes(tag: UInt64, digest: Digest) -> [UInt8] {
        var encoder = CBOREncoder(reserving: 40)
        encoder.array(2)
        encoder.unsigned(tag)
        encoder.value(digest)
        return encoder.bytes
    }

    public static func header(_ digest: Digest, suite: Suite) -> Digest {
        leaf(headerTag, digest, suite)
    }

    public static func envelope(_ digest: Digest, suite: Suite) -> Digest {
        leaf(envelopeTag, digest, suite)
    }

    public static func automatic(_ digest: Digest, suite: Suite) -> Digest {
        leaf(automaticTag, digest, suite)
    }

    public static func entry(_ entry: Entry, suite: Suite) -> Digest {
        leaf(entry.leafTag, entry.digest(suite), suite)
    }

    /// The leaf hash over `bytes(tag:digest:)`, without the heap: there is one for each entry of the chain.
    private static func leaf(_ tag: UInt64, _ digest: Digest, _ suite: Suite) -> Digest {
        precondition(tag < 24, "a small number is one byte of CBOR")
        // The heads of an array of two and of a byte string of 32.
        let head: [4 of UInt8] = [0x82, UInt8(tag), 0x58, UInt8(Digest.byteCount)]
        return withUnsafeTemporaryAllocation(
            byteCount: 4 + Digest.byteCount, alignment: MemoryLayout<UInt64>.alignment
        ) { buffer in
            for index in head.indices { buffer[index] = head[index] }
            digest.withBytes {
                UnsafeMutableRawBufferPointer(rebasing: buffer[4...]).copyMemory(from: $0)
            }
            return suite.leafDigest(UnsafeRawBufferPointer(buffer))
        }
    }
}

/// What became of an entry. Wire: `[entry digest, code]`; code 0 is accepted, all others are refusals with a stable
/// meaning (Records, `OutcomeCode`). The results root is the RFC 9162 root over a block's outcomes in order.
public struct EntryOutcome: Hashable, Sendable, CBOREncodable, CBORDecodable {
    public let entryDigest: Digest
    public let code: UInt64

    public init(entryDigest: Digest, code: UInt64) {
        self.entryDigest = entryDigest
        self.code = code
    }

    public var isAccepted: Bool { code == 0 }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(entryDigest)
        encoder.unsigned(code)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        entryDigest = try decoder.value()
        code = try decoder.unsigned()
    }
}
