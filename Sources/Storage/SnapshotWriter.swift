import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import SQLite

/// A ledger as it is at this moment: a connection of its own with a read transaction, so that all that is read is of
/// exactly one height while commits go on. The write-ahead log cannot be cut until this is gone.
///
/// Beginning reads nothing but where the chain ends.
///
/// **Threads**: handed over as a whole; one at a time.
public final class LedgerPin: @unchecked Sendable {
    let database: Database
    let tables: LedgerTables
    let watermark: Watermark

    public var path: String { database.path }
    public var height: UInt64 { watermark.height }

    /// - Parameter store: path of the store's `ledger.db`.
    public init(store path: String, suite: Suite) throws(StorageError) {
        do throws(SQLiteError) {
            database = try Database(path: path, access: .readOnly)
            try database.setBusyTimeout(milliseconds: 5_000)
            try database.setPragma("cache_size", "-8192")
            // Ends with the connection.
            try database.execute("BEGIN DEFERRED")
            tables = try LedgerTables(database, suite: suite)
            guard let watermark = try tables.watermark() else { throw damaged("no watermark") }
            self.watermark = watermark
        } catch {
            throw StorageError(error, path: path)
        }
    }
}

/// Makes a snapshot of a pinned ledger.
///
/// In memory are the state's tree and what lags behind in its journal, as in the store itself, and a few chunks.
struct SnapshotWriter {
    let genesis: Genesis
    let tables: LedgerTables
    let state: StateStore
    let header: Header
    let finalization: Certificate
    private let tiles: LogTiles
    private let base: SnapshotBase?
    private let folder: String
    private let sizes: SnapshotSizes
    /// Asked before each chunk; false ends the making.
    private let isWanted: () -> Bool
    private(set) var bytes = 0

    private var suite: Suite { genesis.suite }

    static func write(
        _ pin: LedgerPin, genesis: Genesis, to folder: String, sizes: SnapshotSizes,
        isWanted: @escaping () -> Bool
    ) throws(StorageError) -> (manifest: SnapshotManifest, bytes: Int)? {
        do throws(SQLiteError) {
            var writer = try SnapshotWriter(
                pin, genesis: genesis, folder: folder, sizes: sizes, isWanted: isWanted)
            return try writer.run().map { ($0, writer.bytes) }
        } catch {
            throw StorageError(error, path: pin.path)
        }
    }

    private init(
        _ pin: LedgerPin, genesis: Genesis, folder: String, sizes: SnapshotSizes,
        isWanted: @escaping () -> Bool
    ) throws(SQLiteError) {
        self.genesis = genesis
        self.folder = folder
        self.sizes = sizes
        self.isWanted = isWanted
        tables = pin.tables
        let watermark = pin.watermark
        guard let header = try tables.header(watermark.height)?.header,
            let certified = try tables.finalization(from: watermark.height),
            certified.height == watermark.height
        else { throw damaged("block \(watermark.height) is missing") }
        self.header = header
        finalization = certified.certificate
        base = try tables.base()
        tiles = try tables.loadTiles(
            frontier: watermark.frontier, height: watermark.height, base: base)
        state = try stateStep { () throws(StateStoreError) in
            try StateStore(
                database: pin.database, suite: genesis.suite, expectedRoot: header.stateRoot)
        }
    }

    /// - Returns: nil when it was not wanted any more.
    private mutating func run() throws(SQLiteError) -> SnapshotManifest? {
        guard let cover = try writeState() else { return nil }
        let first = SnapshotManifest.baseHeight(
            of: header.height, window: genesis.parameters.replayWindowBlocksMax)
        guard let lowest = try tables.block(first + 1)?.block.header else {
            throw damaged("block \(first + 1) is missing")
        }
        guard let below = try ancestor(below: lowest),
            let logEnd = LogEnd(size: below.header.logSize, of: self),
            let ends = try writeBlocks(
                from: first + 1, chunk: cover.parts.count { !$0.summary.isEmpty })
        else { return nil }
        var headers = [below]
        for end in ends.dropLast() { headers.append(try evidence(end)) }
        var changes: [EpochChange] = []
        for change in try tables.epochChanges(from: 0, upTo: header.epoch, base: base) {
            changes.append(change)
        }
        var next: ValidatorSet?
        if header.nextValidators != nil {
            next = try tables.epochs(upTo: header.epoch + 1).last?.validators
        }
        let manifest = SnapshotManifest(
            header: header, finalization: finalization, epochChanges: changes,
            nextValidators: next, cover: cover, logEnd: logEnd, headers: headers)
        try write(manifest.encoded, name: SnapshotShelf.manifestName)
        return manifest
    }

