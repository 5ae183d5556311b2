import LedgerCrypto
import Merkle
import SQLite

/// (a2) As the choice, but keys and commitments in one table and values in another, so that
/// opening reads less and a changed bucket writes two rows.
final class SplitTables: Candidate, MapReader {
    let suite: Suite
    private(set) var top = MapTop()
    private let database: Database
    private let insertLeaves: Statement
    private let insertValues: Statement
    private let selectLeaves: Statement
    private let selectValues: Statement

    init(path: String, suite: Suite) throws {
        self.suite = suite
        database = try openDatabase(path)
        try database.execute(
            """
            CREATE TABLE IF NOT EXISTS leaves(id INTEGER PRIMARY KEY, depth INTEGER, leaves BLOB);
            CREATE TABLE IF NOT EXISTS payload(id INTEGER PRIMARY KEY, bytes BLOB);
            """)
        insertLeaves = try database.prepare(
            "INSERT OR REPLACE INTO leaves(id, depth, leaves) VALUES(?1, ?2, ?3)")
        insertValues = try database.prepare(
            "INSERT OR REPLACE INTO payload(id, bytes) VALUES(?1, ?2)")
        selectLeaves = try database.prepare("SELECT leaves FROM leaves WHERE id = ?1")
        selectValues = try database.prepare("SELECT bytes FROM payload WHERE id = ?1")
        let rows = try database.prepare("SELECT id, depth, leaves FROM leaves")
        while try rows.step() {
            let leaves = Self.parse(rows.bytes(2), suite)
            let isSound = top.open(
                bucket: UInt32(rows.integer(0)), depth: Int(rows.integer(1)), leaves: leaves,
                suite: suite)
            precondition(isSound, "the benchmark's own file is sound")
        }
        top.finishOpening(suite: suite)
    }

    private static func parse(_ bytes: [UInt8], _ suite: Suite) -> [HashedLeaf] {
        stride(from: 0, to: bytes.count, by: 64).map {
            HashedLeaf(
                MapLeaf(
                    key: Digest(bytes: bytes[$0..<$0 + 32]) ?? .zero,
                    valueHash: Digest(bytes: bytes[$0 + 32..<$0 + 64]) ?? .zero), suite: suite)
        }
    }

    func leaves(ofBucket id: UInt32) -> [HashedLeaf] {
        (try? column(selectLeaves, id)).map { Self.parse($0, suite) } ?? []
    }

    private func column(_ statement: Statement, _ id: UInt32) throws -> [UInt8] {
        try statement.bind(1, Int64(id))
        defer { statement.reset() }
        return try statement.step() ? statement.bytes(0) : []
    }

    private func values(_ id: UInt32, _ count: Int) throws -> [ArraySlice<UInt8>] {
        let bytes = try column(selectValues, id)
        var start = 4 * count
        return (0..<count).map { index in
            let length = bytes.withUnsafeBytes {
                Int($0.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
            }
            defer { start += length }
            return bytes[start..<start + length]
        }
    }

    func value(for key: Digest) throws -> [UInt8]? {
        guard let id = top.bucket(for: key) else { return nil }
        let leaves = leaves(ofBucket: id)
        guard let index = leaves.firstIndex(where: { $0.key == key }) else { return nil }
        return Array(try values(id, leaves.count)[index])
    }

    func apply(_ changes: [Change]) throws {
        let layer = layer(self, changes)
        var next = 0
        try database.begin()
        for rewrite in top.absorb(layer, suite: suite, leaves: { leaves(ofBucket: $0) }) {
            let oldLeaves = rewrite.source.map { leaves(ofBucket: $0) } ?? []
            let oldValues = try rewrite.source.map { try values($0, oldLeaves.count) } ?? []
            for target in rewrite.targets {
                var lengths: [UInt8] = []
                var bytes: [UInt8] = []
                for leaf in target.leaves {
                    while next < changes.count, changes[next].key < leaf.key { next += 1 }
                    var value: ArraySlice<UInt8> = []
                    if next < changes.count, changes[next].key == leaf.key {
                        value = (changes[next].value ?? [])[...]
                    } else if let old = oldLeaves.firstIndex(where: { $0.key == leaf.key }) {
                        value = oldValues[old]
                    }
                    withUnsafeBytes(of: UInt32(value.count)) { lengths.append(contentsOf: $0) }
                    bytes.append(contentsOf: value)
                }
                try insertLeaves.bind(1, Int64(target.id))
                try insertLeaves.bind(2, Int64(target.depth))
                try insertLeaves.bind(
                    3, target.leaves.flatMap { $0.key.bytes + $0.valueHash.bytes })
                try insertLeaves.run()
                try insertValues.bind(1, Int64(target.id))
                try insertValues.bind(2, lengths + bytes)
                try insertValues.run()
            }
        }
        try database.commit()
    }

    func proofBytes(for key: Digest) throws -> Int? {
        MapOverlay(base: self).proof(for: key).proof.encoded.count
    }

    func checkpoint() throws { try database.checkpoint(.truncate) }
}
