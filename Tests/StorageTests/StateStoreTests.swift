import LedgerCrypto
import Merkle
import SQLite
import Testing

@testable import Storage

@Suite("State store")
struct StateStoreTests {
    typealias Change = (key: Digest, value: [UInt8]?)
    static let suite = LedgerCrypto.Suite.ed25519SHA256

    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    static func key(_ number: UInt64) -> Digest {
        // Crowds under one prefix make deep, skewed splits.
        var bytes = suite.digest([UInt8](String(number).utf8)).bytes
        if number % 3 == 0 { for index in 0..<4 { bytes[index] = 0xa5 } }
        return Digest(bytes: bytes) ?? .zero
    }

    static func limits(_ number: UInt64) -> StateStore.Limits {
        var limits = StateStore.Limits()
        limits.bucketLeavesMax = [1, 2, 8][Int(number % 3)]
        limits.journalRecordsMax = [0, 3, 10, 1000][Int(number / 3 % 4)]
        limits.dirtyBytesMax = number % 2 == 0 ? 3_000 : 1 << 20
        limits.journalBytesMax = number % 7 == 0 ? 2_000 : 1 << 20
        limits.cacheBytesMax = number % 5 == 0 ? 0 : 2_000
        return limits
    }

    static func commit(_ store: StateStore, _ database: Database, _ changes: [Change]) throws {
        let hashes = changes.map { MapChange($0, suite: suite) }
        let layer = MapOverlay(base: store).applying(hashes).layers[0]
        try database.begin()
        try store.commit(layer, changes: changes)
        try database.commit()
    }

    static func entries(_ store: StateStore) throws -> [Digest: [UInt8]] {
        var all: [Digest: [UInt8]] = [:]
        var last: Digest?
        try store.forEachEntry { leaf, value in
            #expect(last.map { $0 < leaf.key } ?? true)
            last = leaf.key
            all[leaf.key] = value
            return true
        }
        return all
    }

