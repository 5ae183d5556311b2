import CSQLite

/// A value of SQLite's five storage classes.
public enum SQLiteValue: Equatable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// A compiled statement. It belongs to its connection's thread and keeps the connection open.
///
/// Parameters count from 1, as in SQL; columns from 0. Asking for a column as another type than
/// it has converts as SQLite does.
public final class Statement {
    public let sql: String
    let database: Database
    private let handle: OpaquePointer

    init(_ database: Database, _ sql: String, isKept: Bool) throws(SQLiteError) {
        self.database = database
        self.sql = sql
        // SQLite stops at a NUL byte: what follows it would pass unseen.
        guard !sql.utf8.contains(0) else {
            throw SQLiteError(
                extendedCode: SQLITE_MISUSE, message: "the SQL text contains a NUL", sql: sql)
        }
        let flags = isKept ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
        var text = sql
        var compiled: OpaquePointer?
        let (result, hasMore) = text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { text in
                Self.compile(database.handle, text, flags, &compiled)
            }
        }
        guard result == SQLITE_OK else { throw database.error(result, sql) }
        guard let compiled else {
            throw SQLiteError(
                extendedCode: SQLITE_MISUSE, message: "there is no statement", sql: sql)
        }
        handle = compiled
        if hasMore {
            throw SQLiteError(
                extendedCode: SQLITE_MISUSE, message: "more than one statement", sql: sql)
        }
    }

    /// Compiles the first statement, and says whether anything but white space, semicolons and
    /// comments follows it.
    private static func compile(
        _ database: OpaquePointer, _ text: UnsafeBufferPointer<CChar>, _ flags: UInt32,
        _ compiled: inout OpaquePointer?
    ) -> (result: Int32, hasMore: Bool) {
        guard let start = text.baseAddress else { return (SQLITE_OK, false) }
        var tail: UnsafePointer<CChar>?
        let result = sqlite3_prepare_v3(
            database, start, Int32(clamping: text.count), flags, &compiled, &tail)
        guard result == SQLITE_OK, compiled != nil, var next = tail else { return (result, false) }
        let end = start + text.count
        while next < end {
            // A lone semicolon or comment compiles to nothing; anything else is a second statement.
            var second: OpaquePointer?
            var after: UnsafePointer<CChar>?
            let result = sqlite3_prepare_v3(
                database, next, Int32(clamping: end - next), 0, &second, &after)
            sqlite3_finalize(second)
            guard result == SQLITE_OK, second == nil, let after else { return (SQLITE_OK, true) }
            guard after > next else { break }
            next = after
        }
        return (SQLITE_OK, false)
    }

    deinit {
        sqlite3_finalize(handle)
    }

    // MARK: Parameters

    private func check(_ result: Int32) throws(SQLiteError) {
        guard result == SQLITE_OK else { throw database.error(result, sql) }
    }

    public func bind(_ index: Int, _ value: Int64) throws(SQLiteError) {
        try check(sqlite3_bind_int64(handle, Int32(clamping: index), value))
    }

    public func bind(_ index: Int, _ value: Int) throws(SQLiteError) {
        try bind(index, Int64(value))
    }

    public func bind(_ index: Int, _ value: Double) throws(SQLiteError) {
        try check(sqlite3_bind_double(handle, Int32(clamping: index), value))
    }

    public func bind(_ index: Int, _ value: String) throws(SQLiteError) {
        var value = value
        let result = value.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) {
                csqlite_bind_text(
                    handle, Int32(clamping: index), $0.baseAddress, UInt64($0.count))
            }
        }
        try check(result)
    }

    public func bind(_ index: Int, _ value: [UInt8]) throws(SQLiteError) {
        let result = value.withUnsafeBytes {
            csqlite_bind_blob(handle, Int32(clamping: index), $0.baseAddress, UInt64($0.count))
        }
        try check(result)
    }

    /// Binds a copy of the bytes, for callers that hold them elsewhere than in an array.
    public func bind(_ index: Int, _ value: UnsafeRawBufferPointer) throws(SQLiteError) {
        try check(
            csqlite_bind_blob(
                handle, Int32(clamping: index), value.baseAddress, UInt64(value.count)))
    }

    public func bindNull(_ index: Int) throws(SQLiteError) {
        try check(sqlite3_bind_null(handle, Int32(clamping: index)))
    }

    public func bind(_ index: Int, _ value: SQLiteValue) throws(SQLiteError) {
        switch value {
        case .null: try bindNull(index)
        case .integer(let value): try bind(index, value)
        case .real(let value): try bind(index, value)
        case .text(let value): try bind(index, value)
        case .blob(let value): try bind(index, value)
        }
    }

    /// How many parameters the statement has.
    public var parameterCount: Int { Int(sqlite3_bind_parameter_count(handle)) }

    // MARK: Running

    /// Goes to the next row.
    ///
    /// - Returns: whether there is one. After `false` or an error the statement is reset and can
    ///   run again with the same parameters.
    public func step() throws(SQLiteError) -> Bool {
        let result = sqlite3_step(handle)
        if result == SQLITE_ROW { return true }
        if result == SQLITE_DONE {
            sqlite3_reset(handle)
            return false
        }
        // The message must be taken before the reset.
        let error = database.error(result, sql)
        sqlite3_reset(handle)
        throw error
    }

    /// Runs the statement to its end, whatever rows it returns.
    public func run() throws(SQLiteError) {
        while try step() {}
    }

    /// Ends the run, so that its locks are released and it can run again; parameters stay.
    public func reset() {
        // The result repeats the error of the latest step, which has been thrown already.
        sqlite3_reset(handle)
    }

    /// Sets every parameter to NULL, and so frees what was bound.
    public func clearParameters() {
        sqlite3_clear_bindings(handle)
    }

    /// Whether the statement writes nothing.
    public var isReadOnly: Bool { sqlite3_stmt_readonly(handle) != 0 }

    /// Whether the statement is EXPLAIN or EXPLAIN QUERY PLAN.
    public var isExplain: Bool { sqlite3_stmt_isexplain(handle) != 0 }

    /// Virtual machine operations of all runs so far: a repeatable measure of work.
    public var operations: Int {
        Int(sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 0))
    }

    // MARK: Columns

    public var columnCount: Int { Int(sqlite3_column_count(handle)) }

    private func index(_ column: Int) -> Int32 {
        assert(column >= 0 && column < columnCount, "no such column: \(column) in \(sql)")
        return Int32(clamping: column)
    }

    public func columnName(_ column: Int) -> String {
        sqlite3_column_name(handle, index(column)).map { String(cString: $0) } ?? ""
    }

    public func isNull(_ column: Int) -> Bool {
        sqlite3_column_type(handle, index(column)) == SQLITE_NULL
    }

    public func integer(_ column: Int) -> Int64 {
        sqlite3_column_int64(handle, index(column))
    }

    public func real(_ column: Int) -> Double {
        sqlite3_column_double(handle, index(column))
    }

    /// Empty for NULL. Bytes that are not UTF-8 are replaced by U+FFFD.
    public func text(_ column: Int) -> String {
        let column = index(column)
        guard let text = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
    }

    /// Empty for NULL.
    public func bytes(_ column: Int) -> [UInt8] {
        withBytes(column) { Array($0) }
    }

    /// The column's bytes in place, valid until `body` returns.
    public func withBytes<Value>(_ column: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value
    {
        let column = index(column)
        // The pointer first: it may convert the value, and so change its length.
        let start = sqlite3_column_blob(handle, column)
        let count = start == nil ? 0 : Int(sqlite3_column_bytes(handle, column))
        return body(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// The column in its own type.
    ///
    /// - Throws: SQLITE_NOMEM where the heap limit leaves no room for it. The typed readers return
    ///   an empty value then; statements of strangers under a heap limit use this one.
    public func value(_ column: Int) throws(SQLiteError) -> SQLiteValue {
        let position = index(column)
        switch sqlite3_column_type(handle, position) {
        case SQLITE_INTEGER: return .integer(integer(column))
        case SQLITE_FLOAT: return .real(real(column))
        case SQLITE_TEXT:
            guard sqlite3_column_text(handle, position) != nil else { throw outOfMemory() }
            return .text(text(column))
        case SQLITE_BLOB:
            let count = sqlite3_column_bytes(handle, position)
            let start = sqlite3_column_blob(handle, position)
            guard start != nil || count == 0 else { throw outOfMemory() }
            return .blob(bytes(column))
        default: return .null
        }
    }

    private func outOfMemory() -> SQLiteError {
        SQLiteError(extendedCode: SQLITE_NOMEM, message: "out of memory", sql: sql)
    }
}
