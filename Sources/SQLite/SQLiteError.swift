import CSQLite

/// A call to SQLite that failed.
public struct SQLiteError: Error, Equatable, Sendable {
    /// The primary result code, such as 13 for SQLITE_FULL.
    public let code: Int32
    /// The extended result code, such as 778 for SQLITE_IOERR_WRITE.
    public let extendedCode: Int32
    /// SQLite's own words, in English.
    public let message: String
    /// The statement, empty where there is none. It may hold names from outside, never bound values.
    public let sql: String
    private let systemError: Int32

    public init(extendedCode: Int32, message: String, sql: String = "", systemError: Int32 = 0) {
        code = extendedCode & 0xFF
        self.extendedCode = extendedCode
        self.message = message
        self.sql = sql
        self.systemError = systemError
    }

    /// There is no room left to write: the disk, a quota or the database's own page limit.
    public var isFull: Bool { csqlite_is_full(extendedCode, systemError) != 0 }

    /// Another connection holds a lock for longer than the busy timeout.
    public var isBusy: Bool { code == SQLITE_BUSY || code == SQLITE_LOCKED }

    /// `Interrupter.interrupt()`, a step budget or a progress handler stopped the statement.
    public var isInterrupted: Bool { code == SQLITE_INTERRUPT }

    /// The authorizer refused the statement.
    public var isDenied: Bool {
        // A refused function is a plain SQLITE_ERROR that says so.
        code == SQLITE_AUTH || code == SQLITE_ERROR && message.hasPrefix("not authorized")
    }

    /// A UNIQUE, CHECK, NOT NULL, foreign key or other constraint failed.
    public var isConstraint: Bool { code == SQLITE_CONSTRAINT }

    /// The file is not a database, or is damaged.
    public var isCorrupt: Bool { code == SQLITE_CORRUPT || code == SQLITE_NOTADB }
}

extension SQLiteError: CustomStringConvertible {
    public var description: String {
        let statement = sql.isEmpty ? "" : " [\(sql)]"
        return "SQLite \(extendedCode): \(message)\(statement) / 数据库错误 \(extendedCode)：\(message)"
    }
}