    /// Random histories, under every mixture of limits, with reopening after any commit as a
    /// crash leaves it: values, order, root and proofs are those of a dictionary.
    @Test func historiesSurviveReopening() throws {
        for seed in 0..<UInt64(24) {
            var generator = Generator(state: seed)
            let database = try Database(path: ":memory:")
            var store = try StateStore(
                database: database, suite: Self.suite, expectedRoot: .zero,
                limits: Self.limits(seed))
            var expected: [Digest: [UInt8]] = [:]
            for step in 0..<40 {
                var changes: [Digest: [UInt8]?] = [:]
                for _ in 0..<generator.next() % 12 {
                    let removes = generator.next() % 6 < (step % 20 < 12 ? 1 : 4)
                    let value = [UInt8](repeating: UInt8(step), count: Int(generator.next() % 90))
                    changes[Self.key(generator.next() % 70)] = .some(removes ? nil : value)
                }
                for (key, value) in changes { expected[key] = value }
                let sorted = changes.map { (key: $0.key, value: $0.value) }
                    .sorted { $0.key < $1.key }
                try Self.commit(store, database, sorted)
                if generator.next() % 4 == 0 {
                    let root = store.root
                    store = try StateStore(
                        database: database, suite: Self.suite, expectedRoot: root,
                        limits: Self.limits(generator.next() % 24))
                    #expect(store.root == root)
                }
                for number in 0..<UInt64(70) {
                    let key = Self.key(number)
                    guard store.value(for: key) == expected[key] else {
                        Issue.record("seed \(seed) step \(step) key \(number)")
                        return
                    }
                }
            }
            #expect(try Self.entries(store) == expected)
            #expect(store.failure == nil)
            var map = MemoryMap(suite: Self.suite)
            let hashes = expected.sorted { $0.key < $1.key }.map {
                MapChange(key: $0.key, valueHash: Self.suite.digest($0.value))
            }
            map.commit(MapOverlay(base: map).applying(hashes).layers[0])
            #expect(store.root == map.top.root)
            try database.transaction(convert: StateStoreError.database) {
                () throws(StateStoreError) in try store.flush()
            }
            let again = try StateStore(
                database: database, suite: Self.suite, expectedRoot: map.top.root)
            #expect(try Self.entries(again) == expected)
            for number in 0..<UInt64(70) {
                let key = Self.key(number)
                let (valueHash, proof) = MapOverlay(base: again).proof(for: key)
                #expect(valueHash == expected[key].map { Self.suite.digest($0) })
                #expect(
                    proof.root(for: key, valueHash: valueHash, suite: Self.suite)
                        == map.top.root)
            }
        }
    }

    /// A transaction that did not commit leaves the state before it.
    @Test func rolledBackCommitLeavesTheEarlierState() throws {
        let database = try Database(path: ":memory:")
        var limits = StateStore.Limits()
        limits.journalRecordsMax = 2
        let store = try StateStore(
            database: database, suite: Self.suite, expectedRoot: nil, limits: limits)
        for number in 0..<UInt64(30) {
            try Self.commit(store, database, [(Self.key(number), [UInt8(number)])])
        }
        let root = store.root
        let changes: [Change] = [(Self.key(5), [9, 9])]
        let layer = MapOverlay(base: store).applying(
            changes.map {
                MapChange($0, suite: Self.suite)
            }
        ).layers[0]
        try database.begin()
        try store.commit(layer, changes: changes)
        try database.rollback()
        let again = try StateStore(
            database: database, suite: Self.suite, expectedRoot: root, limits: limits)
        #expect(again.value(for: Self.key(5)) == [5])
    }

    /// Any damage to a row is noticed at opening or at the read, never answered.
    @Test func damageIsNoticed() throws {
        let database = try Database(path: ":memory:")
        let store = try StateStore(database: database, suite: Self.suite, expectedRoot: nil)
        let changes: [Change] = (0..<UInt64(40)).map { (Self.key($0), [UInt8($0), 1, 2, 3]) }
            .sorted { $0.0 < $1.0 }
        try Self.commit(store, database, changes)
        try database.transaction(convert: StateStoreError.database) {
            () throws(StateStoreError) in try store.flush()
        }
        let root = store.root
        func damaged(_ sql: String) throws -> Bool {
            try database.begin()
            defer { try? database.rollback() }
            try database.execute(sql)
            do {
                let opened = try StateStore(
                    database: database, suite: Self.suite, expectedRoot: root)
                for (key, value) in changes where opened.value(for: key) != value {
                    return opened.failure != nil
                }
                return false
            } catch {
                return true
            }
        }
        let some = "WHERE id = (SELECT max(id) FROM state_bucket)"
        let sqls = [
            "DELETE FROM state_bucket \(some)",
            "UPDATE state_bucket SET depth = depth + 1 \(some)",
            "UPDATE state_bucket SET depth = 99 \(some)",
            "UPDATE state_bucket SET leaves = substr(leaves, 1, length(leaves) - 1) \(some)",
            "UPDATE state_bucket SET leaves = substr(leaves, 65) \(some)",
            "UPDATE state_bucket SET leaves = zeroblob(length(leaves)) \(some)",
            "UPDATE state_bucket SET payload = substr(payload, 2) \(some)",
            "UPDATE state_bucket SET payload = zeroblob(length(payload)) \(some)",
            "UPDATE state_bucket SET payload = substr(payload, 1, length(payload)-1) || x'ff' \(some)",
            "INSERT INTO state_journal VALUES(1, x'00')",
        ]
        for sql in sqls { #expect(try damaged(sql), "\(sql)") }
        #expect(try !damaged("SELECT 1"))
        #expect(
            throws: StateStoreError.wrongRoot(expected: .zero, found: root)
        ) { try StateStore(database: database, suite: Self.suite, expectedRoot: .zero) }
    }

    /// A failed read answers nothing and says so.
    @Test func failedReadsLatch() throws {
        let database = try Database(path: ":memory:")
        let store = try StateStore(database: database, suite: Self.suite, expectedRoot: nil)
        try Self.commit(store, database, [(Self.key(1), [1])])
        try database.transaction(convert: StateStoreError.database) {
            () throws(StateStoreError) in try store.flush()
        }
        var limits = StateStore.Limits()
        limits.cacheBytesMax = 0
        let again = try StateStore(
            database: database, suite: Self.suite, expectedRoot: store.root, limits: limits)
        try database.execute("DELETE FROM state_bucket")
        #expect(again.value(for: Self.key(1)) == nil)
        #expect(again.failure != nil)
        #expect(throws: StateStoreError.self) {
            try Self.commit(again, database, [(Self.key(3), [3])])
        }
        try database.rollback()
    }

    /// A key that every block changes must not keep the whole journal.
    @Test(arguments: [(5, 1 << 20), (1_000, 3_000)])
    func journalStaysBounded(records: Int, bytes: Int) throws {
        let database = try Database(path: ":memory:")
        var limits = StateStore.Limits()
        limits.journalRecordsMax = records
        limits.journalBytesMax = bytes
        let store = try StateStore(
            database: database, suite: Self.suite, expectedRoot: nil, limits: limits)
        for number in 0..<UInt64(60) {
            let value = [UInt8](repeating: UInt8(number), count: 300)
            let changes: [Change] = [(Self.key(1), value), (Self.key(100 + number), value)]
            try Self.commit(store, database, changes.sorted { $0.key < $1.key })
            let sizes = try database.prepare(
                "SELECT count(*), sum(length(changes)) FROM state_journal")
            #expect(try sizes.step())
            #expect(sizes.integer(0) <= Int64(records))
            #expect(sizes.integer(1) <= Int64(bytes))
        }
    }

    @Test func journalIsReadStrictly() {
        let changes: [Change] = [(.zero, [1, 2]), (Self.key(1), nil), (Self.key(4), [])]
            .sorted { $0.key < $1.key }
        let bytes = StateJournal.encode(changes)
        let decoded = bytes.withUnsafeBytes { StateJournal.decode($0) }
        #expect(decoded?.map(\.key) == changes.map(\.key))
        #expect(decoded?.map(\.value) == changes.map(\.value))
        let ends = Set([0, 38, 74, bytes.count])
        for count in 0...bytes.count {
            let cut = bytes[..<count].withUnsafeBytes { StateJournal.decode($0) }
            #expect((cut != nil) == ends.contains(count))
        }
        let doubled = (bytes + bytes).withUnsafeBytes { StateJournal.decode($0) }
        #expect(doubled == nil)
    }
}
