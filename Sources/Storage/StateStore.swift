import LedgerCrypto
import Merkle
import SQLite

/// The finalised state: values by key, and the map's tree over them.
///
/// The tree's upper part is in memory (about 80 bytes for each bucket of up to eight entries);
/// every bucket is one row of a rowid table, with its keys, value commitments and values, so a
/// changed key costs one row and a read costs one look-up. The decision and its measurements are
/// in `docs/decisions/0003-state-map.md`.
///
/// **Threads**: as `Database`, one at a time. **Transactions**: the caller's; `commit` only
/// writes rows. When a transaction in which `commit` was called does not commit, this object is
/// ahead of the file: throw it away and open another. A crash at any point leaves the rows of the
/// last durable transaction, which is what the next opening finds.
///
/// **Failed reads**: a synchronous reader under a pure core cannot throw, so a read that fails
/// answers as if nothing were there and sets `failure`. The driver checks `failure` after each
/// step of the core and, when it is set, performs none of the step's effects and stops.
public final class StateStore: MapReader {
    /// Decoded buckets kept in memory, in bytes; all are dropped when it is exceeded.
    public static let cacheBytesMax = 64 << 20

    public let suite: Suite
    public private(set) var top: MapTop
    /// The first read that failed.
    public private(set) var failure: StateStoreError?

    private let database: Database
    private let select: Statement
    private let insert: Statement
    private let delete: Statement
    private var cache: [UInt32: StateBucket] = [:]
    private var cacheBytes = 0

    /// Opens the state in `database`, making its table if there is none, and rebuilds the tree.
    ///
    /// - Parameters:
    ///   - bucketLeavesMax: entries at which a bucket is split; buckets already stored stay.
    ///   - expectedRoot: what the caller's own record (the last final header) says the state is;
    ///     nil only for a new file or for inspection.
    public init(
        database: Database, suite: Suite, expectedRoot: Digest?,
        bucketLeavesMax: Int = MapTop.bucketLeavesStandard
    ) throws(StateStoreError) {
        self.database = database
        self.suite = suite
        try sql { () throws(SQLiteError) in try database.execute(Self.schema) }
        select = try sql { () throws(SQLiteError) in
            try database.prepare("SELECT leaves, payload FROM state_bucket WHERE id = ?1")
        }
        insert = try sql { () throws(SQLiteError) in
            try database.prepare(
                """
                INSERT OR REPLACE INTO state_bucket(id, depth, leaves, payload)
                VALUES(?1, ?2, ?3, ?4)
                """)
        }
        delete = try sql { () throws(SQLiteError) in
            try database.prepare("DELETE FROM state_bucket WHERE id = ?1")
        }
        top = try Self.loadTop(database, suite: suite, bucketLeavesMax: bucketLeavesMax)
        if let expectedRoot, expectedRoot != top.root {
            throw .wrongRoot(expected: expectedRoot, found: top.root)
        }
    }

    private static let schema = """
        CREATE TABLE IF NOT EXISTS state_bucket (
            id INTEGER PRIMARY KEY, depth INTEGER NOT NULL,
            leaves BLOB NOT NULL, payload BLOB NOT NULL)
        """

    private static func loadTop(
        _ database: Database, suite: Suite, bucketLeavesMax: Int
    ) throws(StateStoreError) -> MapTop {
        var top = MapTop(bucketLeavesMax: bucketLeavesMax)
        let rows = try sql { () throws(SQLiteError) in
            try database.prepare("SELECT id, depth, leaves FROM state_bucket", isKept: false)
        }
        while try sql({ () throws(SQLiteError) in try rows.step() }) {
            let id = rows.integer(0)
            let leaves = rows.withBytes(2) { StateBucket.leaves(from: $0) }
            let depth = Int(clamping: rows.integer(1))
            guard let leaves, let bucket = UInt32(exactly: id),
                top.open(bucket: bucket, depth: depth, leaves: leaves, suite: suite)
            else { throw .damaged(bucket: id, "its keys do not fit the map") }
        }
        top.finishOpening(suite: suite)
        return top
    }

    /// Root of the state; `Digest.zero` when it is empty.
    public var root: Digest { top.root }

    /// The value of a key; nil when there is none, or when it cannot be read (`failure`).
    public func value(for key: Digest) -> [UInt8]? {
        guard let id = top.bucket(for: key), let bucket = bucket(id),
            let index = bucket.index(of: key)
        else { return nil }
        let value = bucket.value(at: index)
        guard suite.digest(value) == bucket.leaves[index].valueHash else {
            fail(.damaged(bucket: Int64(id), "a value is not the one committed to"))
            return nil
        }
        return Array(value)
    }

