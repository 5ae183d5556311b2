import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Logging
import Market
import Policy
import Records
import TestWaiting
import Testing

@testable import Sandbox

/// A ledger in memory that decides holds and refusals as `Market` does.
final class FakeLedger: LedgerView {
    struct State {
        var jobs: [Digest: JobRecord] = [:]
        var licences: [Digest: AgreementRecord] = [:]
        var assets: [Digest: AssetRecord] = [:]
        var members: [MemberID: MemberRecord] = [:]
        var keys: [KeyID: KeyRecord] = [:]
        var posts = 0
        var ageMs: UInt64 = 0
        var isDown = false
        /// Reads and posts that were refused because the ledger is down.
        var missed = 0
        var accepted: [TransactionKind] = []
        /// What posts are answered with instead.
        var answers: OutcomeCode?
        var signed = 0
    }

    let suite = LedgerCrypto.Suite.ed25519SHA256
    let chain: ChainID
    let operatorID: MemberID
    let key = SigningKey.generate(.ed25519SHA256)
    let state = Watched(State())

    init() throws {
        chain = Digest.zero
        operatorID = try #require(MemberID("PROVIDER"))
    }

    private func seen<Record>(_ read: (State) -> Record?) throws(ClientError) -> Seen<Record> {
        let (record, ageMs, isDown) = state.withLock { state in
            if state.isDown { state.missed += 1 }
            return (read(state), state.ageMs, state.isDown)
        }
        guard !isDown else { throw .unreachable(node: "fake", reason: "down") }
        return Seen(record, height: 1, timeMs: JobService.nowMs() - ageMs)
    }

    func member(_ id: MemberID) async throws(ClientError) -> Seen<MemberRecord> {
        try seen { $0.members[id] }
    }
    func key(_ id: KeyID) async throws(ClientError) -> Seen<KeyRecord> { try seen { $0.keys[id] } }
    func policy(_ name: String) async throws(ClientError) -> Seen<PolicyRecord> {
        try seen { _ in StandardPolicies.review }
    }
    func asset(_ id: Digest) async throws(ClientError) -> Seen<AssetRecord> {
        try seen { $0.assets[id] }
    }
    func agreement(_ id: Digest) async throws(ClientError) -> Seen<AgreementRecord> {
        try seen { $0.licences[id] }
    }
    func job(_ id: Digest) async throws(ClientError) -> Seen<JobRecord> {
        try seen { $0.jobs[id] }
    }

    func sign(_ body: some TransactionBody) throws(ClientError) -> [UInt8] {
        state.withLock { $0.signed += 1 }
        var encoder = CBOREncoder()
        encoder.array(2)
        encoder.unsigned(type(of: body).kind.rawValue)
        encoder.value(body)
        return encoder.bytes
    }

    func post(_ envelope: [UInt8]) async throws(ClientError) -> SubmissionAnswer {
        let code: OutcomeCode? = state.withLock { state in
            guard !state.isDown else {
                state.missed += 1
                return nil
            }
            state.posts += 1
            if let answer = state.answers { return answer }
            return (try? FakeLedger.apply(envelope, &state)) ?? .undecodable
        }
        guard let code else { throw .unreachable(node: "fake", reason: "down") }
        return SubmissionAnswer(id: nil, envelope: nil, status: .final, code: code)
    }

    private static func apply(_ envelope: [UInt8], _ state: inout State) throws -> OutcomeCode {
        var decoder = CBORDecoder(envelope.span.bytes, limits: .standard)
        try decoder.array(exactly: 2)
        switch TransactionKind(rawValue: try decoder.unsigned()) {
        case .jobHold:
            let body = try JobHold(from: &decoder)
            guard state.jobs[body.job]?.status == .submitted else { return .wrongState }
            state.jobs[body.job]?.status = .held
            state.jobs[body.job]?.outputCommitment = body.outputCommitment
            state.accepted.append(.jobHold)
        case .jobRefuse:
            let body = try JobRefuse(from: &decoder)
            guard state.jobs[body.job]?.status == .submitted else { return .wrongState }
            state.jobs[body.job]?.status = .refused
            state.jobs[body.job]?.refusal = body.reason.rawValue
            state.accepted.append(.jobRefuse)
        default: return .unknownKind
        }
        return .accepted
    }
}

struct LocalRunner: QueryRunner {
    func run(
        _ query: GatedQuery, table: String, rules: DisclosureRules, limits: WorkerLimits
    ) throws -> JobOutput {
        let job = WorkerJob(tablePath: table, query: query, rules: rules, limits: limits)
        switch QueryRun(job: job).answer() {
        case .output(let output): return output
        case .refused(let code, let english, let chinese):
            throw GateRefusal(code, english, chinese)
        case .selfTest: throw CancellationError()
        }
    }
}

struct NeverRuns: QueryRunner {
    func run(
        _ query: GatedQuery, table: String, rules: DisclosureRules, limits: WorkerLimits
    ) throws -> JobOutput { throw CancellationError() }
}

/// The ledger is gone by the time that the job's answer is to be told to it.
struct RunsAsTheLedgerFails: QueryRunner {
    let ledger: FakeLedger

    func run(
        _ query: GatedQuery, table: String, rules: DisclosureRules, limits: WorkerLimits
    ) throws -> JobOutput {
        ledger.state.withLock { $0.isDown = true }
        return try LocalRunner().run(query, table: table, rules: rules, limits: limits)
    }
}

