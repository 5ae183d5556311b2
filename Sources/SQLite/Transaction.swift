extension Database {
    /// When a transaction takes its locks.
    public enum TransactionMode: String, Sendable {
        /// At the first read or write.
        case deferred = "BEGIN DEFERRED"
        /// The write lock at once, so that nothing later in it fails for want of the lock.
        case immediate = "BEGIN IMMEDIATE"
    }

    public func begin(_ mode: TransactionMode = .immediate) throws(SQLiteError) {
        try execute(mode.rawValue)
    }

    /// Makes the open transaction durable as far as `synchronous` says.
    ///
    /// When this throws, nothing of the transaction may be relied on; the caller rolls back.
    public func commit() throws(SQLiteError) {
        try execute("COMMIT")
    }

    /// Undoes the open transaction. Does nothing where SQLite has rolled back by itself, as it
    /// does after a full disk.
    public func rollback() throws(SQLiteError) {
        if isInTransaction { try execute("ROLLBACK") }
    }

    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws.
    ///
    /// - Parameter convert: makes the caller's kind of error of SQLite's.
    public func transaction<Value, Failure: Error>(
        _ mode: TransactionMode = .immediate,
        convert: (SQLiteError) -> Failure,
        _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        do throws(SQLiteError) { try begin(mode) } catch { throw convert(error) }
        let value: Value
        do throws(Failure) {
            value = try body()
        } catch {
            // The first error says why; a rollback that fails too leaves the transaction to be
            // undone when the connection closes or the file is opened next.
            try? rollback()
            throw error
        }
        do throws(SQLiteError) {
            try commit()
        } catch {
            try? rollback()
            throw convert(error)
        }
        return value
    }

    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws.
    public func transaction<Value>(
        _ mode: TransactionMode = .immediate, _ body: () throws(SQLiteError) -> Value
    ) throws(SQLiteError) -> Value {
        try transaction(mode, convert: { $0 }, body)
    }
}
