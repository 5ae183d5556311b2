import LedgerCrypto
import Merkle
import SQLite

/// The finalized state: values by key, and the map's tree over them.
///
/// The tree's upper part is in memory (about 80 bytes for each bucket of up to eight entries);
/// every bucket is one row of a rowid table, with its keys, value commitments and values. A commit
/// appends the block's changes to a journal, one row; the buckets' rows follow later, each once
/// for all the blocks that changed it meanwhile. The decision and its measurements are in
/// `docs/decisions/0003-state-map.md`.
///
/// **Threads**: as `Database`, one at a time. What another connection reads from the tables lags
/// behind: the state is read through this object.
///
/// **Transactions**: the caller's; `commit` only writes rows. When a transaction in which
/// `commit` was called does not commit, this object is ahead of the file: throw it away and open
/// another. A crash at any point leaves the rows of the last durable transaction; opening
/// replays the journal's records over the buckets, which may repeat but never miss a change.
///
/// **Failed reads**: a synchronous reader under a pure core cannot throw, so a read that fails
/// answers as if nothing were there and sets `failure`. The driver checks `failure` after each
/// step of the core and, when it is set, performs none of the step's effects and stops.
public final class StateStore: MapReader {
    /// Bounds on what is held in memory and on what opening has to replay.
    public struct Limits: Equatable, Sendable {
        /// Buckets read from disk, kept decoded; all are dropped when it is exceeded.
        public var cacheBytesMax = 64 << 20
        /// Changed buckets whose rows have not been written yet.
        public var dirtyBytesMax = 64 << 20
        /// Commits that the journal spans, and their bytes.
        public var journalRecordsMax = 16_384
        public var journalBytesMax = 64 << 20
        /// Entries at which a bucket is split; buckets already stored stay as they are.
        public var bucketLeavesMax = MapTop.bucketLeavesStandard

        public init() {}
    }

    public let suite: Suite
    public let limits: Limits
    public private(set) var top: MapTop
    /// The first read that failed.
    public private(set) var failure: StateStoreError?

    private let rows: StateRows
    private var dirty = StateDirty()
    private var sequence: Int64
    private var journal = StateJournalSizes()
    private var cache: [UInt32: StateBucket] = [:]
    private var cacheBytes = 0

    /// Opens the state in `database`, making its tables if there are none, and rebuilds the tree.
    ///
    /// - Parameter expectedRoot: what the caller's own record (the last final header) says the
    ///   state is; nil only for a new file or for inspection.
    public init(
        database: Database, suite: Suite, expectedRoot: Digest?, limits: Limits = Limits()
    ) throws(StateStoreError) {
        self.suite = suite
        self.limits = limits
        rows = try StateRows(database, suite: suite)
        top = MapTop(bucketLeavesMax: limits.bucketLeavesMax)
        sequence = 0
        try rows.forEachBucket { (id, depth, leaves) throws(StateStoreError) in
            guard let leaves, let bucket = UInt32(exactly: id),
                top.open(bucket: bucket, depth: depth, leaves: leaves, suite: suite)
            else { throw .damaged(bucket: id, "its keys do not fit the map") }
        }
        top.finishOpening(suite: suite)
        try rows.forEachRecord { (number, byteCount, changes) throws(StateStoreError) in
            guard let changes else {
                throw .damaged(bucket: 0, "journal record \(number) is cut off")
            }
            journal.append(number, byteCount: byteCount)
            let hashes = changes.map { MapChange($0, suite: suite) }
            let layer = MapOverlay(base: self).applying(hashes).layers[0]
            sequence = number
            try merge(layer, changes)
            if let failure { throw failure }
        }
        if let expectedRoot, expectedRoot != top.root {
            throw .wrongRoot(expected: expectedRoot, found: top.root)
        }
    }

    /// Root of the state; `Digest.zero` when it is empty.
    public var root: Digest { top.root }

    /// The value of a key; nil when there is none, or when it cannot be read (`failure`).
    public func value(for key: Digest) -> [UInt8]? {
        guard let id = top.bucket(for: key) else { return nil }
        // What has not left memory was checked when it came; what has been on disk may be damaged.
        if let found = dirty.bucket(id, { $0.value(of: key) }) { return found }
        guard let bucket = stored(id), let index = bucket.index(of: key) else { return nil }
        let value = bucket.values[index]
        guard suite.digest(value) == bucket.leaves[index].valueHash else {
            fail(.damaged(bucket: Int64(id), "a value is not the one committed to"))
            return nil
        }
        return value
    }

    public func leaves(ofBucket id: UInt32) -> [HashedLeaf] {
        dirty.bucket(id) { $0.leaves } ?? stored(id)?.leaves ?? []
    }

    /// Writes what one block changes, inside the caller's transaction.
    ///
    /// - Parameters:
    ///   - layer: the block's layer, built on exactly the present state.
    ///   - changes: the values of the layer's keys, ascending, nil for removed ones. Each
    ///     commitment in the layer is `Suite.digest` of the value given here.
    public func commit(
        _ layer: MapLayer, changes: [(key: Digest, value: [UInt8]?)]
    ) throws(StateStoreError) {
        if let failure { throw failure }
        guard !changes.isEmpty else { return }
        sequence += 1
        let record = StateJournal.encode(changes)
        try rows.insertRecord(sequence, record)
        journal.append(sequence, byteCount: record.count)
        try merge(layer, changes)
        try writeBack {
            dirty.byteCount > limits.dirtyBytesMax
                || sequence - $0 >= Int64(limits.journalRecordsMax)
                || journal.bytes(from: $0) > limits.journalBytesMax
        }
    }

