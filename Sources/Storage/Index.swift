import Encoding
import Ledger
import LedgerCrypto
import SQLite

/// Finds entries by transaction id and envelope digest, events by asset, refusals by member, and
/// assets by words. A file of its own (`index.db`), behind the ledger by a few blocks, and
/// rebuildable from it: delete the file, and `follow` fills a new one.
///
/// It is not durable step by step: a crash may lose its latest blocks, and then `height` says how
/// far it is, since blocks and height are written together.
///
/// Ids are kept as their first 64 bits: random 32-byte keys cost twenty times what appending does
/// (facts.md). Whoever looks one up compares the whole id with the block's bytes, as
/// `StoreReader.find` does, so that entries crafted to share 64 bits mislead nobody.
///
/// **Threads**: one at a time each; open one to write and as many read-only ones as needed.
public final class Index {
    public static let fileName = "index.db"
    static let applicationID: Int64 = 0x484A_6978
    static let version: Int64 = 1
    private static let foreign = SQLiteError(
        extendedCode: 1, message: "a database of something else")

    public let path: String
    /// The block up to which everything is indexed; nil for an empty index.
    public private(set) var height: UInt64?

    let database: Database
    private let selectMeta: Statement
    private let selectTransaction: Statement
    private let selectDigest: Statement
    private let selectAsset: Statement
    private let selectEvents: Statement
    private let selectRefusals: Statement
    private let writes: IndexWrites?

    static let tables = """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
        CREATE TABLE by_transaction (
            prefix INTEGER, location INTEGER, PRIMARY KEY (prefix, location))
            WITHOUT ROWID, STRICT;
        CREATE TABLE by_digest (
            prefix INTEGER, location INTEGER, PRIMARY KEY (prefix, location))
            WITHOUT ROWID, STRICT;
        CREATE TABLE asset (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE) STRICT;
        CREATE TABLE event (
            asset INTEGER, log INTEGER, position INTEGER, location INTEGER NOT NULL,
            PRIMARY KEY (asset, log, position)) WITHOUT ROWID, STRICT;
        CREATE TABLE refusal (
            member TEXT, location INTEGER, code INTEGER NOT NULL,
            PRIMARY KEY (member, location)) WITHOUT ROWID, STRICT;
        CREATE VIRTUAL TABLE words USING fts5(
            title_zh, title_en, keywords, tokenize = 'trigram');
        """

    /// - Parameters:
    ///   - path: of `index.db`.
    ///   - isReadOnly: for look-ups beside the one that writes; the file must exist.
    public init(path: String, chain: ChainID, isReadOnly: Bool = false) throws(StorageError) {
        self.path = path
        do throws(SQLiteError) {
            database = try Database(path: path, access: isReadOnly ? .readOnly : .readWriteCreate)
            try database.setBusyTimeout(milliseconds: 5_000)
            if !isReadOnly {
                try database.setPragma("journal_mode", "wal")
                // A power cut may lose blocks here, never consistency; `follow` adds them again.
                try database.setPragma("synchronous", "NORMAL")
                // Ids fall anywhere in their trees: pages in memory, and rarely copied from the
                // log to the file, are what makes adding them cheap.
                try database.setPragma("cache_size", "-32768")
                try database.setPragma("wal_autocheckpoint", "8192")
                guard try Self.prepare(database, chain) else { throw Self.foreign }
            }
            selectMeta = try database.prepare("SELECT value FROM meta WHERE name = ?1")
            selectTransaction = try database.prepare(
                "SELECT location FROM by_transaction WHERE prefix = ?1")
            selectDigest = try database.prepare(
                "SELECT location FROM by_digest WHERE prefix = ?1")
            selectAsset = try database.prepare("SELECT id FROM asset WHERE digest = ?1")
            selectEvents = try database.prepare(
                """
                SELECT location FROM event
                WHERE asset = ?1 AND log = ?2 AND position >= ?3 ORDER BY position LIMIT ?4
                """)
            selectRefusals = try database.prepare(
                """
                SELECT location, code FROM refusal
                WHERE member = ?1 AND location < ?2 ORDER BY location DESC LIMIT ?3
                """)
            writes = isReadOnly ? nil : try IndexWrites(database)
        } catch {
            if error == Self.foreign { throw .notALedger(path: path) }
            throw error.code == 14
                ? .cannotOpen(path: path, reason: error.message) : StorageError(error, path: path)
        }
        try refresh()
        guard try meta("chain") == chain.bytes else {
            throw .wrongGenesis(path: path, found: "another", expected: chain.hex)
        }
    }

