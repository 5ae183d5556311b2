import CSQLite

/// One connection to a SQLite file.
///
/// **Threads.** A connection and its statements belong to one thread at a time: they are opened
/// without SQLite's own mutex and are not `Sendable`. A connection may be handed over to another
/// thread as a whole (`sending`), with its statements, when nothing else uses it. Only
/// `Interrupter` may be used from any thread, at any time. Several connections to one file are the
/// way to read in parallel (WAL). None of these calls may run on the cooperative thread pool where
/// they write: a commit waits for the disk.
///
/// Statements keep their connection open; it closes when the last of them is gone.
public final class Database {
    /// How a file is opened.
    public enum Access: Sendable {
        case readOnly
        /// The file must exist.
        case readWrite
        case readWriteCreate
    }

    public let path: String
    public let interrupter: Interrupter
    let handle: OpaquePointer
    var authorizer: AuthorizerBox?
    var progress: ProgressBox?

    /// - Parameters:
    ///   - path: a file, or ":memory:" for a database of this connection alone. Never a URI.
    ///   - vfs: the name of a registered VFS, `nil` for the default one.
    public init(
        path: String, access: Access = .readWriteCreate, vfs: String? = nil
    ) throws(SQLiteError) {
        let mode =
            switch access {
            case .readOnly: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE
            case .readWriteCreate: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        var opened: OpaquePointer?
        let flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let result = sqlite3_open_v2(path, &opened, flags, vfs)
        guard result == SQLITE_OK, let opened else {
            // A handle comes even with an error, unless memory ran out.
            let error = SQLiteError(
                extendedCode: result, message: Self.message(opened, result), sql: "open \(path)",
                systemError: opened.map { sqlite3_system_errno($0) } ?? 0)
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        self.path = path
        interrupter = Interrupter(opened)
    }

    deinit {
        interrupter.close()
        sqlite3_close_v2(handle)
    }

    // MARK: Running

    /// Runs one or more statements that return nothing of interest.
    public func execute(_ sql: String) throws(SQLiteError) {
        let result = sqlite3_exec(handle, sql, nil, nil, nil)
        guard result == SQLITE_OK else { throw error(result, sql) }
    }

    /// Compiles exactly one statement.
    ///
    /// - Parameter isKept: the statement is used many times, so SQLite may spend more on it.
    public func prepare(_ sql: String, isKept: Bool = true) throws(SQLiteError) -> Statement {
        try Statement(self, sql, isKept: isKept)
    }

    /// Rows that the latest INSERT, UPDATE or DELETE changed.
    public var changes: Int { Int(sqlite3_changes64(handle)) }

    /// The row id of the latest INSERT into a rowid table.
    public var lastInsertRowID: Int64 { sqlite3_last_insert_rowid(handle) }

    /// Whether a transaction is open.
    public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    // MARK: Settings

    /// How long a statement waits for another connection's lock, in milliseconds.
    public func setBusyTimeout(milliseconds: Int32) throws(SQLiteError) {
        let result = sqlite3_busy_timeout(handle, milliseconds)
        guard result == SQLITE_OK else { throw error(result, "") }
    }

    /// The value of a pragma, as text; `nil` where it returns no row.
    ///
    /// - Parameter name: letters, digits and underscores; ours, never input.
    public func pragma(_ name: String) throws(SQLiteError) -> String? {
        precondition(Self.isPlain(name), "a pragma's name is letters, digits and underscores")
        let statement = try prepare("PRAGMA \(name)", isKept: false)
        return try statement.step() ? statement.text(0) : nil
    }

    /// Sets a pragma.
    ///
    /// - Returns: the value that SQLite answers with, which may differ from the one asked for:
    ///   check it where it matters, as for `journal_mode`.
    @discardableResult
    public func setPragma(_ name: String, _ value: String) throws(SQLiteError) -> String? {
        precondition(Self.isPlain(name) && Self.isPlain(value), "a pragma is plain words")
        let statement = try prepare("PRAGMA \(name)=\(value)", isKept: false)
        return try statement.step() ? statement.text(0) : nil
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// A run-time limit of the connection.
    public enum Limit: Int32, Sendable {
        case rowBytes = 0
        case statementBytes = 1
        case columns = 2
        case expressionDepth = 3
        case compoundSelects = 4
        case virtualMachineOperations = 5
        case functionArguments = 6
        case attachedDatabases = 7
        case likePatternBytes = 8
        case variables = 9
        case triggerDepth = 10
        case workerThreads = 11
    }

    /// Lowers or raises a limit, at most to what SQLite was compiled with.
    ///
    /// - Returns: the limit before.
    @discardableResult
    public func setLimit(_ limit: Limit, _ value: Int32) -> Int32 {
        sqlite3_limit(handle, limit.rawValue, value)
    }

    /// Makes the connection fit for statements of strangers: they cannot write shadow tables or
    /// `sqlite_schema`, call unsafe functions from the schema, load extensions, attach files or
    /// make double-quoted names into strings.
    public func harden() throws(SQLiteError) {
        let switches: [(option: Int32, isOn: Int32)] = [
            (SQLITE_DBCONFIG_DEFENSIVE, 1), (SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
            (SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0), (SQLITE_DBCONFIG_DQS_DML, 0),
            (SQLITE_DBCONFIG_DQS_DDL, 0), (SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0),
        ]
        for (option, isOn) in switches {
            var state: Int32 = -1
            let result = csqlite_db_config(handle, option, isOn, &state)
            guard result == SQLITE_OK, state == isOn else { throw error(result, "harden") }
        }
        setLimit(.attachedDatabases, 0)
    }

    /// The most memory SQLite may use in this process, in bytes; 0 for no limit. Allocations beyond
    /// it fail with SQLITE_NOMEM.
    public static func setHeapLimit(bytes: Int64) {
        sqlite3_hard_heap_limit64(bytes)
    }

    /// How far a checkpoint goes.
    public enum Checkpoint: Sendable {
        /// As many frames as readers allow, waiting for nobody.
        case passive
        /// All frames; then the WAL file is cut to 0 bytes.
        case truncate
    }

    /// Copies the write-ahead log into the database file.
    public func checkpoint(_ mode: Checkpoint) throws(SQLiteError) {
        let mode = mode == .passive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE
        let result = sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, nil)
        guard result == SQLITE_OK else { throw error(result, "checkpoint") }
    }

    // MARK: Errors

    func error(_ result: Int32, _ sql: String) -> SQLiteError {
        SQLiteError(
            extendedCode: result, message: Self.message(handle, result), sql: sql,
            systemError: sqlite3_system_errno(handle))
    }

    private static func message(_ handle: OpaquePointer?, _ result: Int32) -> String {
        if let handle, sqlite3_extended_errcode(handle) == result,
            let message = sqlite3_errmsg(handle)
        {
            return String(cString: message)
        }
        return sqlite3_errstr(result).map { String(cString: $0) } ?? "unknown error"
    }
}
