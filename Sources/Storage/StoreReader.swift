import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import SQLite

/// Reads a node's ledger beside its `Store`: for API requests, exports and the index.
///
/// It sees what was durable when `refresh` was called last, or more, and never blocks the store.
/// **Threads**: one at a time each; open as many as there are threads that read. State values are
/// not here: they need the map's tree, which the store holds in memory.
public final class StoreReader {
    public let path: String
    public let suite: Suite
    /// Where the chain ended at the latest `refresh`.
    public private(set) var watermark: Watermark
    /// Where the chain begins here, when the store was filled from a snapshot.
    public private(set) var base: SnapshotBase?
    private let tables: LedgerTables
    private var tiles: LogTiles

    /// Blocks that `refresh` follows one by one before it loads the log's end anew.
    private static let followedBlocksMax: UInt64 = 256

    /// - Parameter path: of the store's `ledger.db`.
    public init(path: String, chain: ChainID, suite: Suite) throws(StorageError) {
        self.path = path
        self.suite = suite
        let database: Database
        do throws(SQLiteError) {
            database = try Database(path: path, access: .readOnly)
            try database.setBusyTimeout(milliseconds: 5_000)
            try database.setPragma("cache_size", "-8192")
        } catch {
            throw error.code == 14
                ? .cannotOpen(path: path, reason: error.message) : StorageError(error, path: path)
        }
        guard try LedgerSchema.check(database, chain: chain) else { throw .notALedger(path: path) }
        do throws(SQLiteError) {
            tables = try LedgerTables(database, suite: suite)
            let tables = tables
            (watermark, base, tiles) = try database.transaction(.deferred) {
                () throws(SQLiteError) in
                try Self.load(tables)
            }
        } catch {
            throw StorageError(error, path: path)
        }
    }

    private static func load(
        _ tables: LedgerTables
    ) throws(SQLiteError) -> (Watermark, SnapshotBase?, LogTiles) {
        guard let watermark = try tables.watermark() else { throw damaged("no watermark") }
        let base = try tables.base()
        let tiles = try tables.loadTiles(
            frontier: watermark.frontier, height: watermark.height, base: base)
        return (watermark, base, tiles)
    }

    /// The lowest height whose block is held; 0 but for a store that was filled from a snapshot.
    public var firstHeight: UInt64 { base?.firstHeight ?? 0 }

    /// Moves on to what is durable now.
    ///
    /// - Returns: whether the chain has grown.
    @discardableResult
    public func refresh() throws(StorageError) -> Bool {
        try run { () throws(SQLiteError) in
            try tables.database.transaction(.deferred) { () throws(SQLiteError) in
                guard let next = try tables.watermark() else { throw damaged("no watermark") }
                guard next.height > watermark.height else { return false }
                if try tables.joinedHeight() != base?.joinedHeight {
                    (watermark, base, tiles) = try Self.load(tables)
                    return true
                }
                if next.height - watermark.height <= Self.followedBlocksMax {
                    // Appended one by one: cheaper than reading the unfinished tiles anew.
                    var tiles = self.tiles
                    for height in watermark.height + 1...next.height {
                        guard let stored = try tables.block(height) else {
                            throw damaged("block \(height) is missing")
                        }
                        let outcomes = stored.outcomes(suite)
                        let leaves = logLeaves(stored.block, outcomes: outcomes, suite: suite)
                        _ = tiles.append(LogGrowth(of: tiles.frontier, by: leaves, suite: suite))
                    }
                    guard tiles.frontier == next.frontier else {
                        throw damaged("the log does not lead to the watermark")
                    }
                    self.tiles = tiles
                } else {
                    tiles = try tables.loadTiles(
                        frontier: next.frontier, height: next.height, base: base)
                }
                watermark = next
                return true
            }
        }
    }

    public func block(_ height: UInt64) throws(StorageError) -> StoredBlock? {
        guard height <= watermark.height else { return nil }
        return try run { () throws(SQLiteError) in try tables.block(height) }
    }

    /// Final blocks from a height upwards, as `Store.blocks`.
    public func blocks(
        from height: UInt64, countMax: Int, bytesMax: Int
    ) throws(StorageError) -> [StoredBlock] {
        guard height <= watermark.height, height >= firstHeight else { return [] }
        return try run { () throws(SQLiteError) in
            try tables.blocks(from: height, countMax: countMax, bytesMax: bytesMax)
        }
    }