    /// Makes the tables, anew where the file is of another version or of another chain: nothing in
    /// it is worth more than the time to rebuild it.
    ///
    /// - Returns: false where the file is a database of something else, which is left alone.
    private static func prepare(
        _ database: Database, _ chain: ChainID
    ) throws(SQLiteError) -> Bool {
        let application = Int64(try database.pragma("application_id") ?? "")
        let version = Int64(try database.pragma("user_version") ?? "")
        let count = try database.prepare("SELECT count(*) FROM sqlite_schema", isKept: false)
        let isNew = try count.step() && count.integer(0) == 0
        count.reset()
        guard isNew || application == applicationID else { return false }
        try database.transaction { () throws(SQLiteError) in
            if !isNew {
                let known = version == Self.version
                if known, try chainID(database) == chain.bytes { return }
                for table in ["meta"] + contents {
                    try database.execute("DROP TABLE IF EXISTS \(table)")
                }
            }
            try database.execute(tables)
            try database.setPragma("application_id", "\(applicationID)")
            try database.setPragma("user_version", "\(Self.version)")
            let insert = try database.prepare(
                "INSERT INTO meta (name, value) VALUES ('chain', ?1)", isKept: false)
            try insert.bind(1, chain)
            try insert.run()
        }
        return true
    }

    private static let contents = [
        "by_transaction", "by_digest", "asset", "event", "refusal", "words",
    ]

    /// The snapshot with which the index began; nil for one that began with genesis.
    private func joinedHeight() throws(StorageError) -> UInt64? {
        try meta("joined").flatMap { try? UInt64.decode($0) }
    }