    public func leaves(ofBucket id: UInt32) -> [MapLeaf] {
        bucket(id)?.leaves ?? []
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
        let rewrites = top.absorb(layer)
        // Rewrites come in key order, as the changes do, so one pass over both is enough.
        var rest = changes[...]
        for rewrite in rewrites {
            var old: StateBucket?
            if let source = rewrite.source {
                if let cached = cache[source] { old = cached } else { old = try load(source) }
                forget(source)
            }
            for target in rewrite.targets {
                let bucket = try merge(target, old, &rest)
                try write(bucket, target)
            }
            if let source = rewrite.source, !rewrite.targets.contains(where: { $0.id == source }) {
                try sql { () throws(SQLiteError) in
                    try delete.bind(1, Int64(source))
                    try delete.run()
                }
            }
        }
    }

    /// Calls `body` with every entry in key order, until it returns false. For snapshots and
    /// rebuilding.
    public func forEach(
        _ body: (_ leaf: MapLeaf, _ value: ArraySlice<UInt8>) -> Bool
    ) throws(StateStoreError) {
        var isGoingOn = true
        try top.forEachBucket { (id, _) throws(StateStoreError) in
            guard isGoingOn else { return }
            let bucket = try load(id)
            guard top.isIntact(bucket: id, leaves: bucket.leaves, suite: suite) else {
                throw .damaged(bucket: Int64(id), "its entries are not those of the state")
            }
            for index in bucket.leaves.indices where isGoingOn {
                isGoingOn = body(bucket.leaves[index], bucket.value(at: index))
            }
        }
    }

    /// The present entries of a bucket, with values from the changes or else from where they were.
    private func merge(
        _ target: MapBucketRewrite.Target, _ old: StateBucket?,
        _ changes: inout ArraySlice<(key: Digest, value: [UInt8]?)>
    ) throws(StateStoreError) -> StateBucket {
        var values: [ArraySlice<UInt8>] = []
        values.reserveCapacity(target.leaves.count)
        for leaf in target.leaves {
            while let change = changes.first, change.key < leaf.key { changes.removeFirst() }
            if let change = changes.first, change.key == leaf.key {
                guard let value = change.value, suite.digest(value) == leaf.valueHash else {
                    preconditionFailure("the state's values are not those of its layer")
                }
                values.append(value[...])
            } else if let old, let index = old.index(of: leaf.key), old.leaves[index] == leaf {
                values.append(old.value(at: index))
            } else {
                throw .damaged(bucket: Int64(target.id), "an entry is not what it was")
            }
        }
        return StateBucket(leaves: target.leaves, values: values)
    }

    private func write(
        _ bucket: StateBucket, _ target: MapBucketRewrite.Target
    ) throws(StateStoreError) {
        try sql { () throws(SQLiteError) in
            try insert.bind(1, Int64(target.id))
            try insert.bind(2, Int64(target.depth))
            try insert.bind(3, bucket.leafColumn)
            try insert.bind(4, bucket.payload)
            try insert.run()
        }
        remember(bucket, target.id)
    }

    /// A bucket as the core reads it: from memory, or from disk and checked against the tree.
    private func bucket(_ id: UInt32) -> StateBucket? {
        if let bucket = cache[id] { return bucket }
        do throws(StateStoreError) {
            let bucket = try load(id)
            guard top.isIntact(bucket: id, leaves: bucket.leaves, suite: suite) else {
                throw .damaged(bucket: Int64(id), "its entries are not those of the state")
            }
            remember(bucket, id)
            return bucket
        } catch {
            fail(error)
            return nil
        }
    }

    private func load(_ id: UInt32) throws(StateStoreError) -> StateBucket {
        let bucket = try sql { () throws(SQLiteError) in
            try select.bind(1, Int64(id))
            guard try select.step() else { return StateBucket?.none }
            defer { select.reset() }
            guard let leaves = select.withBytes(0, { StateBucket.leaves(from: $0) }) else {
                return nil
            }
            return StateBucket(leaves: leaves, payload: select.bytes(1))
        }
        guard let bucket else {
            throw .damaged(bucket: Int64(id), "its row is missing or cut off")
        }
        return bucket
    }

    private func remember(_ bucket: StateBucket, _ id: UInt32) {
        if cacheBytes + bucket.byteCount > Self.cacheBytesMax {
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

/// Runs SQLite calls with their error as the store's.
private func sql<Value>(
    _ body: () throws(SQLiteError) -> Value
) throws(StateStoreError) -> Value {
    do throws(SQLiteError) { return try body() } catch { throw .database(error) }
}
