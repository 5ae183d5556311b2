import Encoding
import LedgerCrypto
import SQLite

/// The statements that fill the index, inside a transaction of the caller's.
final class IndexWrites {
    private let database: Database
    private let transaction: Statement
    private let digest: Statement
    private let refusal: Statement
    private let findAsset: Statement
    private let asset: Statement
    private let event: Statement
    private let dropWords: Statement
    private let words: Statement
    private let meta: Statement

    init(_ database: Database) throws(SQLiteError) {
        self.database = database
        transaction = try database.prepare("INSERT INTO by_transaction VALUES (?1, ?2)")
        digest = try database.prepare("INSERT INTO by_digest VALUES (?1, ?2)")
        refusal = try database.prepare("INSERT INTO refusal VALUES (?1, ?2, ?3)")
        findAsset = try database.prepare("SELECT id FROM asset WHERE digest = ?1")
        asset = try database.prepare("INSERT INTO asset (digest) VALUES (?1)")
        event = try database.prepare("INSERT INTO event VALUES (?1, ?2, ?3, ?4)")
        dropWords = try database.prepare("DELETE FROM words WHERE rowid = ?1")
        words = try database.prepare(
            "INSERT INTO words (rowid, title_zh, title_en, keywords) VALUES (?1, ?2, ?3, ?4)")
        meta = try database.prepare(
            "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")
    }

    static func prefix(_ digest: Digest) -> Int64 {
        Int64(bitPattern: digest.prefix(bits: 64))
    }

    func add(_ batch: IndexBatch) throws(SQLiteError) {
        try add(batch.entries, height: batch.height)
        for (position, value) in batch.events.enumerated() {
            try event.bind(1, try assetID(value.asset))
            try event.bind(2, value.log)
            try event.bind(3, value.index)
            try event.bind(4, BlockLocation(height: batch.height, position: position).rowID)
            try event.run()
        }
        for text in batch.texts {
            let id = try assetID(text.asset)
            try dropWords.bind(1, id)
            try dropWords.run()
            try words.bind(1, id)
            try words.bind(2, text.titleZh)
            try words.bind(3, text.titleEn)
            try words.bind(4, text.keywords)
            try words.run()
        }
    }

    private func add(_ entries: [IndexBatch.Entry], height: UInt64) throws(SQLiteError) {
        var transactions: [(prefix: Int64, location: Int64)] = []
        var digests: [(prefix: Int64, location: Int64)] = []
        for (position, entry) in entries.enumerated() {
            let location = BlockLocation(height: height, position: position).rowID
            digests.append((Self.prefix(entry.digest), location))
            if let id = entry.transaction { transactions.append((Self.prefix(id), location)) }
            if entry.code != 0, let member = entry.member {
                try refusal.bind(1, member.text)
                try refusal.bind(2, location)
                try refusal.bind(3, entry.code)
                try refusal.run()
            }
        }
        try insert(transactions, transaction)
        try insert(digests, digest)
    }

    /// In key order, so that neighbours in the tree are written together.
    private func insert(
        _ rows: [(prefix: Int64, location: Int64)], _ statement: Statement
    ) throws(SQLiteError) {
        for row in rows.sorted(by: { $0 < $1 }) {
            try statement.bind(1, row.prefix)
            try statement.bind(2, row.location)
            try statement.run()
        }
    }

    private func assetID(_ digest: Digest) throws(SQLiteError) -> Int64 {
        try findAsset.bind(1, digest)
        defer { findAsset.reset() }
        if try findAsset.step() { return findAsset.integer(0) }
        try asset.bind(1, digest)
        try asset.run()
        return database.lastInsertRowID
    }

    func setHeight(_ height: UInt64) throws(SQLiteError) { try setMeta("height", height) }

    func setMeta(_ name: String, _ number: UInt64) throws(SQLiteError) {
        try meta.bind(1, name)
        try meta.bind(2, number.encoded)
        try meta.run()
    }
}
