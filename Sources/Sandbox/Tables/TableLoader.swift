import Foundation
import Glibc
import LedgerCrypto
import Records
import SQLite

/// Why a file was not loaded.
public enum LoadError: Error, Sendable, CustomStringConvertible {
    case unreadable(String)
    case badTableName(String)
    case noHeader
    case tooManyRows(Int)
    case noRows
    /// The first bad rows; nothing was loaded.
    case badRows([BadRow])
    case unknownColumn(String, known: [String])
    case noEntityKey
    /// The file is not what it was when reading began.
    case changed
    case busy
    case storage(String)

    public var description: String {
        switch self {
        case .unreadable(let path):
            "\(path) cannot be read; check path and permissions / 无法读取 \(path)，请检查路径和权限"
        case .badTableName(let name):
            "\(name) is no table name; use letters, digits and _ , at most 60 / 表名 \(name) 无效，只能用字母、数字、下划线，最长 60"
        case .noHeader: "the first line must name the columns / 首行应为列名"
        case .tooManyRows(let max): "more than \(max) rows / 超过 \(max) 行"
        case .noRows: "the table has no rows / 表中没有数据行"
        case .badRows(let rows):
            "nothing was loaded; correct these rows or give --skip-bad-rows / 未装载，请改正以下行或使用 --skip-bad-rows:\n"
                + rows.map { "  \($0)" }.joined(separator: "\n")
        case .unknownColumn(let name, let known):
            "there is no column \(name); there are \(known.joined(separator: ", ")) / 没有列 \(name)，可用：\(known.joined(separator: "、"))"
        case .noEntityKey:
            "no column tells entities apart; name one with --entity-key / 无法推断主体列，请用 --entity-key 指定"
        case .changed: "the file changed while it was read / 读取期间文件发生变化"
        case .busy: "another load is in progress / 另一装载正在进行"
        case .storage(let reason): "the store failed: \(reason) / 存储失败：\(reason)"
        }
    }
}

public struct LoadResult: Sendable {
    public let table: LoadedTable
    /// False where the same table was there already.
    public let isNew: Bool
    public let skipped: [BadRow]
}

/// Reads a CSV file into the sandbox's store: once for the types, once for the rows.
public struct TableLoader {
    let folder: SandboxFolder
    let suite: Suite
    public var limits = CSVLimits()
    /// Leaves bad rows out instead of refusing the file.
    public var skipsBadRows = false

    public init(folder: SandboxFolder, suite: Suite) {
        self.folder = folder
        self.suite = suite
    }

    /// - Parameter entityKey: a column by its header or its sanitised name; nil takes the column, reals and those with
    ///   nulls aside, that has the most distinct values, the first of equals.
    public func load(
        _ path: String, as name: String, entityKey: String? = nil
    ) throws(LoadError) -> LoadResult {
        guard ColumnNames.isTableName(name) else { throw .badTableName(name) }
        do {
            return try folder.exclusively {
                try loaded(path, as: name, entityKey: entityKey)
            }
        } catch let error as LoadError {
            throw error
        } catch {
            throw .storage("\(error)")
        }
    }

    /// What the first reading finds.
    private struct Shape {
        var headers: [String] = []
        var names: [String] = []
        var guesses: [ColumnGuess] = []
        var rows = 0
        var bad: [BadRow] = []
    }

    private func loaded(
        _ path: String, as name: String, entityKey: String?
    ) throws -> LoadResult {
        let shape = try shape(of: path)
        if !skipsBadRows, !shape.bad.isEmpty { throw LoadError.badRows(shape.bad) }
        guard shape.rows > 0 else { throw LoadError.noRows }
        let columns = zip(shape.names, shape.guesses).map { Column($0, $1.type) }
        let temporary = folder.tables + "/.loading.db"
        try? FileManager.default.removeItem(atPath: temporary)
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        let (digest, inferred) = try fill(temporary, from: path, columns, rows: shape.rows)
        let given = try entityKey.map { try column($0, shape) }
        let store = try folder.store()
        if let known = try store.performNow({
            try LoadedTable.find(name: name, digest: digest, in: $0)
        }) {
            guard let given, given != known.entityKey else {
                return LoadResult(table: known, isNew: false, skipped: shape.bad)
            }
            try store.performNow {
                try LoadedTable.setEntityKey(given, of: known.commitment, in: $0)
            }
            let changed = LoadedTable(
                name: name, columns: known.columns, entityKey: given, rowCount: known.rowCount,
                digest: digest, salt: known.salt, commitment: known.commitment)
            return LoadResult(table: changed, isNew: false, skipped: shape.bad)
        }
        guard let key = given ?? inferred else { throw LoadError.noEntityKey }
        let salt = SecureRandom.bytes(Salted.saltBytes)
        let table = LoadedTable(
            name: name, columns: columns, entityKey: key, rowCount: UInt64(shape.rows),
            digest: digest, salt: salt,
            commitment: Salted.commit(salt: salt, value: digest.bytes, suite: suite))
        // The file is in its place before anything names it.
        guard rename(temporary, folder.path(of: table)) == 0 else {
            throw LoadError.storage("rename: errno \(errno)")
        }
        try folder.synchronise()
        try store.performNow { try table.insert(in: $0) }
        return LoadResult(table: table, isNew: true, skipped: shape.bad)
    }

    private func column(_ given: String, _ shape: Shape) throws(LoadError) -> String {
        guard
            let index = shape.names.firstIndex(of: given)
                ?? shape.headers.firstIndex(of: given)
        else { throw .unknownColumn(given, known: shape.names) }
        return shape.names[index]
    }

    // MARK: Reading

