import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import SQLite

extension Store {
    /// Makes a complete snapshot the content of this store, in one durable step: the state, the last blocks and the log's
    /// end take the place of what was here. Own votes above the snapshot's view, with the bodies and certificates that
    /// belong to them, stay: whoever voted is bound by it.
    ///
    /// A crash inside leaves the store as it was, and the stage's folder to be gone on with. A crash right after leaves the
    /// snapshot's content and a folder that is of no use any more.
    ///
    /// `replicaState` then says what a replica goes on from; one that was made before is of no use.
    ///
    /// - Precondition: the stage is complete, and above the watermark.
    /// - Throws: also `damaged` with the chunk's path where a file of the stage is not what it was; nothing is changed then,
    ///   but as after any error the store has to be opened again.
    public func install(_ stage: SnapshotStage) throws(StorageError) {
        let manifest = stage.manifest.manifest
        precondition(stage.isComplete, "only a complete snapshot is installed")
        precondition(manifest.height > watermark.height, "a snapshot never takes a store back")
        let subject = VoteSubject(manifest.header, suite: suite)
        let certified = manifest.finalization.statement
        let sum = VoteSum(votes.filter { $0.key.isAbove(certified) }.values, suite)
        let loaded = try run { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in
                try clear(upTo: manifest.height, certified)
                try voting.setVoteSum(sum)
                var load = SnapshotLoad(stage, tables: tables, writes: writes)
                let state = try stateStep { () throws(StateStoreError) in
                    try load.state(database, limits: stateLimits)
                }
                try load.blocks()
                try load.epochs()
                try load.base(genesis: genesis)
                let kept = pendingBodies.values.filter { $0.height > manifest.height }
                let nextBody = try writes.nextBody()
                let watermark = Watermark(
                    height: manifest.height, header: subject.header, epoch: certified.epoch,
                    view: certified.view, frontier: load.tiles.frontier,
                    firstPendingBody: kept.map(\.row).min() ?? nextBody)
                try writes.setWatermark(watermark)
                let recovered = try Self.loadPending(tables, writes, watermark, manifest.header)
                return (watermark: watermark, state: state, tiles: load.tiles, recovered)
            }
        }
        // In memory only what the file holds now.
        watermark = loaded.watermark
        header = manifest.header
        state = loaded.state
        tiles = loaded.tiles
        base = SnapshotBase(manifest)
        voteSum = sum
        (recovered, pendingBodies) = loaded.3
        votes = Dictionary(uniqueKeysWithValues: recovered.votes.map { (VoteSlot($0), $0) })
        certificates = Set(recovered.certificates.map { VoteSlot($0.statement) })
    }

    private func clear(upTo height: UInt64, _ certified: VoteStatement) throws(SQLiteError) {
        for table in ["state_bucket", "state_journal", "block", "epoch", "tile", "event"] {
            try database.execute("DELETE FROM \(table)")
        }
        try database.execute("DELETE FROM asset_text")
        let kept = pendingBodies.values.filter { $0.height > height }.map { "\($0.row)" }
        try database.execute("DELETE FROM body WHERE id NOT IN (\(kept.joined(separator: ",")))")
        try writes.dropVotes(upTo: certified.epoch, certified.view)
    }
}

/// Writes a snapshot's parts into empty tables, each checked once more: a file may have been damaged since it came.
private struct SnapshotLoad {
    let stage: SnapshotStage
    let manifest: SnapshotManifest
    let tables: LedgerTables
    let writes: StoreWrites
    private(set) var tiles: LogTiles
    private var texts = 0
    private var suite: Suite { stage.manifest.suite }

    init(_ stage: SnapshotStage, tables: LedgerTables, writes: StoreWrites) {
        self.stage = stage
        self.tables = tables
        self.writes = writes
        manifest = stage.manifest.manifest
        tiles = manifest.logEnd.tiles(stage.manifest.suite)
    }

    private func chunk<Content>(
        _ index: Int, _ check: ([UInt8]) throws(SnapshotFault) -> Content
    ) throws(SQLiteError) -> Content {
        guard let bytes = stage.chunk(index) else {
            throw damaged("\(stage.folder)/\(index) is missing")
        }
        do throws(SnapshotFault) { return try check(bytes) } catch {
            throw damaged("\(stage.folder)/\(index): \(error)")
        }
    }

