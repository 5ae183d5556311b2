import Glibc
import Ledger
import LedgerCrypto
import SQLite

/// A copy of the final chain and its state for safekeeping, made beside a running node. It holds no vote state: no votes, no
/// certificates that explain them, no blocks that are not final, not the store's id and no starts of keys. So a node that
/// starts from it is another store, and its voting key does not vote from it (`VoteBinding`).
public enum LedgerBackup {
    /// Writes `ledger.db` into a folder that has none.
    ///
    /// A crash leaves `ledger.db.new` at most, which the next one replaces.
    ///
    /// - Parameters:
    ///   - path: of the store's `ledger.db`; another process may have it open.
    ///   - folder: exists, or is created.
    /// - Returns: the height of the copy.
    public static func write(
        of path: String, chain: ChainID, to folder: String
    ) throws(StorageError) -> UInt64 {
        let isMade = mkdir(folder, 0o700) == 0
        guard isMade ? sync(folder + "/..") : errno == EEXIST else {
            throw .cannotOpen(path: folder, reason: String(cString: strerror(errno)))
        }
        // Two at once would work on one another's files.
        let lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else {
            throw .cannotOpen(path: folder, reason: String(cString: strerror(errno)))
        }
        defer { close(lock) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { throw .inUse(path: folder) }
        let target = folder + "/" + LedgerSchema.fileName
        guard access(target, F_OK) != 0 else {
            throw .cannotOpen(path: target, reason: "there is a ledger already")
        }
        let new = target + ".new"
        unlink(new)
        let source: Database
        do throws(SQLiteError) {
            source = try Database(path: path, access: .readOnly)
            try source.setBusyTimeout(milliseconds: 5_000)
            guard try check(source, chain) else { throw damaged("it is empty") }
        } catch {
            throw failed(error, path)
        }
        let height: UInt64
        do throws(SQLiteError) {
            // One statement, hence one moment of the chain.
            let copy = try source.prepare("VACUUM INTO ?1", isKept: false)
            try copy.bind(1, new)
            try copy.run()
            height = try strip(new)
        } catch {
            unlink(new)
            throw failed(error, new)
        }
        guard rename(new, target) == 0, sync(folder) else {
            throw .cannotOpen(path: target, reason: String(cString: strerror(errno)))
        }
        return height
    }

    private static func failed(_ error: SQLiteError, _ path: String) -> StorageError {
        error.code == 14
            ? .cannotOpen(path: path, reason: error.message) : StorageError(error, path: path)
    }

    /// Whether that folder has a ledger of this chain that ends with this header.
    public static func holds(
        _ header: Header, in folder: String, suite: Suite
    ) -> Bool {
        let path = folder + "/" + LedgerSchema.fileName
        guard access(path, F_OK) == 0,
            let database = try? Database(path: path, access: .readOnly),
            (try? LedgerSchema.check(database, chain: header.chain)) == true,
            let watermark = try? LedgerTables(database, suite: suite).watermark()
        else { return false }
        return watermark.header == header.digest(suite)
    }

    private static func check(_ source: Database, _ chain: ChainID) throws(SQLiteError) -> Bool {
        do throws(StorageError) {
            return try LedgerSchema.check(source, chain: chain)
        } catch {
            throw damaged(error.english)
        }
    }

    /// Takes the vote state out; the transaction's end syncs the whole file.
    private static func strip(_ path: String) throws(SQLiteError) -> UInt64 {
        let database = try Database(path: path, access: .readWrite)
        try database.setPragma("synchronous", "FULL")
        let select = try database.prepare("SELECT max(height) FROM block", isKept: false)
        guard try select.step() else { throw damaged("it holds no block") }
        let height = select.unsigned(0)
        select.reset()
        try database.transaction { () throws(SQLiteError) in
            try database.execute(
                """
                DELETE FROM vote;
                DELETE FROM certificate;
                DELETE FROM body WHERE id NOT IN (SELECT body FROM block);
                DELETE FROM meta WHERE name IN ('store', 'votes')
                    OR name LIKE 'starts/%' OR name LIKE 'bound/%' OR name LIKE 'forgotten/%';
                """)
        }
        return height
    }

    private static func sync(_ folder: String) -> Bool {
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return false }
        defer { close(directory) }
        return fsync(directory) == 0
    }
}
