import Client
import Encoding
import Ledger
import LedgerCrypto
import Records

/// The HTTP forms, apart from the server: docs/sandbox.md.
///
/// `POST /v1/jobs`, `GET /v1/jobs/{job}`, `GET /v1/jobs/{job}/output` for the buyer; `GET /v1/reviews`,
/// `GET /v1/reviews/{job}` for output reviewers of other groups; `GET /healthz`.
struct SandboxRoutes: Sendable {
    let service: JobService
    let door: Door

    static let bodyBytesMax = 65_536
    static let pathBytesMax = 512

    init(service: JobService) {
        self.service = service
        door = Door(service.ledger, freshnessMs: service.options.freshnessMs)
    }

    struct Answer: Sendable {
        let status: Int
        let body: JSONValue
    }

    /// - Parameter path: with its query, exactly as sent, because the token signs it.
    func answer(
        method: String, path: String, authorization: String?, body: [UInt8]
    ) async throws -> Answer {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
            .map(String.init)
        if method == "GET", parts == ["healthz"] {
            return Answer(status: 200, body: ["status": "ok"])
        }
        guard parts.first == "v1", parts.count >= 2 else { throw SandboxError.notFound }
        let caller = try await door.caller(header: authorization, method: method, path: path)
        switch (method, parts[1], parts.count) {
        case ("POST", "jobs", 2):
            let row = try await service.take(try submission(body), from: caller.id)
            return Answer(
                status: 202, body: ["job": .hex(row.id), "status": .text(row.stage.name)])
        case ("GET", "jobs", 3): return Answer(status: 200, body: try await job(parts[2], caller))
        case ("GET", "jobs", 4) where parts[3] == "output":
            return Answer(status: 200, body: try await output(parts[2], caller))
        case ("GET", "reviews", 2): return Answer(status: 200, body: try await reviews(caller))
        case ("GET", "reviews", 3):
            return Answer(status: 200, body: try await review(parts[2], caller))
        default: throw SandboxError.notFound
        }
    }

    private func submission(_ body: [UInt8]) throws(SandboxError) -> JobService.Submission {
        guard let json = try? JSONValue.parse(body),
            let agreement = json["agreement"]?.text.flatMap({ Digest(hex: $0) }),
            let job = json["job"]?.text.flatMap({ Digest(hex: $0) }),
            let purpose = json["purpose"]?.text, purpose.utf8.count <= RecordLimits.codeBytesMax,
            let sql = json["sql"]?.text,
            let salt = json["salt"]?.text.flatMap({ Hex.decode($0) }),
            salt.count == Salted.saltBytes
        else { throw .badBody }
        // Longer than the gate lets through, it could not be stored; the ledger hears of it from the buyer alone.
        guard sql.utf8.count <= QueryGate.sqlBytesMax else { throw .bodyTooLarge }
        return JobService.Submission(
            agreement: agreement, job: job, purpose: purpose, sql: sql, salt: salt)
    }

    private func found(_ id: String) async throws -> JobRow {
        guard let id = Digest(hex: id) else { throw SandboxError.badPath }
        guard let row = try await service.current(id) else { throw SandboxError.notFound }
        return row
    }

    // MARK: Buyer

    private func job(_ id: String, _ caller: MemberRecord) async throws -> JSONValue {
        let row = try await found(id)
        guard row.buyer == caller.id else { throw SandboxError.notYours }
        let shown: JSONValue = [
            "job": .hex(row.id), "agreement": .hex(row.agreement), "status": .text(row.stage.name),
        ]
        guard [.refused, .rejected, .stopped].contains(row.stage), let code = row.code else {
            return shown
        }
        let english = row.messageEn ?? code.messageEn
        let chinese = row.messageZh ?? code.messageZh
        return shown.adding([
            .init("codeName", .text(code.name)), .init("message", .text("\(english) / \(chinese)")),
        ])
    }

    private func output(_ id: String, _ caller: MemberRecord) async throws -> JSONValue {
        let row = try await found(id)
        guard row.buyer == caller.id else { throw SandboxError.notYours }
        // `current` saw the release, over this very output, in a proven state.
        guard row.stage == .released else { throw SandboxError.notReleased }
        return try await shown(row)
    }

    // MARK: Reviewer

    private func reviews(_ caller: MemberRecord) async throws -> JSONValue {
        guard caller.has(.outputReviewer) else { throw SandboxError.notReviewer }
        var jobs: [JSONValue] = []
        for job in try await service.held()
        where try await mayReview([job.buyer, job.provider], caller) {
            jobs.append([
                "job": .hex(job.id), "agreement": .hex(job.agreement),
                "purpose": .text(job.purpose), "groups": .unsigned(job.groups),
                "rowsRead": .unsigned(job.rowsRead),
            ])
        }
        return ["jobs": .list(jobs)]
    }

    private func review(_ id: String, _ caller: MemberRecord) async throws -> JSONValue {
        guard caller.has(.outputReviewer) else { throw SandboxError.notReviewer }
        let row = try await found(id)
        guard try await mayReview([row.buyer, row.provider], caller) else {
            throw SandboxError.notReviewer
        }
        guard row.stage == .held else { throw SandboxError.notHeld }
        let query = try await service.query(of: row)
        return try await shown(row).adding([.init("sql", .text(query.sql))])
    }

    /// Never one's own group's, as the ledger decides it too.
    private func mayReview(_ parties: [MemberID], _ caller: MemberRecord) async throws -> Bool {
        for party in parties {
            guard let member = try await service.ledger.member(party).record,
                !caller.sharesGroup(with: member)
            else { return false }
        }
        return true
    }

    // MARK: Outputs

    private func shown(_ row: JobRow) async throws -> JSONValue {
        guard let output = try await service.output(of: row),
            case .array(let parts)? = try? CBORValue.decode(
                output.bytes, limits: WorkerRequest.limits), parts.count == 2,
            case .array(let columns) = parts[0], case .array(let rows) = parts[1]
        else { throw SandboxError.storage }
        return [
            "job": .hex(row.id), "agreement": .hex(row.agreement),
            "columns": .list(columns.map(SandboxRoutes.json)),
            "rows": .list(
                rows.map { row in
                    guard case .array(let values) = row else { return .null }
                    return .list(values.map(SandboxRoutes.json))
                }), "output": .text(Base64URL.encode(output.bytes)),
            "salt": .text(Hex.encode(output.salt)),
        ]
    }

    private static func json(_ value: CBORValue) -> JSONValue {
        switch value {
        case .unsigned(let number): .unsigned(number)
        case .negative(let number): .integer(Int64(bitPattern: ~number))
        case .text(let text): .text(text)
        case .bytes(let bytes): .text(Hex.encode(bytes))
        case .bool(let value): .bool(value)
        case .null, .array, .map, .tag: .null
        }
    }
}
