import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle

/// Into how large chunks a snapshot is cut. Nodes with the same sizes make the same snapshot of a height, and can
/// then give its chunks to one newcomer together.
public struct SnapshotSizes: Sendable, Equatable {
    /// Bytes of the entries of a state chunk, unless a single entry has more.
    public var stateChunkBytes = 1_048_576
    /// A chunk of blocks ends with the block that exceeds so many bytes…
    public var blockChunkBytes = 1_048_576
    /// … or with so many blocks.
    public var blockChunkBlocks = 512

    public init() {}
}

/// Bounds of snapshots: of what is made, offered, asked for and taken in. Sizes in bytes.
public enum SnapshotLimits {
    /// One chunk: the largest block on top of a chunk that is not full, or the largest value that the state holds.
    public static let chunkBytesMax = 20_971_520
    public static let manifestBytesMax = 20_971_520
    public static let chunksMax = 1 << 18
    static let headersMax = 65_536
    static let blocksPerChunkMax = 65_536

    package static let manifest = CBORLimits(
        bytesMax: manifestBytesMax, depthMax: 16, itemsMax: 1 << 18, stringBytesMax: 65_536)
    package static let chunk = CBORLimits(
        bytesMax: chunkBytesMax, depthMax: 24, itemsMax: 1 << 18,
        stringBytesMax: StateBucket.valueBytesMax)
}

/// What a snapshot consists of, and the proofs by which each part can be checked by itself.
///
/// Chunks are numbered: first those of the state, one for each part of `cover` that is not empty, then those of the last
/// blocks, one for each of `headers`.
///
/// Wire: `[1, header, certificate, [* epoch change], next set / null, cover, log end, [+ header evidence]]`.
public struct SnapshotManifest: Equatable, Sendable {
    static let version: UInt64 = 1

    /// The block whose state this is, and its finalization.
    public let header: Header
    public let finalization: Certificate
    /// The ends of all epochs before the header's, oldest first: with them genesis proves the certificate.
    public let epochChanges: [EpochChange]
    /// The next epoch's set, when the block is its epoch's last.
    public let nextValidators: ValidatorSet?
    /// Of the state at the header.
    public let cover: MapCover
    /// The chain's log up to the block below the first one held.
    public let logEnd: LogEnd
    /// The header below the first block held, then the last one of each chunk of blocks but of the last chunk, which ends
    /// with `header`; each with its place in the certified log.
    public let headers: [HeaderEvidence]

    /// Names the snapshot: the same on all nodes that cut it alike, whichever validators signed the certificates that each
    /// of them holds.
    public func identity(_ suite: Suite) -> Digest {
        var encoder = CBOREncoder()
        encoder.array(4)
        encoder.value(header)
        encoder.value(cover)
        encoder.value(logEnd)
        encoder.list(headers)
        return suite.digest(encoder.bytes)
    }

    public var height: UInt64 { header.height }
    /// The lowest block that comes with the snapshot.
    public var firstHeight: UInt64 { headers[0].header.height + 1 }
    public var stateChunks: Int { cover.parts.count { !$0.summary.isEmpty } }
    public var chunks: Int { stateChunks + headers.count }

    /// The height below the lowest block that a snapshot at `height` brings: the blocks from there on hold every
    /// transaction that has not expired, which replay protection needs.
    public static func baseHeight(of height: UInt64, window: UInt64) -> UInt64 {
        height > window + 1 ? height - window - 1 : 0
    }
}

extension SnapshotManifest: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(8)
        encoder.unsigned(Self.version)
        encoder.value(header)
        encoder.value(finalization)
        encoder.list(epochChanges)
        encoder.optional(nextValidators)
        encoder.value(cover)
        encoder.value(logEnd)
        encoder.list(headers)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 8)
        guard try decoder.unsigned() == Self.version else {
            throw decoder.invalid("the manifest is of another version")
        }
        header = try decoder.value()
        finalization = try decoder.value()
        epochChanges = try decoder.list(max: EvidenceLimits.epochChangesMax)
        nextValidators = try decoder.optional(ValidatorSet.self)
        cover = try decoder.value()
        logEnd = try decoder.value()
        headers = try decoder.list(max: SnapshotLimits.headersMax)
        guard !headers.isEmpty else { throw decoder.invalid("a snapshot holds its last blocks") }
    }
}

/// Entries of one part of the state, ascending by key. Wire: `[+ [key, value: bstr]]`.
package struct StateChunk: CBORCodable {
    let entries: [(key: Digest, value: [UInt8])]

    static let entryBytes = 48

    package func encode(into encoder: inout CBOREncoder) {
        encoder.array(entries.count)
        for (key, value) in entries {
            encoder.array(2)
            encoder.value(key)
            encoder.bytes(value)
        }
    }

    init(entries: [(key: Digest, value: [UInt8])]) { self.entries = entries }

    package init(from decoder: inout CBORDecoder) throws(CBORError) {
        let count = try decoder.array()
        var entries: [(key: Digest, value: [UInt8])] = []
        entries.reserveCapacity(min(count, 16_384))
        for _ in 0..<count {
            try decoder.array(exactly: 2)
            let key: Digest = try decoder.value()
            entries.append((key, try decoder.bytes(max: StateBucket.valueBytesMax)))
        }
        self.entries = entries
    }
}

/// A final block of a chunk, with the outcomes' codes as the block's results root has them; certificates stand at the end of
/// an epoch and at the last block of the chunk that has one. Wire: `[block, certificate / null, [* code] / null]`; no codes: all were accepted.
struct SnapshotBlock: CBORCodable {
    let block: Block
    let finalization: Certificate?
    let codes: [UInt64]

    init(_ stored: StoredBlock, isCertified: Bool) {
        block = stored.block
        codes = stored.codes
        finalization = isCertified ? stored.finalization : nil
    }

    func outcomes(_ suite: Suite) -> [EntryOutcome] {
        zip(block.entries, codes).map { EntryOutcome(entryDigest: $0.digest(suite), code: $1) }
    }

    func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.value(block)
        encoder.optional(finalization)
        if codes.allSatisfy({ $0 == 0 }) { encoder.null() } else { encoder.list(codes) }
    }

    init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        block = try decoder.value()
        finalization = try decoder.optional(Certificate.self)
        if try decoder.peekIsNull() {
            try decoder.null()
            codes = [UInt64](repeating: 0, count: block.entries.count)
        } else {
            codes = try decoder.list(max: block.entries.count)
            guard codes.count == block.entries.count, codes.contains(where: { $0 != 0 }) else {
                throw decoder.invalid("codes are one for each entry, or null when all are 0")
            }
        }
    }
}

/// Wire: `[+ block of a snapshot]`.
package struct BlockChunk: CBORCodable {
    let blocks: [SnapshotBlock]

    init(blocks: [SnapshotBlock]) { self.blocks = blocks }

    package func encode(into encoder: inout CBOREncoder) { encoder.list(blocks) }

    package init(from decoder: inout CBORDecoder) throws(CBORError) {
        blocks = try decoder.list(max: SnapshotLimits.blocksPerChunkMax)
    }
}