    // MARK: State

    mutating func state(
        _ database: Database, limits: StateStore.Limits
    ) throws(StateStoreError) -> StateStore {
        let rows = try StateRows(database, suite: suite)
        var partition = MapPartition(suite: suite, weightMax: limits.bucketLeavesMax)
        var id: UInt32 = 0
        let emit = {
            (depth: Int, entries: ArraySlice<MapPartition.Entry>) throws(StateStoreError) in
            id += 1
            try rows.insertBucket(
                id, depth, StateBucket(leaves: entries.map(\.leaf), values: entries.map(\.value)))
        }
        for index in 0..<manifest.stateChunks {
            let entries: [(leaf: MapLeaf, value: [UInt8])]
            do throws(SQLiteError) {
                entries = try chunk(index) { (bytes) throws(SnapshotFault) in
                    try stage.manifest.entries(ofChunk: index, bytes)
                }
                for (_, value) in entries { try insertText(of: value) }
            } catch {
                throw .database(error)
            }
            for (leaf, value) in entries {
                try partition.add(leaf, value, weight: 1, emit: emit)
            }
        }
        try partition.finish(emit: emit)
        return try StateStore(
            database: database, suite: suite, expectedRoot: manifest.header.stateRoot,
            limits: limits)
    }

    /// What assets are found by, under the snapshot's height and, where that is full, the heights below it.
    private mutating func insertText(of value: [UInt8]) throws(SQLiteError) {
        guard let stored = try? StoredRecord.decode(value, limits: StoredRecord.limits),
            stored.type == .asset,
            let record = try? AssetRecord.decode(stored.body, limits: StoredRecord.limits)
        else { return }
        let perHeight = 1 << BlockLocation.positionBits
        let height = manifest.height - UInt64(texts / perHeight)
        guard height >= manifest.firstHeight else { throw damaged("more assets than can be found") }
        try writes.insertText(
            AssetText(record), at: BlockLocation(height: height, position: texts % perHeight))
        texts += 1
    }

    // MARK: Chain

    mutating func blocks() throws(SQLiteError) {
        for index in manifest.stateChunks..<manifest.chunks {
            let blocks = try chunk(index) { (bytes) throws(SnapshotFault) in
                try stage.manifest.blocks(ofChunk: index, bytes)
            }
            for (member, digest, outcomes) in blocks {
                try write(member, digest, outcomes)
            }
        }
    }

    private mutating func write(
        _ member: SnapshotBlock, _ digest: Digest, _ outcomes: [EntryOutcome]
    ) throws(SQLiteError) {
        let header = member.block.header
        let leaves = logLeaves(member.block, outcomes: outcomes, suite: suite)
        let growth = LogGrowth(of: tiles.frontier, by: leaves, suite: suite)
        for tile in tiles.append(growth) { try writes.insertTile(tile) }
        guard tiles.frontier.size == header.logSize, tiles.frontier.root(suite) == header.logRoot
        else { throw damaged("the log does not lead to header \(header.height)") }
        let isLast = header.height == manifest.height
        let body = try writes.insertBody(member.block, header: digest)
        try writes.insertBlock(
            height: header.height, body: body,
            finalization: isLast ? manifest.finalization : member.finalization,
            codes: OutcomeCodes.encode(outcomes))
    }

    func epochs() throws(SQLiteError) {
        for change in manifest.epochChanges {
            try writes.insertEpoch(change.next, height: change.header.height)
        }
        if let next = manifest.nextValidators {
            try writes.insertEpoch(next, height: manifest.height)
        }
    }

    func base(genesis: Genesis) throws(SQLiteError) {
        let base = SnapshotBase(manifest)
        if base.header.height == 0 {
            let body = try writes.insertBody(
                Block(header: base.header, entries: []), header: base.header.digest(suite))
            try writes.insertBlock(height: 0, body: body, finalization: nil, codes: nil)
        }
        try writes.setMeta("base", base.encoded)
        try writes.setMeta("joined", base.joinedHeight.encoded)
    }
}
