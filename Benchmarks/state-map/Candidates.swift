import LedgerCrypto
import Merkle
import SQLite
import Storage

typealias Change = (key: Digest, value: [UInt8]?)

/// What is measured: a state with a root, changed block by block in durable transactions.
protocol Candidate: AnyObject {
    init(path: String, suite: Suite) throws
    func value(for key: Digest) throws -> [UInt8]?
    /// Computes the new root, writes the changes (ascending by key) and commits.
    func apply(_ changes: [Change]) throws
    /// Bytes of a proof that a key has its value, or is absent; nil when that cannot be proved.
    func proofBytes(for key: Digest) throws -> Int?
    func checkpoint() throws
}

func openDatabase(_ path: String) throws -> Database {
    let database = try Database(path: path)
    try database.setPragma("journal_mode", "wal")
    try database.setPragma("synchronous", "full")
    try database.setPragma("cache_size", "-65536")
    return database
}

func layer(_ base: some MapReader, _ changes: [Change]) -> MapLayer {
    let hashes = changes.map { change in
        MapChange(key: change.key, valueHash: change.value.map { base.suite.digest($0) })
    }
    return MapOverlay(base: base).applying(hashes).layers[0]
}

/// (a) The choice: tree top in memory, one row a bucket with its values, written back later.
class BucketRows: Candidate {
    class var limits: StateStore.Limits { StateStore.Limits() }

    private let database: Database
    private let store: StateStore

    required init(path: String, suite: Suite) throws {
        database = try openDatabase(path)
        store = try StateStore(
            database: database, suite: suite, expectedRoot: nil, limits: Self.limits)
    }

    func value(for key: Digest) throws -> [UInt8]? {
        store.value(for: key)
    }

    func apply(_ changes: [Change]) throws {
        let layer = layer(store, changes)
        try database.begin()
        try store.commit(layer, changes: changes)
        try database.commit()
        if let failure = store.failure { throw failure }
    }

    func proofBytes(for key: Digest) throws -> Int? {
        MapOverlay(base: store).proof(for: key).proof.encoded.count
    }

    func checkpoint() throws {
        try database.begin()
        try store.flush()
        try database.commit()
        try database.checkpoint(.truncate)
    }
}

/// (a1) The same with every changed bucket written in its own commit.
final class BucketRowsAtOnce: BucketRows {
    override class var limits: StateStore.Limits {
        var limits = StateStore.Limits()
        limits.journalRecordsMax = 0
        return limits
    }
}

/// (a4) and (a16): the same with other bucket sizes.
final class BucketRowsOf4: BucketRows {
    override class var limits: StateStore.Limits {
        var limits = StateStore.Limits()
        limits.bucketLeavesMax = 4
        return limits
    }
}

final class BucketRowsOf16: BucketRows {
    override class var limits: StateStore.Limits {
        var limits = StateStore.Limits()
        limits.bucketLeavesMax = 16
        return limits
    }
}

/// (b) Operations appended to a log, whose RFC 9162 root is the state's; an index in memory says
/// where a key was last written. The root depends on history, and nothing shows that an operation
/// is the latest or that a key is absent: that would take a second tree. Paths need the inner
/// nodes, kept here as 32 bytes a node beside the operations.
final class OperationLog: Candidate {
    private let database: Database
    private let suite: Suite
    private var index: [Digest: UInt32] = [:]
    private var frontier = LogFrontier()
    private let insert: Statement
    private let select: Statement
    private let insertNode: Statement

    init(path: String, suite: Suite) throws {
        self.suite = suite
        database = try openDatabase(path)
        try database.execute(
            """
            CREATE TABLE IF NOT EXISTS op(id INTEGER PRIMARY KEY, key BLOB, value BLOB);
            CREATE TABLE IF NOT EXISTS node(id INTEGER PRIMARY KEY, digest BLOB);
            """)
        insert = try database.prepare("INSERT INTO op(id, key, value) VALUES(?1, ?2, ?3)")
        select = try database.prepare("SELECT value FROM op WHERE id = ?1")
        insertNode = try database.prepare("INSERT INTO node(digest) VALUES(?1)")
        let rows = try database.prepare("SELECT id, key, value FROM op ORDER BY id")
        while try rows.step() {
            guard let key = Digest(bytes: rows.bytes(1)) else { continue }
            index[key] = rows.isNull(2) ? nil : UInt32(rows.integer(0))
            let leaf = suite.leafDigest(key.bytes + rows.bytes(2))
            frontier.append(leafHash: leaf, suite: suite)
        }
    }

    func value(for key: Digest) throws -> [UInt8]? {
        guard let row = index[key] else { return nil }
        try select.bind(1, Int64(row))
        defer { select.reset() }
        return try select.step() ? select.bytes(0) : nil
    }

