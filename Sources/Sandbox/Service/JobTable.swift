import Ledger
import LedgerCrypto
import Records
import SQLite

/// A job's row in `sandbox.db` that cannot be read back.
struct DamagedJob: Error, Equatable, CustomStringConvertible {
    let number: Int64
    let column: String

    var description: String {
        "sandbox.db, table job, row \(number): column \(column) is damaged; restore a backup"
            + " / sandbox.db 作业表第 \(number) 行 \(column) 列已损坏，请恢复备份"
    }
}

/// What lists need of a job: nothing sealed.
struct JobSummary: Sendable {
    let number: Int64
    let id: Digest
    let agreement: Digest
    let buyer: MemberID
    let provider: MemberID
    let purpose: String
    let groups: UInt64
    let rowsRead: UInt64
}

/// The columns of one row, each checked.
private struct JobColumns {
    let row: Statement
    let number: Int64

    /// The row's number is in column 0.
    init(_ row: Statement) {
        self.row = row
        number = row.integer(0)
    }

    func damaged(_ column: String) -> DamagedJob { DamagedJob(number: number, column: column) }

    func digest(_ index: Int, _ column: String) throws(DamagedJob) -> Digest {
        guard let digest = Digest(bytes: row.bytes(index)) else { throw damaged(column) }
        return digest
    }

    func member(_ index: Int, _ column: String) throws(DamagedJob) -> MemberID {
        guard let member = MemberID(row.text(index)) else { throw damaged(column) }
        return member
    }

    func count(_ index: Int, _ column: String) throws(DamagedJob) -> UInt64 {
        guard let count = UInt64(exactly: row.integer(index)) else { throw damaged(column) }
        return count
    }

    func code(_ index: Int) throws(DamagedJob) -> OutcomeCode? {
        if row.isNull(index) { return nil }
        guard let code = OutcomeCode(rawValue: try count(index, "code")) else {
            throw damaged("code")
        }
        return code
    }

    func stage(_ index: Int) throws(DamagedJob) -> JobStage {
        guard let stage = JobStage(rawValue: row.integer(index)) else { throw damaged("status") }
        return stage
    }

    func bytes(_ index: Int) -> [UInt8]? { row.isNull(index) ? nil : row.bytes(index) }
    func text(_ index: Int) -> String? { row.isNull(index) ? nil : row.text(index) }
}

extension JobRow {
    /// Rows of one page of a list.
    static let pageRows: Int64 = 64

    private static let fields = """
        number, id, agreement, buyer, provider, purpose, status, query, output, commitment, groups,
        rows_read, code, message_en, message_zh, envelope
        """

    private init(_ row: Statement) throws(DamagedJob) {
        let columns = JobColumns(row)
        self.init(
            id: try columns.digest(1, "id"), agreement: try columns.digest(2, "agreement"),
            buyer: try columns.member(3, "buyer"), provider: try columns.member(4, "provider"),
            purpose: row.text(5), stage: try columns.stage(6), query: row.bytes(7),
            output: columns.bytes(8),
            commitment: row.isNull(9) ? nil : try columns.digest(9, "commitment"),
            groups: try columns.count(10, "groups"), rowsRead: try columns.count(11, "rows_read"),
            code: try columns.code(12), messageEn: columns.text(13), messageZh: columns.text(14),
            envelope: columns.bytes(15))
    }

    /// - Throws: `DamagedJob`, `SQLiteError`.
    static func find(_ id: Digest, in database: Database) throws -> JobRow? {
        let statement = try database.prepare(
            "SELECT \(fields) FROM job WHERE id = ?1", isKept: false)
        try statement.bind(1, id.bytes)
        return try statement.step() ? try JobRow(statement) : nil
    }

    /// - Throws: `DamagedJob`, `SQLiteError`.
    static func find(number: Int64, in database: Database) throws -> JobRow? {
        let statement = try database.prepare(
            "SELECT \(fields) FROM job WHERE number = ?1", isKept: false)
        try statement.bind(1, number)
        return try statement.step() ? try JobRow(statement) : nil
    }

    private static func list(_ stages: [JobStage]) -> String {
        stages.map { String($0.rawValue) }.joined(separator: ", ")
    }

    static func count(_ stages: [JobStage], in database: Database) throws -> Int {
        let statement = try database.prepare(
            "SELECT count(*) FROM job WHERE status IN (\(list(stages)))", isKept: false)
        return try statement.step() ? Int(statement.integer(0)) : 0
    }

    /// A page of row numbers, ascending; a damaged row is found when it is read.
    static func numbers(
        _ stages: [JobStage], after number: Int64, in database: Database
    ) throws -> [Int64] {
        let statement = try database.prepare(
            """
            SELECT number FROM job WHERE status IN (\(list(stages))) AND number > ?1
            ORDER BY number LIMIT \(pageRows)
            """, isKept: false)
        try statement.bind(1, number)
        var numbers: [Int64] = []
        while try statement.step() { numbers.append(statement.integer(0)) }
        return numbers
    }

    /// A page of jobs in the order of their arrival.
    ///
    /// - Throws: `DamagedJob`, `SQLiteError`.
    static func summaries(
        _ stages: [JobStage], after number: Int64, in database: Database
    ) throws -> [JobSummary] {
        let statement = try database.prepare(
            """
            SELECT number, id, agreement, buyer, provider, purpose, groups, rows_read FROM job
            WHERE status IN (\(list(stages))) AND number > ?1 ORDER BY number LIMIT \(pageRows)
            """, isKept: false)
        try statement.bind(1, number)
        var found: [JobSummary] = []
        while try statement.step() {
            let columns = JobColumns(statement)
            found.append(
                JobSummary(
                    number: columns.number, id: try columns.digest(1, "id"),
                    agreement: try columns.digest(2, "agreement"),
                    buyer: try columns.member(3, "buyer"),
                    provider: try columns.member(4, "provider"), purpose: statement.text(5),
                    groups: try columns.count(6, "groups"),
                    rowsRead: try columns.count(7, "rows_read")))
        }
        return found
    }

    /// Those that stopped are tried once more, with a new signature: a key may be registered now.
    static func restartStopped(in database: Database) throws {
        try database.execute(
            """
            UPDATE job SET envelope = NULL, status = CASE WHEN commitment IS NULL
                THEN \(JobStage.refusing.rawValue) ELSE \(JobStage.holding.rawValue) END,
                code = CASE WHEN commitment IS NULL THEN code END
            WHERE status = \(JobStage.stopped.rawValue)
            """)
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