    /// Writes every lagging row, inside the caller's transaction: before a file is copied, or to
    /// make the next opening quick.
    public func flush() throws(StateStoreError) {
        try writeBack { _ in true }
    }

    /// Calls `body` with every entry in key order, until it returns false. For snapshots and
    /// rebuilding.
    public func forEachEntry(
        _ body: (_ leaf: MapLeaf, _ value: [UInt8]) -> Bool
    ) throws(StateStoreError) {
        var isGoingOn = true
        try top.forEachBucket { (id, _) throws(StateStoreError) in
            guard isGoingOn else { return }
            let bucket: StateBucket
            if let entry = dirty.entries[id] {
                bucket = entry.bucket
            } else {
                bucket = try verified(id)
            }
            for index in bucket.leaves.indices where isGoingOn {
                isGoingOn = body(bucket.leaves[index].leaf, bucket.values[index])
            }
        }
    }
}

// MARK: Writing

extension StateStore {
    /// Puts a layer and its values into the tree and the changed buckets.
    private func merge(
        _ layer: MapLayer, _ changes: [(key: Digest, value: [UInt8]?)]
    ) throws(StateStoreError) {
        let rewrites = try top.absorb(layer, suite: suite) { (id) throws(StateStoreError) in
            try earlier(id).leaves
        }
        // Rewrites come in key order, as the changes do, so one pass over both is enough.
        var next = 0
        for rewrite in rewrites {
            // Most: nothing was split, and the bucket's row lags already. It is in no cache then.
            if let id = rewrite.source, rewrite.targets.count == 1, rewrite.targets[0].id == id,
                let isIntact = dirty.update(
                    id, depth: rewrite.targets[0].depth,
                    { $0.update(rewrite.targets[0].leaves, changes, &next, suite) })
            {
                guard isIntact else { throw Self.changedEntry(id) }
                continue
            }
            var old: StateBucket?
            if let source = rewrite.source {
                old = try earlier(source)
                forget(source)
            }
            var targets: [(id: UInt32, depth: Int, bucket: StateBucket)] = []
            for target in rewrite.targets {
                var bucket = old ?? StateBucket(leaves: [], values: [])
                guard bucket.update(target.leaves, changes, &next, suite) else {
                    throw Self.changedEntry(target.id)
                }
                targets.append((target.id, target.depth, bucket))
            }
            dirty.replace(source: rewrite.source, by: targets, sequence: sequence)
        }
    }

    private static func changedEntry(_ bucket: UInt32) -> StateStoreError {
        .damaged(bucket: Int64(bucket), "an entry is not what it was")
    }

    /// Writes lagging rows, oldest change first, while `isDue` says so of the oldest's sequence,
    /// and drops the journal records that are then not needed any more.
    ///
    /// A crash in the middle undoes the caller's whole transaction, so rows and journal are
    /// those of an earlier commit, which fit each other.
    private func writeBack(while isDue: (Int64) -> Bool) throws(StateStoreError) {
        var hasWritten = false
        while let oldest = dirty.oldestSequence, isDue(oldest),
            let (storedRow, buckets) = dirty.removeOldest()
        {
            for (id, entry) in buckets {
                try rows.insertBucket(id, entry.depth, entry.bucket)
                remember(entry.bucket, id)
            }
            if let storedRow, !buckets.contains(where: { $0.id == storedRow }) {
                try rows.deleteBucket(storedRow)
            }
            hasWritten = true
        }
        guard hasWritten else { return }
        let first = dirty.oldestSequence ?? sequence + 1
        try rows.deleteRecords(before: first)
        journal.drop(before: first)
    }
}

// MARK: Reading

extension StateStore {
    /// A bucket that does not lag, as the core reads it.
    private func stored(_ id: UInt32) -> StateBucket? {
        if let bucket = cache[id] { return bucket }
        do throws(StateStoreError) {
            let bucket = try verified(id)
            remember(bucket, id)
            return bucket
        } catch {
            fail(error)
            return nil
        }
    }

    /// A bucket's entries before the layer that is being merged, which the tree says nothing of
    /// any more; `StateBucket.update` compares them with the layer's.
    private func earlier(_ id: UInt32) throws(StateStoreError) -> StateBucket {
        if let entry = dirty.entries[id] { return entry.bucket }
        if let bucket = cache[id] { return bucket }
        return try rows.bucket(id)
    }

    /// A bucket from disk, checked against the tree.
    private func verified(_ id: UInt32) throws(StateStoreError) -> StateBucket {
        let bucket = try rows.bucket(id)
        guard top.isIntact(bucket: id, leaves: bucket.leaves, suite: suite) else {
            throw .damaged(bucket: Int64(id), "its entries are not those of the state")
        }
        return bucket
    }

    private func remember(_ bucket: StateBucket, _ id: UInt32) {
        if cacheBytes + bucket.byteCount > limits.cacheBytesMax {
            cache.removeAll(keepingCapacity: true)
            cacheBytes = 0
        }
        forget(id)
        cache[id] = bucket
        cacheBytes += bucket.byteCount
    }

    private func forget(_ id: UInt32) {
        guard let bucket = cache.removeValue(forKey: id) else { return }
        cacheBytes -= bucket.byteCount
    }

    private func fail(_ error: StateStoreError) {
        if failure == nil { failure = error }
    }
}

extension MapChange {
    /// The change of a stored value: the map commits to `Suite.digest` of it.
    public init(_ change: (key: Digest, value: [UInt8]?), suite: Suite) {
        self.init(key: change.key, valueHash: change.value.map { suite.digest($0) })
    }
}
