import Encoding
import LedgerCrypto
import Records
import SQLite

/// A table in the sandbox's store.
public struct LoadedTable: Sendable, Equatable {
    public let name: String
    public let columns: [Column]
    /// Nil where each row is an entity.
    public let entityKey: String?
    public let rowCount: UInt64
    /// Of columns and rows; never on the ledger, because it has no salt. See `TableDigest`.
    public let digest: Digest
    public let salt: [UInt8]
    /// `Salted.commit(salt, digest)`: what the asset's record holds.
    public let commitment: Digest

    /// The table's own file, below the sandbox's data folder.
    var fileName: String { "\(name)-\(digest.hex).db" }
}

/// Digest of a table: `H` over the deterministic CBOR items, one after another, of
/// `["huijin/table/1", [[name, type]…]]` and of each row in file order `[value…]`, where null is null, an integer an
/// integer, a text a text, and a real the tagged text `4(text)`: its shortest decimal form.
struct TableDigest: ~Copyable {
    private static let realTag: UInt64 = 4
    private var state: DigestState

    init(_ columns: [Column], _ suite: Suite) {
        state = DigestState(suite)
        var encoder = CBOREncoder()
        encoder.array(2)
        encoder.text("huijin/table/1")
        encoder.list(columns)
        state.update(encoder.bytes)
    }

    mutating func add(_ row: [TableValue]) {
        var encoder = CBOREncoder(reserving: row.count * 12)
        encoder.array(row.count)
        for value in row {
            switch value {
            case .null: encoder.null()
            case .integer(let number): encoder.integer(number)
            case .real(let number):
                encoder.tag(TableDigest.realTag)
                encoder.text("\(number)")
            case .text(let text): encoder.text(text)
            }
        }
        state.update(encoder.bytes)
    }

    consuming func finalize() -> Digest { state.finalize() }
}

extension LoadedTable {
    private static let fields =
        "name, digest, salt, commitment, entity_key, columns, row_count FROM loaded"

    static func find(name: String, digest: Digest, in database: Database) throws -> LoadedTable? {
        let statement = try database.prepare(
            "SELECT \(fields) WHERE name = ?1 AND digest = ?2", isKept: false)
        try statement.bind(1, name)
        try statement.bind(2, digest.bytes)
        return try statement.step() ? LoadedTable(statement) : nil
    }

    static func find(commitment: Digest, in database: Database) throws -> LoadedTable? {
        let statement = try database.prepare(
            "SELECT \(fields) WHERE commitment = ?1", isKept: false)
        try statement.bind(1, commitment.bytes)
        return try statement.step() ? LoadedTable(statement) : nil
    }

    private init?(_ row: Statement) {
        guard let digest = Digest(bytes: row.bytes(1)),
            let commitment = Digest(bytes: row.bytes(3)),
            let columns = try? ColumnList.decode(row.bytes(5)).columns
        else { return nil }
        self.init(
            name: row.text(0), columns: columns, entityKey: row.isNull(4) ? nil : row.text(4),
            rowCount: UInt64(row.integer(6)), digest: digest, salt: row.bytes(2),
            commitment: commitment)
    }

    /// One durable statement. A crash before it leaves a table file that nothing names; loading again replaces it.
    func insert(in database: Database) throws {
        let statement = try database.prepare(
            """
            INSERT INTO loaded(name, digest, salt, commitment, entity_key, columns, row_count)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """, isKept: false)
        try statement.bind(1, name)
        try statement.bind(2, digest.bytes)
        try statement.bind(3, salt)
        try statement.bind(4, commitment.bytes)
        if let entityKey { try statement.bind(5, entityKey) } else { try statement.bindNull(5) }
        try statement.bind(6, ColumnList(columns: columns).encoded)
        try statement.bind(7, Int64(clamping: rowCount))
        try statement.run()
    }

    static func setEntityKey(_ key: String?, of commitment: Digest, in database: Database) throws {
        let statement = try database.prepare(
            "UPDATE loaded SET entity_key = ?1 WHERE commitment = ?2", isKept: false)
        if let key { try statement.bind(1, key) } else { try statement.bindNull(1) }
        try statement.bind(2, commitment.bytes)
        try statement.run()
    }

    private struct ColumnList: CBORCodable {
        let columns: [Column]

        init(columns: [Column]) { self.columns = columns }
        func encode(into encoder: inout CBOREncoder) { encoder.list(columns) }
        init(from decoder: inout CBORDecoder) throws(CBORError) {
            columns = try decoder.list(max: RecordLimits.columnsMax)
        }
    }
}
