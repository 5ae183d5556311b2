import Encoding
import Ledger
import LedgerCrypto
import Records
import SQLite

/// Where a job stands here. The numbers are stored.
enum JobStage: Int64, Sendable {
    /// Neither checked nor run. A crash here repeats both.
    case queued = 1
    /// The output is on disk, sealed; the ledger may not know yet.
    case holding = 2
    case held = 3
    case released = 4
    /// Decided; the ledger may not know yet.
    case refusing = 5
    case refused = 6
    case rejected = 7

    /// Whether there is still something to do without anybody asking.
    var isPending: Bool {
        switch self {
        case .queued, .holding, .refusing: true
        case .held, .released, .refused, .rejected: false
        }
    }

    /// As the HTTP forms have it.
    var name: String {
        switch self {
        case .queued: "queued"
        case .holding, .refusing: "running"
        case .held: "held"
        case .released: "released"
        case .refused: "refused"
        case .rejected: "rejected"
        }
    }
}

/// A job in the sandbox's own table.
struct JobRow: Sendable {
    let id: Digest
    let agreement: Digest
    let buyer: MemberID
    /// Of the data; a reviewer must not belong to its group.
    let provider: MemberID
    let purpose: String
    var stage: JobStage
    /// Sealed `SealedQuery`.
    let query: [UInt8]
    /// Sealed `SealedOutput`.
    var output: [UInt8]?
    var commitment: Digest?
    var groups: UInt64 = 0
    var rowsRead: UInt64 = 0
    var code: OutcomeCode?
    var messageEn: String?
    var messageZh: String?
    /// The hold or refusal that was signed for the ledger.
    var envelope: [UInt8]?

    mutating func refuse(_ refusal: GateRefusal) {
        stage = .refusing
        code = refusal.code
        messageEn = refusal.messageEn
        messageZh = refusal.messageZh
        output = nil
        commitment = nil
        envelope = nil
    }
}

/// The query's text with the salt of its commitment.
struct SealedQuery: Equatable, CBORCodable {
    let sql: String
    let salt: [UInt8]

    init(sql: String, salt: [UInt8]) {
        self.sql = sql
        self.salt = salt
    }

    func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.text(sql)
        encoder.bytes(salt)
    }

    init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        sql = try decoder.text(max: QueryGate.sqlBytesMax)
        salt = try decoder.bytes(exactly: Salted.saltBytes)
    }
}

/// An output's bytes with the salt of its commitment.
struct SealedOutput: Equatable, CBORCodable {
    let bytes: [UInt8]
    let salt: [UInt8]

    init(bytes: [UInt8], salt: [UInt8]) {
        self.bytes = bytes
        self.salt = salt
    }

    func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.bytes(bytes)
        encoder.bytes(salt)
    }

    init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        bytes = try decoder.bytes()
        salt = try decoder.bytes(exactly: Salted.saltBytes)
    }
}

extension JobRow {
    private static let fields = """
        id, agreement, buyer, provider, purpose, status, query, output, commitment, groups,
        rows_read, code, message_en, message_zh, envelope
        """

    private init?(_ row: Statement) {
        guard let id = Digest(bytes: row.bytes(0)), let agreement = Digest(bytes: row.bytes(1)),
            let buyer = MemberID(row.text(2)), let provider = MemberID(row.text(3)),
            let stage = JobStage(rawValue: row.integer(5))
        else { return nil }
        self.init(
            id: id, agreement: agreement, buyer: buyer, provider: provider, purpose: row.text(4),
            stage: stage, query: row.bytes(6), output: row.isNull(7) ? nil : row.bytes(7),
            commitment: row.isNull(8) ? nil : Digest(bytes: row.bytes(8)),
            groups: UInt64(clamping: row.integer(9)), rowsRead: UInt64(clamping: row.integer(10)),
            code: row.isNull(11) ? nil : OutcomeCode(rawValue: UInt64(clamping: row.integer(11))),
            messageEn: row.isNull(12) ? nil : row.text(12),
            messageZh: row.isNull(13) ? nil : row.text(13),
            envelope: row.isNull(14) ? nil : row.bytes(14))
    }

    static func find(_ id: Digest, in database: Database) throws -> JobRow? {
        let statement = try database.prepare(
            "SELECT \(fields) FROM job WHERE id = ?1", isKept: false)
        try statement.bind(1, id.bytes)
        return try statement.step() ? JobRow(statement) : nil
    }

    static func all(_ stages: [JobStage], in database: Database) throws -> [JobRow] {
        let list = stages.map { String($0.rawValue) }.joined(separator: ", ")
        let statement = try database.prepare(
            "SELECT \(fields) FROM job WHERE status IN (\(list)) ORDER BY number", isKept: false)
        var rows: [JobRow] = []
        while try statement.step() {
            if let row = JobRow(statement) { rows.append(row) }
        }
        return rows
    }

    /// - Returns: false where the job is there already.
    func insert(in database: Database) throws -> Bool {
        let statement = try database.prepare(
            """
            INSERT INTO job(id, agreement, buyer, provider, purpose, status, query)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(id) DO NOTHING
            """, isKept: false)
        try statement.bind(1, id.bytes)
        try statement.bind(2, agreement.bytes)
        try statement.bind(3, buyer.text)
        try statement.bind(4, provider.text)
        try statement.bind(5, purpose)
        try statement.bind(6, stage.rawValue)
        try statement.bind(7, query)
        try statement.run()
        return database.changes == 1
    }

    /// One durable statement: a crash leaves the job as it was before or as it is after.
    func update(in database: Database) throws {
        let statement = try database.prepare(
            """
            UPDATE job SET status = ?2, output = ?3, commitment = ?4, groups = ?5, rows_read = ?6,
                code = ?7, message_en = ?8, message_zh = ?9, envelope = ?10 WHERE id = ?1
            """, isKept: false)
        func bind(_ index: Int, _ value: [UInt8]?) throws {
            if let value { try statement.bind(index, value) } else { try statement.bindNull(index) }
        }
        func bind(_ index: Int, _ value: String?) throws {
            if let value { try statement.bind(index, value) } else { try statement.bindNull(index) }
        }
        try statement.bind(1, id.bytes)
        try statement.bind(2, stage.rawValue)
        try bind(3, output)
        try bind(4, commitment?.bytes)
        try statement.bind(5, Int64(clamping: groups))
        try statement.bind(6, Int64(clamping: rowsRead))
        if let code {
            try statement.bind(7, Int64(clamping: code.rawValue))
        } else {
            try statement.bindNull(7)
        }
        try bind(8, messageEn)
        try bind(9, messageZh)
        try bind(10, envelope)
        try statement.run()
    }
}
