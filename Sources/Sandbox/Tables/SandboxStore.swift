import Dispatch
import SQLite

/// The sandbox's own SQLite file: loaded tables and jobs. Every use runs on one thread at a time, off the cooperative
/// pool, because a commit waits for the disk.
final class SandboxStore: Sendable {
    private nonisolated(unsafe) let database: Database
    private let queue = DispatchQueue(label: "huijin.sandbox.store")

    static let schemaVersion = "1"

    init(path: String) throws(SQLiteError) {
        database = try Database(path: path)
        try database.setBusyTimeout(milliseconds: 5_000)
        try database.setPragma("journal_mode", "WAL")
        try database.setPragma("synchronous", "FULL")
        try database.execute(
            """
            CREATE TABLE IF NOT EXISTS loaded(
                name TEXT NOT NULL, digest BLOB NOT NULL, salt BLOB NOT NULL,
                commitment BLOB NOT NULL UNIQUE, entity_key TEXT, columns BLOB NOT NULL,
                row_count INTEGER NOT NULL, PRIMARY KEY(name, digest));
            CREATE TABLE IF NOT EXISTS job(
                number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, agreement BLOB NOT NULL,
                buyer TEXT NOT NULL, provider TEXT NOT NULL, purpose TEXT NOT NULL,
                status INTEGER NOT NULL, query BLOB NOT NULL, output BLOB, commitment BLOB,
                groups INTEGER NOT NULL DEFAULT 0, rows_read INTEGER NOT NULL DEFAULT 0,
                code INTEGER, message_en TEXT, message_zh TEXT, envelope BLOB);
            """)
        if database.pragmaVersion == "0" {
            try database.setPragma("user_version", SandboxStore.schemaVersion)
        }
    }

    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                continuation.resume(with: Result { try body(database) })
            }
        }
    }

    /// For commands that have nothing else to do meanwhile.
    func performNow<Value>(_ body: (Database) throws -> Value) rethrows -> Value {
        try queue.sync { try body(database) }
    }
}

extension Database {
    fileprivate var pragmaVersion: String? { try? pragma("user_version") }
}
