import LedgerCrypto
import Merkle
import SQLite

/// The state's two tables.
final class StateRows {
    private let database: Database
    private let suite: Suite
    private let selectBucket: Statement
    private let insertBucket: Statement
    private let deleteBucket: Statement
    private let insertRecord: Statement
    private let deleteRecords: Statement

    private static let schema = """
        CREATE TABLE IF NOT EXISTS state_bucket (
            id INTEGER PRIMARY KEY, depth INTEGER NOT NULL,
            leaves BLOB NOT NULL, payload BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS state_journal (
            sequence INTEGER PRIMARY KEY, changes BLOB NOT NULL);
        """

    init(_ database: Database, suite: Suite) throws(StateStoreError) {
        self.database = database
        self.suite = suite
        func prepare(_ text: String) throws(StateStoreError) -> Statement {
            try sql { () throws(SQLiteError) in try database.prepare(text) }
        }
        try sql { () throws(SQLiteError) in try database.execute(Self.schema) }
        selectBucket = try prepare("SELECT leaves, payload FROM state_bucket WHERE id = ?1")
        insertBucket = try prepare(
            """
            INSERT OR REPLACE INTO state_bucket(id, depth, leaves, payload)
            VALUES(?1, ?2, ?3, ?4)
            """)
        deleteBucket = try prepare("DELETE FROM state_bucket WHERE id = ?1")
        insertRecord = try prepare("INSERT INTO state_journal(sequence, changes) VALUES(?1, ?2)")
        deleteRecords = try prepare("DELETE FROM state_journal WHERE sequence < ?1")
    }

    /// Every stored bucket, without values, in row order; nil leaves for a row that is cut off.
    func forEachBucket(
        _ body: (_ id: Int64, _ depth: Int, _ leaves: [HashedLeaf]?) throws(StateStoreError) -> Void
    ) throws(StateStoreError) {
        let rows = try sql { () throws(SQLiteError) in
            try database.prepare("SELECT id, depth, leaves FROM state_bucket", isKept: false)
        }
        while try sql({ () throws(SQLiteError) in try rows.step() }) {
            let leaves = rows.withBytes(2) { StateBucket.leaves(from: $0, suite: suite) }
            try body(rows.integer(0), Int(clamping: rows.integer(1)), leaves)
        }
    }

    /// Every journal record, oldest first; nil changes for one that is cut off.
    func forEachRecord(
        _ body: (
            _ sequence: Int64, _ byteCount: Int, _ changes: [(key: Digest, value: [UInt8]?)]?
        ) throws(StateStoreError) -> Void
    ) throws(StateStoreError) {
        let rows = try sql { () throws(SQLiteError) in
            try database.prepare(
                "SELECT sequence, changes FROM state_journal ORDER BY sequence", isKept: false)
        }
        while try sql({ () throws(SQLiteError) in try rows.step() }) {
            let (byteCount, changes) = rows.withBytes(1) { ($0.count, StateJournal.decode($0)) }
            try body(rows.integer(0), byteCount, changes)
        }
    }

    func bucket(_ id: UInt32) throws(StateStoreError) -> StateBucket {
        let bucket = try sql { () throws(SQLiteError) in
            try selectBucket.bind(1, Int64(id))
            guard try selectBucket.step() else { return StateBucket?.none }
            defer { selectBucket.reset() }
            guard
                let leaves = selectBucket.withBytes(
                    0, { StateBucket.leaves(from: $0, suite: suite) })
            else {
                return nil
            }
            return selectBucket.withBytes(1) { StateBucket(leaves: leaves, payload: $0) }
        }
        guard let bucket else {
            throw .damaged(bucket: Int64(id), "its row is missing or cut off")
        }
        return bucket
    }

    func insertBucket(
        _ id: UInt32, _ depth: Int, _ bucket: StateBucket
    ) throws(StateStoreError) {
        try sql { () throws(SQLiteError) in
            try insertBucket.bind(1, Int64(id))
            try insertBucket.bind(2, Int64(depth))
            try insertBucket.bind(3, bucket.leafColumn)
            try insertBucket.bind(4, bucket.payload)
            try insertBucket.run()
        }
    }

    func deleteBucket(_ id: UInt32) throws(StateStoreError) {
        try sql { () throws(SQLiteError) in
            try deleteBucket.bind(1, Int64(id))
            try deleteBucket.run()
        }
    }

    func insertRecord(_ sequence: Int64, _ changes: [UInt8]) throws(StateStoreError) {
        try sql { () throws(SQLiteError) in
            try insertRecord.bind(1, sequence)
            try insertRecord.bind(2, changes)
            try insertRecord.run()
            insertRecord.clearParameters()
        }
    }

    func deleteRecords(before sequence: Int64) throws(StateStoreError) {
        try sql { () throws(SQLiteError) in
            try deleteRecords.bind(1, sequence)
            try deleteRecords.run()
        }
    }
}

/// Runs SQLite calls with their error as the store's.
private func sql<Value>(
    _ body: () throws(SQLiteError) -> Value
) throws(StateStoreError) -> Value {
    do throws(SQLiteError) { return try body() } catch { throw .database(error) }
}