    public func header(_ height: UInt64) throws(StorageError) -> Header? {
        guard height <= watermark.height else { return nil }
        return try run { () throws(SQLiteError) in try tables.header(height)?.header }
    }

    /// The lowest certified block at or above a height: what proves the block at that height.
    public func finalization(
        from height: UInt64
    ) throws(StorageError) -> (height: UInt64, certificate: Certificate)? {
        guard height <= watermark.height else { return nil }
        return try run { () throws(SQLiteError) in try tables.finalization(from: height) }
    }

    /// What this node holds of a quorum's votes in a view that is over: the nullification, where it saw one, and the finalization.
    /// Which nullifications a node holds differs from node to node: each keeps what it saw itself.
    public func certificates(
        epoch: UInt64, view: UInt64
    ) throws(StorageError) -> [Certificate] {
        try run { () throws(SQLiteError) in
            var found: [Certificate] = []
            if let nullification = try tables.nullification(epoch: epoch, view: view) {
                found.append(nullification)
            }
            if let heights = try heights(ofEpoch: epoch),
                let finalization = try tables.finalization(ofView: view, in: heights)
            {
                found.append(finalization)
            }
            return found
        }
    }

    /// Of the blocks of an epoch that are held; nil where there are none.
    private func heights(ofEpoch epoch: UInt64) throws(SQLiteError) -> ClosedRange<UInt64>? {
        guard epoch < UInt64(Int64.max) else { return nil }
        // Each by the last block before it; genesis' own begins with block 1.
        let bounds = try tables.epochs(after: max(epoch, 1) - 1, upTo: epoch + 1)
        guard epoch == 0 || bounds.first?.validators.epoch == epoch else { return nil }
        let before = epoch == 0 ? 0 : bounds[0].height
        let next = bounds.first { $0.validators.epoch == epoch + 1 }
        let (low, high) = (max(before + 1, firstHeight), next?.height ?? watermark.height)
        return low <= high ? low...high : nil
    }

    /// The sets of the epochs 1 to `last`, oldest first, each with the height of the block that made it: the last one of the
    /// epoch before, which has a finalization of its own.
    public func epochs(
        upTo last: UInt64
    ) throws(StorageError) -> [(height: UInt64, validators: ValidatorSet)] {
        try run { () throws(SQLiteError) in try tables.epochs(upTo: last) }
    }

    /// The ends of the epochs from `first` on and before `epoch`, oldest first, as an evidence bundle carries them; nil while
    /// that epoch has not begun here.
    public func epochChanges(
        from first: UInt64 = 0, before epoch: UInt64
    ) throws(StorageError) -> [EpochChange]? {
        guard first < epoch else { return [] }
        let changes = try run { () throws(SQLiteError) in
            try tables.epochChanges(from: first, upTo: epoch, base: base)
        }
        return UInt64(changes.count) == epoch - first ? changes : nil
    }

    /// A block's events, each with the location by which `event(at:)` finds it.
    public func events(
        height: UInt64
    ) throws(StorageError) -> [(location: BlockLocation, event: StoredEvent)] {
        guard height <= watermark.height else { return [] }
        return try run { () throws(SQLiteError) in try tables.events(height: height) }
    }

    public func event(at location: BlockLocation) throws(StorageError) -> StoredEvent? {
        try run { () throws(SQLiteError) in try tables.event(at: location) }
    }

    /// The search texts that a block set.
    public func texts(height: UInt64) throws(StorageError) -> [AssetText] {
        guard height <= watermark.height else { return [] }
        return try run { () throws(SQLiteError) in try tables.texts(height: height) }
    }

    private func run<Value>(
        _ body: () throws(SQLiteError) -> Value
    ) throws(StorageError) -> Value {
        do throws(SQLiteError) { return try body() } catch {
            throw StorageError(error, path: path)
        }
    }
}

extension StoreReader: LogNodeReader {
    /// Nil outside the log as of the latest `refresh`, and where a tile cannot be read.
    public func node(level: Int, index: UInt64) -> Digest? {
        tiles.node(level: level, index: index) { try? tables.tile($0) }
    }
}
