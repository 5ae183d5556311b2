import Glibc
import Ledger
import LedgerCrypto
import SQLite

/// The ledger's file: `ledger.db` in the node's data folder.
///
/// Everything that grows is a rowid table that is appended to; nothing has a random key but the
/// state's few changed buckets (facts.md: random 32-byte keys cost twenty times as much).
enum LedgerSchema {
    static let fileName = "ledger.db"
    /// "HJin": tells our files from other SQLite files.
    static let applicationID: Int64 = 0x484A_696E
    static let version: Int64 = 5

    // body: block bodies in the order they were stored, by a notarize vote or by a commit.
    // block: final blocks. codes is NULL when all entries were accepted; finalization as in CertificateRow.
    // vote: own statements above the finalized view, before they are signed.
    // certificate: the notarizations that permitted the finalize votes among them, as in CertificateRow.
    // epoch: from epoch 1 on, the set of each and the height of the block that made it, the last one before the epoch.
    // tile: 256 node hashes of the chain's log at a level that is a multiple of 8.
    // event, asset_text: rowid = height * 2^20 + position, so that a block's rows are a range.
    static let tables = """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
        CREATE TABLE body (
            id INTEGER PRIMARY KEY, height INTEGER NOT NULL, header BLOB NOT NULL,
            bytes BLOB NOT NULL) STRICT;
        CREATE TABLE block (
            height INTEGER PRIMARY KEY, body INTEGER NOT NULL, finalization BLOB, codes BLOB)
            STRICT;
        CREATE TABLE vote (
            id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, view INTEGER NOT NULL,
            kind INTEGER NOT NULL, statement BLOB NOT NULL, UNIQUE (epoch, view, kind)) STRICT;
        CREATE TABLE certificate (
            id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, view INTEGER NOT NULL,
            kind INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE (epoch, view, kind)) STRICT;
        CREATE TABLE epoch (
            epoch INTEGER PRIMARY KEY, height INTEGER NOT NULL, validators BLOB NOT NULL) STRICT;
        CREATE TABLE tile (id INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;
        CREATE TABLE event (
            id INTEGER PRIMARY KEY, asset BLOB NOT NULL, log INTEGER NOT NULL,
            position INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
        CREATE TABLE asset_text (
            id INTEGER PRIMARY KEY, asset BLOB NOT NULL, title_zh TEXT NOT NULL,
            title_en TEXT NOT NULL, keywords TEXT NOT NULL) STRICT;
        """

    // skipped_view: the nullifications of views that final blocks have passed, as in CertificateRow; rowid = epoch * 2^40 + view.
    /// What this version has got since; a store that was made without it gets it when it is opened. No other table is made
    /// then: one that is missing is damage.
    static let addedTables = """
        CREATE TABLE IF NOT EXISTS skipped_view (
            id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        """

    /// Whether the file has our tables; false for a new file.
    static func check(
        _ database: Database, chain: ChainID
    ) throws(StorageError) -> Bool {
        let path = database.path
        let identity: (application: Int64, version: Int64, tables: Int64, chain: Digest?)
        do throws(SQLiteError) {
            identity = try read(database)
        } catch {
            throw error.code == 26
                ? .notALedger(path: path) : StorageError(error, path: path)
        }
        if identity.application == 0, identity.tables == 0 { return false }
        guard identity.application == applicationID else { throw .notALedger(path: path) }
        guard identity.version == version else {
            throw .wrongSchema(path: path, found: identity.version, expected: version)
        }
        guard let found = identity.chain else {
            throw .damaged(path: path, reason: "the chain id is missing")
        }
        guard found == chain else {
            throw .wrongGenesis(path: path, found: found.hex, expected: chain.hex)
        }
        return true
    }

    private static func read(
        _ database: Database
    ) throws(SQLiteError) -> (Int64, Int64, Int64, Digest?) {
        let application = Int64(try database.pragma("application_id") ?? "") ?? -1
        let version = Int64(try database.pragma("user_version") ?? "") ?? -1
        let count = try database.prepare("SELECT count(*) FROM sqlite_schema", isKept: false)
        let tables = try count.step() ? count.integer(0) : 0
        guard application == applicationID else { return (application, version, tables, nil) }
        let chain = try database.prepare(
            "SELECT value FROM meta WHERE name = 'chain'", isKept: false)
        return (application, version, tables, try chain.step() ? chain.digest(0) : nil)
    }

    /// Creates the tables, inside the caller's transaction.
    static func create(_ database: Database, chain: ChainID) throws(SQLiteError) {
        try database.execute(tables)
        try database.execute(addedTables)
        try database.setPragma("application_id", "\(applicationID)")
        try database.setPragma("user_version", "\(version)")
        let insert = try database.prepare(
            "INSERT INTO meta (name, value) VALUES ('chain', ?1)", isKept: false)
        try insert.bind(1, chain)
        try insert.run()
    }
}

/// Keeps a second node out of a data folder: two nodes with one voting key would equivocate.
///
/// The lock is SQLite's own on an otherwise empty file, so it ends with the process however it
/// ends, and holds against another store in this process too.
final class FolderLock {
    private let database: Database

    /// - Parameter vfs: a registered SQLite VFS in whose own folders the files are.
    init(folder: String, vfs: String?) throws(StorageError) {
        guard vfs != nil || mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw .cannotOpen(path: folder, reason: String(cString: strerror(errno)))
        }
        let path = folder + "/ledger.lock"
        do throws(SQLiteError) {
            database = try Database(path: path, vfs: vfs)
            try database.setBusyTimeout(milliseconds: 0)
            try database.execute("BEGIN EXCLUSIVE")
        } catch {
            if error.isBusy { throw .inUse(path: folder) }
            if error.code == 14 { throw .cannotOpen(path: path, reason: error.message) }
            throw StorageError(error, path: path)
        }
    }
}

extension Statement {
    func bind(_ index: Int, _ digest: Digest) throws(SQLiteError) {
        try digest.withBytes { (bytes) throws(SQLiteError) in try bind(index, bytes) }
    }

    func bind(_ index: Int, _ number: UInt64) throws(SQLiteError) {
        guard let number = Int64(exactly: number) else {
            throw SQLiteError(extendedCode: 20, message: "\(number) is beyond SQLite's integers")
        }
        try bind(index, number)
    }

    /// Nil unless the column has 32 bytes.
    func digest(_ column: Int) -> Digest? {
        withBytes(column) { Digest(bytes: $0) }
    }

    func unsigned(_ column: Int) -> UInt64 { UInt64(clamping: integer(column)) }
}
