import Encoding
import Ledger
import LedgerCrypto
import SQLite

/// The statements that write the ledger, all inside a transaction of the caller's.
final class StoreWrites {
    private let database: Database
    private let suite: Suite
    private let body: Statement
    private let bodiesFrom: Statement
    private let dropBody: Statement
    private let lastBody: Statement
    private let block: Statement
    private let vote: Statement
    private let allVotes: Statement
    private let dropVotes: Statement
    private let certificate: Statement
    private let allCertificates: Statement
    private let dropCertificates: Statement
    private let nullification: Statement
    private let epoch: Statement
    private let tile: Statement
    private let event: Statement
    private let text: Statement
    private let meta: Statement

    init(_ database: Database, suite: Suite) throws(SQLiteError) {
        self.database = database
        self.suite = suite
        body = try database.prepare("INSERT INTO body (height, header, bytes) VALUES (?1, ?2, ?3)")
        bodiesFrom = try database.prepare(
            "SELECT id, header, bytes FROM body WHERE id >= ?1 ORDER BY id")
        dropBody = try database.prepare("DELETE FROM body WHERE id = ?1")
        lastBody = try database.prepare("SELECT max(id) FROM body")
        block = try database.prepare(
            "INSERT INTO block (height, body, finalization, codes) VALUES (?1, ?2, ?3, ?4)")
        vote = try database.prepare(
            "INSERT INTO vote (epoch, view, kind, statement) VALUES (?1, ?2, ?3, ?4)")
        allVotes = try database.prepare("SELECT statement FROM vote ORDER BY id")
        dropVotes = try database.prepare("DELETE FROM vote WHERE (epoch, view) <= (?1, ?2)")
        certificate = try database.prepare(
            "INSERT INTO certificate (epoch, view, kind, bytes) VALUES (?1, ?2, ?3, ?4)")
        allCertificates = try database.prepare("SELECT bytes FROM certificate ORDER BY id")
        dropCertificates = try database.prepare(
            "DELETE FROM certificate WHERE (epoch, view) <= (?1, ?2)")
        // Any quorum's signatures show the same.
        nullification = try database.prepare(
            "INSERT OR IGNORE INTO skipped_view (id, bytes) VALUES (?1, ?2)")
        epoch = try database.prepare(
            "INSERT INTO epoch (epoch, height, validators) VALUES (?1, ?2, ?3)")
        tile = try database.prepare("INSERT INTO tile (id, hashes) VALUES (?1, ?2)")
        event = try database.prepare(
            """
            INSERT INTO event (id, asset, log, position, bytes) VALUES (?1, ?2, ?3, ?4, ?5)
            """)
        text = try database.prepare(
            """
            INSERT INTO asset_text (id, asset, title_zh, title_en, keywords)
            VALUES (?1, ?2, ?3, ?4, ?5)
            """)
        meta = try database.prepare(
            "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")
    }

    /// - Parameter height: of the block that made the set.
    func insertEpoch(_ validators: ValidatorSet, height: UInt64) throws(SQLiteError) {
        try epoch.bind(1, validators.epoch)
        try epoch.bind(2, height)
        try epoch.bind(3, validators.encoded)
        try epoch.run()
    }

    /// - Returns: the body's row.
    func insertBody(_ block: Block, header: Digest) throws(SQLiteError) -> Int64 {
        try body.bind(1, block.header.height)
        try body.bind(2, header)
        try body.bind(3, block.encoded)
        try body.run()
        body.clearParameters()
        return database.lastInsertRowID
    }

    /// The row that the next body will get, at least.
    func nextBody() throws(SQLiteError) -> Int64 {
        defer { lastBody.reset() }
        return try lastBody.step() ? lastBody.integer(0) + 1 : 1
    }

    func dropBody(_ row: Int64) throws(SQLiteError) {
        try dropBody.bind(1, row)
        try dropBody.run()
    }