    private func reader(_ path: String) throws(LoadError) -> CSVReader {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw .unreadable(path) }
        return CSVReader(limits: limits) {
            do {
                return [UInt8](try handle.read(upToCount: 262_144) ?? Data())
            } catch {
                throw LoadError.unreadable(path)
            }
        }
    }

    private func header(_ reader: inout CSVReader) throws -> [String] {
        do {
            guard let row = try reader.next() else { throw LoadError.noHeader }
            return row.fields.map(\.text)
        } catch let bad as BadRow {
            throw LoadError.badRows([bad])
        }
    }

    /// Each good row, with as many fields as there are columns; each bad one with its reason.
    private func eachRow(
        _ reader: inout CSVReader, columns: Int, good: (CSVRow) throws -> Void,
        bad: (BadRow) -> Void
    ) throws {
        while true {
            do {
                guard let row = try reader.next() else { return }
                guard row.fields.count == columns else {
                    throw BadRow(
                        line: row.line,
                        english: "\(row.fields.count) fields instead of \(columns)",
                        chinese: "有 \(row.fields.count) 个字段，应为 \(columns) 个")
                }
                try good(row)
            } catch let problem as BadRow {
                bad(problem)
            }
        }
    }

    private func shape(of path: String) throws -> Shape {
        var reader = try reader(path)
        var shape = Shape()
        shape.headers = try header(&reader)
        shape.names = ColumnNames.sanitised(shape.headers)
        shape.guesses = Array(repeating: ColumnGuess(), count: shape.headers.count)
        try eachRow(
            &reader, columns: shape.headers.count,
            good: { row in
                shape.rows += 1
                guard shape.rows <= limits.rowsMax else {
                    throw LoadError.tooManyRows(limits.rowsMax)
                }
                for (index, field) in row.fields.enumerated() { shape.guesses[index].see(field) }
            },
            bad: { problem in
                if shape.bad.count < limits.badRowsMax { shape.bad.append(problem) }
            })
        return shape
    }

    /// Writes the rows into a file of their own.
    ///
    /// - Returns: the table's digest, and the column that tells most entities apart.
    private func fill(
        _ file: String, from path: String, _ columns: [Column], rows: Int
    ) throws -> (Digest, String?) {
        var reader = try reader(path)
        _ = try header(&reader)
        let database = try Database(path: file)
        // One rollback-journal file without a WAL beside it is what a worker can open on a read-only mount.
        try database.setPragma("journal_mode", "DELETE")
        try database.setPragma("synchronous", "FULL")
        let table = SQLWriter.quote(QueryGate.fileTable)
        let definitions = columns.map { "\(SQLWriter.quote($0.name)) \($0.type.name.uppercased())" }
        try database.execute("CREATE TABLE \(table)(\(definitions.joined(separator: ", ")))")
        let marks = columns.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
        let insert = try database.prepare("INSERT INTO \(table) VALUES (\(marks))")
        var digest = TableDigest(columns, suite)
        var count = 0
        try database.begin()
        try eachRow(
            &reader, columns: columns.count,
            good: { row in
                let values = try zip(row.fields, columns).map { field, column in
                    guard let value = TableValue(field, as: column.type) else {
                        throw LoadError.changed
                    }
                    return value
                }
                digest.add(values)
                for (index, value) in values.enumerated() { try bind(value, index + 1, insert) }
                try insert.run()
                count += 1
            }, bad: { _ in })
        guard count == rows else { throw LoadError.changed }
        try database.commit()
        return (digest.finalize(), try mostDistinct(columns, database, table))
    }

    private func bind(_ value: TableValue, _ index: Int, _ insert: Statement) throws {
        switch value {
        case .null: try insert.bindNull(index)
        case .integer(let number): try insert.bind(index, number)
        case .real(let number): try insert.bind(index, number)
        case .text(let text): try insert.bind(index, text)
        }
    }

    private func mostDistinct(
        _ columns: [Column], _ database: Database, _ table: String
    ) throws -> String? {
        var best: (name: String, count: Int64)?
        for column in columns where column.type != .real {
            let name = SQLWriter.quote(column.name)
            let statement = try database.prepare(
                "SELECT COUNT(DISTINCT \(name)), COUNT(*) - COUNT(\(name)) FROM \(table)",
                isKept: false)
            guard try statement.step() else { continue }
            let count = statement.integer(0)
            if statement.integer(1) == 0, count > best?.count ?? 0 { best = (column.name, count) }
        }
        return best?.name
    }
}

/// The sandbox's data folder: `sandbox.db`, `tables/`, `sealing.key`.
public struct SandboxFolder: Sendable {
    public let path: String

    /// Makes what is missing of it, readable by its owner alone.
    public init(_ path: String) throws(LoadError) {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path + "/tables", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw .storage("\(path): \(error)")
        }
        guard chmod(path, 0o700) == 0 else { throw .storage("\(path): errno \(errno)") }
    }

    var tables: String { path + "/tables" }
    var sealingKey: String { path + "/sealing.key" }

    package func path(of table: LoadedTable) -> String { tables + "/" + table.fileName }

    func store() throws -> SandboxStore { try SandboxStore(path: path + "/sandbox.db") }

    /// One load at a time; the lock ends with the process.
    func exclusively<Value>(_ body: () throws -> Value) throws -> Value {
        let lock = Glibc.open(path + "/load.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw LoadError.storage("load.lock: errno \(errno)") }
        defer { close(lock) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { throw LoadError.busy }
        return try body()
    }

    /// Makes the renaming of a table file durable.
    func synchronise() throws(LoadError) {
        let folder = Glibc.open(tables, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .storage("\(tables): errno \(errno)") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw .storage("\(tables): errno \(errno)") }
    }
}