    /// The header below the first block held. It is stored with the base where its block is not.
    private func ancestor(below lowest: Header) throws(SQLiteError) -> HeaderEvidence? {
        if let base, base.header.digest(suite) == lowest.parent { return try evidence(base.header) }
        guard let header = try tables.header(lowest.height - 1)?.header else {
            throw damaged("block \(lowest.height - 1) is missing")
        }
        return try evidence(header)
    }

    private func evidence(_ ancestor: Header) throws(SQLiteError) -> HeaderEvidence {
        let path = LogProof.inclusionPath(
            index: ancestor.logSize, size: header.logSize, reader: self, suite: suite)
        guard let path else { throw damaged("the log lacks a node under \(ancestor.height)") }
        return HeaderEvidence(header: ancestor, path: path)
    }

    private mutating func write(_ content: [UInt8], name: String) throws(SQLiteError) {
        do throws(StorageError) {
            try SnapshotFiles.write(content, to: folder + "/" + name, isDurable: true)
            bytes += content.count
        } catch {
            let isFull = error.isDiskFull
            throw SQLiteError(extendedCode: isFull ? 13 : 14, message: error.english)
        }
    }

    // MARK: The state

    private mutating func writeState() throws(SQLiteError) -> MapCover? {
        var partition = MapPartition(
            suite: suite, weightMax: sizes.stateChunkBytes)
        var number = 0
        var problem: SQLiteError?
        var isStopped = false
        var writer = self
        let emit = {
            (_: Int, entries: ArraySlice<MapPartition.Entry>) throws(SQLiteError) in
            let chunk = StateChunk(entries: entries.map { ($0.leaf.key, $0.value) })
            try writer.write(chunk.encoded, name: "\(number)")
            number += 1
        }
        try stateStep { () throws(StateStoreError) in
            try state.forEachEntry { leaf, value in
                guard suite.digest(value) == leaf.valueHash else {
                    problem = damaged("a value is not the one committed to")
                    return false
                }
                do throws(SQLiteError) {
                    try partition.add(
                        leaf, value, weight: value.count + StateChunk.entryBytes, emit: emit)
                } catch {
                    problem = error
                    return false
                }
                isStopped = !isWanted()
                return !isStopped
            }
        }
        if let problem { throw problem }
        if isStopped { return nil }
        try partition.finish(emit: emit)
        guard let cover = partition.cover else {
            throw damaged("the state has more than \(MapCover.partsMax) parts")
        }
        self = writer
        return cover
    }

    // MARK: The blocks

    private static let blocksPerRead = 64

    /// - Returns: the last header of each chunk; nil when it was not wanted any more.
    private mutating func writeBlocks(
        from first: UInt64, chunk: Int
    ) throws(SQLiteError) -> [Header]? {
        var number = chunk
        var ends: [Header] = []
        var chunk = PendingChunk(sizes: sizes)
        var next = first
        while next <= header.height {
            guard isWanted() else { return nil }
            let count = min(UInt64(Self.blocksPerRead), header.height - next + 1)
            let blocks = try tables.blocks(
                from: next, countMax: Int(count), bytesMax: LedgerLimits.blockBytesMax)
            guard blocks.first?.block.header.height == next else {
                throw damaged("block \(next) is missing")
            }
            for stored in blocks {
                chunk.append(stored)
                guard chunk.isFull || stored.block.header.height == header.height else { continue }
                ends.append(stored.block.header)
                try write(chunk.encoded(), name: "\(number)")
                number += 1
                chunk = PendingChunk(sizes: sizes)
            }
            next += UInt64(blocks.count)
        }
        return ends
    }

    private struct PendingChunk {
        let sizes: SnapshotSizes
        private var blocks: [StoredBlock] = []
        private var bytes = 0

        init(sizes: SnapshotSizes) { self.sizes = sizes }

        mutating func append(_ stored: StoredBlock) {
            blocks.append(stored)
            bytes += stored.block.entries.reduce(512) { sum, entry in
                if case .envelope(let bytes) = entry { sum + bytes.count + 8 } else { sum + 64 }
            }
        }

        /// By what all nodes have alike: which blocks have certificates differs.
        var isFull: Bool {
            bytes > sizes.blockChunkBytes || blocks.count >= sizes.blockChunkBlocks
                || blocks.count == SnapshotLimits.blocksPerChunkMax
        }

        /// One certificate proves the blocks before it; an epoch's last block keeps its own.
        func encoded() -> [UInt8] {
            let last = blocks.lastIndex { $0.finalization != nil }
            return BlockChunk(
                blocks: blocks.enumerated().map { index, stored in
                    SnapshotBlock(
                        stored,
                        isCertified: index == last
                            || stored.block.header.nextValidators != nil)
                }
            ).encoded
        }
    }
}

extension SnapshotWriter: LogNodeReader {
    func node(level: Int, index: UInt64) -> Digest? {
        tiles.node(level: level, index: index) { try? tables.tile($0) }
    }
}