    func bodies(
        from row: Int64
    ) throws(SQLiteError) -> [(id: Int64, header: Digest, block: Block)] {
        var bodies: [(Int64, Digest, Block)] = []
        try bodiesFrom.bind(1, row)
        defer { bodiesFrom.reset() }
        while try bodiesFrom.step() {
            guard let header = bodiesFrom.digest(1),
                let block = try? Block.decode(bodiesFrom.bytes(2), limits: LedgerLimits.block)
            else { throw damaged("body \(bodiesFrom.integer(0)) does not decode") }
            bodies.append((bodiesFrom.integer(0), header, block))
        }
        return bodies
    }

    func insertBlock(
        height: UInt64, body row: Int64, finalization: Certificate?, codes: [UInt8]?
    ) throws(SQLiteError) {
        try block.bind(1, height)
        try block.bind(2, row)
        let certificate = finalization.map { CertificateRow.encode($0, suite: suite) }
        try block.bind(3, certificate.map { .blob($0) } ?? .null)
        try block.bind(4, codes.map { .blob($0) } ?? .null)
        try block.run()
    }

    func insertVote(_ statement: VoteStatement) throws(SQLiteError) {
        try vote.bind(1, statement.epoch)
        try vote.bind(2, statement.view)
        try vote.bind(3, statement.kind.rawValue)
        try vote.bind(4, statement.encoded)
        try vote.run()
    }

    func votes() throws(SQLiteError) -> [VoteStatement] {
        var statements: [VoteStatement] = []
        defer { allVotes.reset() }
        while try allVotes.step() {
            let statement = try? VoteStatement.decode(
                allVotes.bytes(0), limits: LedgerLimits.certificate)
            guard let statement else { throw damaged("a stored vote does not decode") }
            statements.append(statement)
        }
        return statements
    }

    func insertCertificate(_ value: Certificate) throws(SQLiteError) {
        try certificate.bind(1, value.statement.epoch)
        try certificate.bind(2, value.statement.view)
        try certificate.bind(3, value.statement.kind.rawValue)
        try certificate.bind(4, CertificateRow.encode(value, suite: suite))
        try certificate.run()
    }

    func insertNullification(_ value: Certificate) throws(SQLiteError) {
        guard let row = CertificateRow.id(epoch: value.statement.epoch, view: value.view) else {
            return
        }
        try nullification.bind(1, row)
        try nullification.bind(2, CertificateRow.encode(value, suite: suite))
        try nullification.run()
    }

    func certificates() throws(SQLiteError) -> [Certificate] {
        var certificates: [Certificate] = []
        defer { allCertificates.reset() }
        while try allCertificates.step() {
            guard
                let certificate = CertificateRow.decode(allCertificates.bytes(0), suite: suite)
            else { throw damaged("a stored certificate is not what was written") }
            certificates.append(certificate)
        }
        return certificates
    }

    /// Drops the votes up to a view that is final now, and the certificates that explained them.
    func dropVotes(upTo epoch: UInt64, _ view: UInt64) throws(SQLiteError) {
        try dropVotes.bind(1, epoch)
        try dropVotes.bind(2, view)
        try dropVotes.run()
        try dropCertificates.bind(1, epoch)
        try dropCertificates.bind(2, view)
        try dropCertificates.run()
    }

    func insertTile(_ value: LogTiles.Tile) throws(SQLiteError) {
        try tile.bind(1, value.id)
        try tile.bind(2, value.bytes)
        try tile.run()
    }

    func insertEvent(_ value: StoredEvent, at location: BlockLocation) throws(SQLiteError) {
        try event.bind(1, location.rowID)
        try event.bind(2, value.asset)
        try event.bind(3, value.log)
        try event.bind(4, value.index)
        try event.bind(5, value.bytes)
        try event.run()
    }

    func insertText(_ value: AssetText, at location: BlockLocation) throws(SQLiteError) {
        try text.bind(1, location.rowID)
        try text.bind(2, value.asset)
        try text.bind(3, value.titleZh)
        try text.bind(4, value.titleEn)
        try text.bind(5, value.keywords)
        try text.run()
    }

    func setWatermark(_ value: Watermark) throws(SQLiteError) {
        try setMeta("watermark", value.encoded)
    }

    func setMeta(_ name: String, _ value: [UInt8]) throws(SQLiteError) {
        try meta.bind(1, name)
        try meta.bind(2, value)
        try meta.run()
    }
}