/// A provider, a buyer and a reviewer around one licence.
struct Market1 {
    let folder: TemporaryFolder
    let data: SandboxFolder
    let ledger: FakeLedger
    /// The rows that the newest service has saved, in order.
    let saved = Watched<[JobRow]>([])
    let sealing = EncryptionKey.generate(.ed25519SHA256)
    let licence: AgreementRecord
    var keys: [String: SigningKey] = [:]

    static func id(_ byte: UInt8) throws -> Digest {
        try #require(Digest(bytes: [UInt8](repeating: byte, count: 32)))
    }

    init() throws {
        folder = try TemporaryFolder()
        let (data, table) = try Shops.load(folder)
        self.data = data
        ledger = try FakeLedger()
        let asset = try Market1.id(1)
        for (name, group, roles) in [
            ("PROVIDER", "a", [Role.provider, .sandboxOperator]), ("BUYER", "b", [.buyer]),
            ("REVIEWER", "c", [.outputReviewer]), ("FRIEND", "b", [.outputReviewer]),
        ] {
            let member = try #require(MemberID(name))
            let key = SigningKey.generate(.ed25519SHA256)
            keys[name] = key
            ledger.state.withLock {
                $0.members[member] = MemberRecord(
                    id: member, nameZh: name, nameEn: name, group: group, roles: roles,
                    status: .active, liveKeys: 1, enrolledHeight: 0)
                $0.keys[key.publicKey.keyID] = KeyRecord(
                    keyID: key.publicKey.keyID, member: member, publicKey: key.publicKey,
                    person: "p", mandates: [.maker], registeredHeight: 0)
            }
        }
        let provider = try #require(MemberID("PROVIDER"))
        licence = AgreementRecord(
            id: try Market1.id(2), offer: try Market1.id(3), asset: asset, provider: provider,
            buyer: try #require(MemberID("BUYER")), venue: provider, sandboxOperator: provider,
            bank: provider, purpose: "research", columns: ["amount", "city", "shop"],
            priceFen: 1, usesMax: 1, usesReserved: 1, durationMs: 1, startsMs: 0,
            expiresMs: JobService.nowMs() + 3_600_000, groupMinimum: 5, venueFeeBasisPoints: 0,
            pseudonymSalt: [UInt8](repeating: 0, count: 16), statementCommitment: asset,
            status: .agreed, requestedHeight: 0)
        let (record, agreement) = (
            AssetRegister.example.record(asset, provider, table), licence
        )
        ledger.state.withLock {
            $0.assets[asset] = record
            $0.licences[agreement.id] = agreement
        }
    }

    func service(
        _ runner: any QueryRunner = LocalRunner(), options given: JobService.Options? = nil
    ) throws -> JobService {
        var options = given ?? JobService.Options()
        options.retryMs = 10
        // Pauses do not grow with the time that a test spends waiting for the processor.
        options.retryMsMax = 40
        options.patienceMs = 50
        options.onSaved = { [saved] row in saved.withLock { $0.append(row) } }
        saved.withLock { $0 = [] }
        return try JobService(
            ledger: ledger, folder: data, runner: runner, key: sealing, options: options,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    func record(_ status: JobStatus) -> JobRecord {
        JobRecord(
            id: Digest.zero, agreement: licence.id, asset: licence.asset, buyer: licence.buyer,
            purpose: licence.purpose, queryCommitment: Digest.zero, status: status,
            submittedHeight: 1)
    }

    /// As if `job.submit` were final.
    func submit(_ sql: String, _ number: UInt8) throws -> JobService.Submission {
        let salt = [UInt8](repeating: number, count: 16)
        let id = try Market1.id(number)
        let record = JobRecord(
            id: id, agreement: licence.id, asset: licence.asset, buyer: licence.buyer,
            purpose: licence.purpose,
            queryCommitment: Salted.commit(
                salt: salt, value: Array(sql.utf8), suite: .ed25519SHA256),
            status: .submitted, submittedHeight: 1)
        ledger.state.withLock { $0.jobs[id] = record }
        return JobService.Submission(
            agreement: licence.id, job: id, purpose: licence.purpose, sql: sql, salt: salt)
    }

    /// The job's row once it needs nothing more of the newest service.
    func settled(_ job: Digest) async throws -> JobRow {
        let rows = try await saved.wait { $0.contains { $0.id == job && !$0.stage.isPending } }
        return try #require(rows.last { $0.id == job })
    }

    func ask(
        _ service: JobService, _ who: String, _ path: String, method: String = "GET",
        body: JSONValue? = nil
    ) async -> (Int, JSONValue) {
        do {
            let key = try #require(keys[who])
            let token = RequestToken.header(
                method: method, path: path, timeMs: JobService.nowMs(), chain: ledger.chain,
                with: key)
            let answer = try await SandboxRoutes(service: service).answer(
                method: method, path: path, authorization: token, body: body?.encodedBytes ?? [])
            return (answer.status, answer.body)
        } catch let error as SandboxError {
            return (error.status, error.json)
        } catch {
            return (503, .text("\(error)"))
        }
    }
}

extension AssetRegister {
    fileprivate func record(_ id: Digest, _ provider: MemberID, _ table: LoadedTable) -> AssetRecord
    {
        AssetRecord(
            id: id, code: code, provider: provider, titleZh: titleZh, titleEn: titleEn,
            keywords: keywords, columns: table.columns, entityKey: table.entityKey,
            rowCount: table.rowCount, dataCommitment: table.commitment,
            source: source, sourceURL: sourceURL, ownerClass: ownerClass, level: level,
            grade: grade, rights: rights, status: .registered,
            rightsLog: EventLog(.ed25519SHA256), tradesLog: EventLog(.ed25519SHA256),
            refusalsLog: EventLog(.ed25519SHA256))
    }
}