    /// Empties the index, in one step, to begin at a snapshot's first block.
    private func restart(joinedAt joined: UInt64) throws(StorageError) {
        guard let writes else { preconditionFailure("a read-only index is not added to") }
        try run { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in
                for table in Self.contents { try database.execute("DELETE FROM \(table)") }
                try database.execute("DELETE FROM meta WHERE name = 'height'")
                try writes.setMeta("joined", joined)
            }
        }
        height = nil
    }

    private static func chainID(_ database: Database) throws(SQLiteError) -> [UInt8]? {
        let select = try database.prepare(
            "SELECT value FROM meta WHERE name = 'chain'", isKept: false)
        return try select.step() ? select.bytes(0) : nil
    }

    private func meta(_ name: String) throws(StorageError) -> [UInt8]? {
        try run { () throws(SQLiteError) in
            try selectMeta.bind(1, name)
            defer { selectMeta.reset() }
            return try selectMeta.step() ? selectMeta.bytes(0) : nil
        }
    }

    /// Reads `height` again, which another connection may have moved on.
    public func refresh() throws(StorageError) {
        height = try meta("height").flatMap { try? UInt64.decode($0) }
    }

    // MARK: Adding

    /// Adds blocks in one step. Blocks that are indexed already are left out.
    ///
    /// - Precondition: without those, consecutive heights from the next one on; an empty index begins where they do.
    public func add(_ batches: [IndexBatch]) throws(StorageError) {
        guard let writes else { preconditionFailure("a read-only index is not added to") }
        var next = height.map { $0 + 1 } ?? batches.first?.height ?? 0
        let start = next
        try run { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in
                for batch in batches where batch.height >= start {
                    precondition(batch.height == next, "index batches follow one another")
                    try writes.add(batch)
                    next += 1
                }
                if next > start { try writes.setHeight(next - 1) }
            }
        }
        if next > start { height = next - 1 }
    }

    /// Blocks added in one step by `follow`.
    private static let followedBlocksMax: UInt64 = 256

    /// Catches up with the ledger from its stored blocks, one step of at most 256 blocks. Begins anew where the store was
    /// filled from a snapshot since: what was found before is not held any more.
    ///
    /// - Returns: whether there is more to do.
    public func follow(_ reader: StoreReader, chain: ChainID) throws(StorageError) -> Bool {
        try reader.refresh()
        if let base = reader.base, try joinedHeight() != base.joinedHeight {
            try restart(joinedAt: base.joinedHeight)
        }
        let next = height.map { $0 + 1 } ?? reader.firstHeight
        guard next <= reader.watermark.height else { return false }
        let last = min(reader.watermark.height, next + Self.followedBlocksMax - 1)
        var batches: [IndexBatch] = []
        for height in next...last {
            guard let batch = try reader.indexBatch(height: height, chain: chain) else {
                throw .damaged(path: reader.path, reason: "block \(height) is missing")
            }
            batches.append(batch)
        }
        try add(batches)
        return last < reader.watermark.height
    }

    // MARK: Looking up

    /// Entries whose transaction id begins like this one; compare the whole id with the entry.
    public func entries(transaction: Digest) throws(StorageError) -> [BlockLocation] {
        try locations(selectTransaction, transaction)
    }

    /// Entries whose digest begins like this one; compare the whole digest with the entry's.
    public func entries(digest: Digest) throws(StorageError) -> [BlockLocation] {
        try locations(selectDigest, digest)
    }

    private func locations(
        _ select: Statement, _ digest: Digest
    ) throws(StorageError) -> [BlockLocation] {
        try run { () throws(SQLiteError) in
            try select.bind(1, IndexWrites.prefix(digest))
            defer { select.reset() }
            var locations: [BlockLocation] = []
            while try select.step() { locations.append(BlockLocation(rowID: select.integer(0))) }
            return locations
        }
    }

    /// Where the events of an asset's log are, in order, from a position on.
    public func events(
        asset: Digest, log: UInt64, from index: UInt64 = 0, countMax: Int
    ) throws(StorageError) -> [BlockLocation] {
        try run { () throws(SQLiteError) in
            try selectAsset.bind(1, asset)
            defer { selectAsset.reset() }
            guard try selectAsset.step() else { return [] }
            try selectEvents.bind(1, selectAsset.integer(0))
            try selectEvents.bind(2, Int64(clamping: log))
            try selectEvents.bind(3, Int64(clamping: index))
            try selectEvents.bind(4, Int64(countMax))
            defer { selectEvents.reset() }
            var locations: [BlockLocation] = []
            while try selectEvents.step() {
                locations.append(BlockLocation(rowID: selectEvents.integer(0)))
            }
            return locations
        }
    }

    /// A member's refused entries, newest first.
    ///
    /// - Parameter before: only those before this location, for the next page.
    public func refusals(
        member: MemberID, before: BlockLocation? = nil, countMax: Int
    ) throws(StorageError) -> [(location: BlockLocation, code: UInt64)] {
        try run { () throws(SQLiteError) in
            try selectRefusals.bind(1, member.text)
            try selectRefusals.bind(2, before?.rowID ?? .max)
            try selectRefusals.bind(3, Int64(countMax))
            defer { selectRefusals.reset() }
            var refusals: [(BlockLocation, UInt64)] = []
            while try selectRefusals.step() {
                refusals.append(
                    (
                        BlockLocation(rowID: selectRefusals.integer(0)),
                        selectRefusals.unsigned(1)
                    ))
            }
            return refusals
        }
    }

    func run<Value>(
        _ body: () throws(SQLiteError) -> Value
    ) throws(StorageError) -> Value {
        do throws(SQLiteError) { return try body() } catch {
            throw StorageError(error, path: path)
        }
    }
}