    func apply(_ changes: [Change]) throws {
        try database.begin()
        for (key, value) in changes {
            let row = frontier.size + 1
            try insert.bind(1, Int64(row))
            try insert.bind(2, key.bytes)
            if let value { try insert.bind(3, value) } else { try insert.bindNull(3) }
            try insert.run()
            var completed: [Digest] = []
            frontier.append(leafHash: suite.leafDigest(key.bytes + (value ?? [])), suite: suite) {
                if $0 > 0 { completed.append($2) }
            }
            for digest in completed {
                try insertNode.bind(1, digest.bytes)
                try insertNode.run()
            }
            index[key] = value == nil ? nil : UInt32(row)
        }
        _ = frontier.root(suite)
        try database.commit()
    }

    func proofBytes(for key: Digest) throws -> Int? {
        guard index[key] != nil else { return nil }
        return (64 - (frontier.size - 1).leadingZeroBitCount) * Digest.byteCount + 8
    }

    func checkpoint() throws { try database.checkpoint(.truncate) }
}

/// (c) The whole trie packed in memory, down to single leaves; values appended to a rowid table.
/// Values that have been replaced stay as garbage: compaction is not part of the measurement.
final class PackedTrie: Candidate, MapReader {
    let suite: Suite
    private(set) var top = MapTop(bucketLeavesMax: 1)
    private let database: Database
    private var leaf: [HashedLeaf]
    private var row: [UInt32] = [0]
    private var lastRow: Int64 = 0
    private let insert: Statement
    private let select: Statement

    init(path: String, suite: Suite) throws {
        self.suite = suite
        leaf = [HashedLeaf(MapLeaf(key: .zero, valueHash: .zero), suite: suite)]
        database = try openDatabase(path)
        try database.execute(
            "CREATE TABLE IF NOT EXISTS entry(id INTEGER PRIMARY KEY, key BLOB, value BLOB)")
        insert = try database.prepare("INSERT INTO entry(id, key, value) VALUES(?1, ?2, ?3)")
        select = try database.prepare("SELECT value FROM entry WHERE id = ?1")
        let rows = try database.prepare("SELECT id, key, value FROM entry ORDER BY id")
        var batch: [Digest: (Int64, [UInt8]?)] = [:]
        func replay() {
            let changes = batch.map { (key: $0.key, value: $0.value.1) }.sorted { $0.key < $1.key }
            place(changesLayer(changes), changes.map { batch[$0.key]?.0 ?? 0 }, changes)
            batch = [:]
        }
        while try rows.step() {
            guard let key = Digest(bytes: rows.bytes(1)) else { continue }
            lastRow = rows.integer(0)
            batch[key] = (lastRow, rows.isNull(2) ? nil : rows.bytes(2))
            if batch.count == 100_000 { replay() }
        }
        replay()
    }

    private func changesLayer(_ changes: [Change]) -> MapLayer { layer(self, changes) }

    func leaves(ofBucket id: UInt32) -> [HashedLeaf] { [leaf[Int(id)]] }

    func value(for key: Digest) throws -> [UInt8]? {
        guard let id = top.bucket(for: key), leaf[Int(id)].key == key else { return nil }
        try select.bind(1, Int64(row[Int(id)]))
        defer { select.reset() }
        return try select.step() ? select.bytes(0) : nil
    }

    func apply(_ changes: [Change]) throws {
        let layer = layer(self, changes)
        try database.begin()
        let first = lastRow + 1
        for (key, value) in changes {
            lastRow += 1
            try insert.bind(1, lastRow)
            try insert.bind(2, key.bytes)
            if let value { try insert.bind(3, value) } else { try insert.bindNull(3) }
            try insert.run()
        }
        try database.commit()
        place(layer, changes.indices.map { first + Int64($0) }, changes)
    }

    private func place(_ layer: MapLayer, _ rows: [Int64], _ changes: [Change]) {
        var next = 0
        for rewrite in top.absorb(layer, suite: suite, leaves: { [leaf[Int($0)]] }) {
            let moved = rewrite.source.map { (leaf[Int($0)].key, row[Int($0)]) }
            for target in rewrite.targets {
                let id = Int(target.id)
                while leaf.count <= id {
                    leaf.append(leaf[0])
                    row.append(0)
                }
                let key = target.leaves[0].key
                while next < changes.count, changes[next].key < key { next += 1 }
                leaf[id] = target.leaves[0]
                if next < changes.count, changes[next].key == key {
                    row[id] = UInt32(rows[next])
                } else if let moved, moved.0 == key {
                    row[id] = moved.1
                }
            }
        }
    }

    func proofBytes(for key: Digest) throws -> Int? {
        MapOverlay(base: self).proof(for: key).proof.encoded.count
    }

    func checkpoint() throws { try database.checkpoint(.truncate) }
}
