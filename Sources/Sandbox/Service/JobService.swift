import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Logging
import Market
import Policy
import Records

/// Runs a query where nothing can be reached; `Isolation` does, and tests do it their own way.
public protocol QueryRunner: Sendable {
    /// Blocks the thread.
    ///
    /// - Throws: `GateRefusal`, or anything else where the job can be tried again.
    func run(
        _ query: GatedQuery, table: String, rules: DisclosureRules, limits: WorkerLimits
    ) throws -> JobOutput
}

extension Isolation: QueryRunner {}

/// Takes jobs in, and brings each to the ledger's decision, one after another.
///
/// Every step is durable before the next: queued → holding (output sealed on disk) → held, or queued → refusing →
/// refused. A crash repeats the last step alone. Holding and refusing are signed once, stored, and posted until the
/// proven job record shows them; the ledger takes a job out of `submitted` once, whatever is repeated. Releasing and
/// metering are the reviewer's transaction: here they are only seen.
public actor JobService {
    public struct Options: Sendable {
        public var limits = WorkerLimits()
        /// A proven state's header is at most this old.
        public var freshnessMs: UInt64 = 60_000
        public var openJobsMax = 256
        /// How long a new job may lag behind at the nodes.
        public var patienceMs: UInt64 = 5_000
        public var retryMs: UInt64 = 1_000

        public init() {}
    }

    nonisolated let ledger: any LedgerView
    nonisolated let options: Options
    private let folder: SandboxFolder
    let store: SandboxStore
    private let runner: any QueryRunner
    private let key: EncryptionKey
    private let logger: Logger
    private var pumping: Task<Void, Never>?
    private var isAwake = false

    /// - Parameter key: seals queries and outputs on disk.
    public init(
        ledger: any LedgerView, folder: SandboxFolder, runner: any QueryRunner,
        key: EncryptionKey, options: Options = Options(), logger: Logger
    ) throws {
        self.ledger = ledger
        self.folder = folder
        store = try folder.store()
        self.runner = runner
        self.key = key
        self.options = options
        self.logger = logger
    }

    static func nowMs() -> UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1_000)) }

    /// The record of a state that is fresh enough to decide on.
    func fresh<Record>(_ seen: Seen<Record>) throws(ClientError) -> Record? {
        let now = JobService.nowMs()
        let ageMs = now > seen.timeMs ? now - seen.timeMs : 0
        guard ageMs <= options.freshnessMs else {
            throw .stale(node: "ledger", height: seen.height, ageMs: ageMs)
        }
        return seen.record
    }

    // MARK: Taking in

    struct Submission: Sendable {
        let agreement: Digest
        let job: Digest
        let purpose: String
        let sql: String
        let salt: [UInt8]
    }

    /// Takes a job whose `job.submit` is final, once: the same again answers where it stands.
    func take(_ submission: Submission, from buyer: MemberID) async throws -> JobRow {
        let record = try await submitted(submission.job)
        guard record.buyer == buyer else { throw SandboxError.notYours }
        let commitment = Salted.commit(
            salt: submission.salt, value: Array(submission.sql.utf8), suite: ledger.suite)
        guard record.queryCommitment == commitment, record.agreement == submission.agreement,
            record.purpose == submission.purpose
        else { throw SandboxError.commitment }
        let known = submission.job
        if let row = try await store.perform({ try JobRow.find(known, in: $0) }) { return row }
        guard let licence = try fresh(try await ledger.agreement(record.agreement)) else {
            throw SandboxError(404, .unknownAgreement)
        }
        guard licence.sandboxOperator == ledger.operatorID else {
            throw SandboxError.otherSandbox
        }
        let query = SealedQuery(sql: submission.sql, salt: submission.salt)
        let row = JobRow(
            id: record.id, agreement: record.agreement, buyer: buyer, provider: licence.provider,
            purpose: record.purpose, stage: .queued,
            query: try SealedBox.seal(query.encoded, to: key.publicKey))
        let openMax = options.openJobsMax
        let isTaken = try await store.perform { database in
            guard
                try JobRow.all([.queued, .holding, .refusing], in: database).count < openMax
            else { return false }
            _ = try row.insert(in: database)
            return true
        }
        guard isTaken else { throw SandboxError.busy }
        wake()
        return row
    }

    /// The job's record; a node may lag some blocks behind the one that the buyer asked.
    private func submitted(_ id: Digest) async throws -> JobRecord {
        let deadline = JobService.nowMs() + options.patienceMs
        while true {
            if let record = try fresh(try await ledger.job(id)) { return record }
            guard JobService.nowMs() < deadline else { throw SandboxError.notReady }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    // MARK: Looking

    func row(_ id: Digest) async throws -> JobRow? {
        try await store.perform { try JobRow.find(id, in: $0) }
    }

    /// Where a job stands; what is held is looked up on the ledger.
    func current(_ id: Digest) async throws -> JobRow? {
        guard var row = try await row(id) else { return nil }
        guard row.stage == .held, let record = try fresh(try await ledger.job(id)) else {
            return row
        }
        if JobService.settle(&row, record) { try await save(row) }
        return row
    }

    func held() async throws -> [JobRow] {
        let rows = try await store.perform { try JobRow.all([.held], in: $0) }
        var open: [JobRow] = []
        for row in rows {
            if let now = try await current(row.id), now.stage == .held { open.append(now) }
        }
        return open
    }

    func query(of row: JobRow) throws -> SealedQuery {
        try SealedQuery.decode(try SealedBox.open(row.query, with: key))
    }

    func output(of row: JobRow) throws -> SealedOutput? {
        guard let sealed = row.output else { return nil }
        return try SealedOutput.decode(try SealedBox.open(sealed, with: key))
    }

    /// Takes over what the ledger has decided of a job.
    ///
    /// - Returns: whether it changed anything.
    private static func settle(_ row: inout JobRow, _ record: JobRecord) -> Bool {
        let before = row.stage
        switch record.status {
        case .submitted: return false
        case .held:
            guard row.commitment == record.outputCommitment else {
                // Another instance with the operator's key holds an output that we do not have.
                row.stage = .refused
                row.code = .wrongState
                return true
            }
            row.stage = .held
        case .released:
            // Only what was reviewed leaves.
            row.stage = row.commitment == record.outputCommitment ? .released : .refused
        case .rejected:
            row.stage = .rejected
            row.code = record.refusal.flatMap { OutcomeCode(rawValue: $0) }
            row.output = nil
        case .refused:
            row.stage = .refused
            row.code = record.refusal.flatMap { OutcomeCode(rawValue: $0) }
            row.output = nil
        case .lapsed:
            row.stage = .refused
            row.code = row.code ?? .licenceEnded
            row.output = nil
        }
        return row.stage != before
    }

    private func save(_ row: JobRow) async throws {
        try await store.perform { try row.update(in: $0) }
    }

    // MARK: Running

    /// Goes on with what a stop or a crash left behind.
    public func start() { wake() }

    /// Ends after the step in progress, which is repeated or found done at the next start.
    public func stop() async {
        pumping?.cancel()
        await pumping?.value
    }

    private func wake() {
        isAwake = true
        guard pumping == nil else { return }
        pumping = Task { await pump() }
    }

    private func pump() async {
        while isAwake, !Task.isCancelled {
            isAwake = false
            do {
                let rows = try await store.perform {
                    try JobRow.all([.queued, .holding, .refusing], in: $0)
                }
                for row in rows where !Task.isCancelled {
                    do {
                        try await advance(row)
                    } catch {
                        // The ledger or a worker may be there again later.
                        isAwake = true
                        logger.warning(
                            "a job waits / 作业等待重试",
                            metadata: ["job": "\(row.id.hex)", "error": "\(error)"])
                    }
                }
                if !rows.isEmpty, isAwake {
                    try await Task.sleep(for: .milliseconds(options.retryMs))
                }
            } catch is CancellationError {
                break
            } catch {
                logger.error("the store failed / 存储失败", metadata: ["error": "\(error)"])
                isAwake = true
                try? await Task.sleep(for: .milliseconds(options.retryMs))
            }
        }
        pumping = nil
        if isAwake, !Task.isCancelled { wake() }
    }

    private func advance(_ pending: JobRow) async throws {
        var row = pending
        guard let record = try fresh(try await ledger.job(row.id)) else { return }
        if JobService.settle(&row, record) {
            try await save(row)
            return
        }
        if row.stage == .queued {
            do {
                let output = try await run(row)
                let salt = SecureRandom.bytes(Salted.saltBytes)
                let sealed = SealedOutput(bytes: output.bytes, salt: salt)
                row.output = try SealedBox.seal(sealed.encoded, to: key.publicKey)
                row.commitment = Salted.commit(
                    salt: salt, value: output.bytes, suite: ledger.suite)
                row.groups = output.groups
                row.rowsRead = output.rowsRead
                row.stage = .holding
            } catch let refusal as GateRefusal {
                row.refuse(refusal)
            }
            try await save(row)
        }
        try await settleOnLedger(row)
    }

    /// Decides on a verified, fresh state; then the gate, then the worker.
    private func run(_ row: JobRow) async throws -> JobOutput {
        let licence = try await licence(row)
        guard let asset = try fresh(try await ledger.asset(licence.asset)),
            asset.status == .registered
        else {
            throw GateRefusal(.prohibited, "the asset is not registered", "资产未登记或已冻结")
        }
        let commitment = asset.dataCommitment
        guard
            let table = try await store.perform({
                try LoadedTable.find(commitment: commitment, in: $0)
            }), asset.entityKey.map({ key in table.columns.contains { $0.name == key } }) ?? true
        else {
            throw GateRefusal(
                .valueNotAllowed, "the asset's table is not loaded in this sandbox", "沙箱未装载该资产的数据表")
        }
        guard let policy = try fresh(try await ledger.policy(PolicyRecord.review)),
            let rules = DisclosureRules(policy)
        else {
            throw GateRefusal(.prohibited, "there is no review policy", "没有审核策略")
        }
        let query = try QueryGate.admit(
            try self.query(of: row).sql,
            to: GateTable(
                name: table.name, columns: table.columns.map(\.name), entityKey: asset.entityKey,
                scope: licence.columns),
            allowsExtremes: policy.number(QueryGate.allowExtremes) == 1)
        try permit(row, licence, query)
        let path = folder.path(of: table)
        let tightened = rules.tightened(groupMinimum: licence.groupMinimum)
        let (runner, limits) = (runner, options.limits)
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result {
                        try runner.run(query, table: path, rules: tightened, limits: limits)
                    })
            }
        }
    }

    private func licence(_ row: JobRow) async throws -> AgreementRecord {
        guard let licence = try fresh(try await ledger.agreement(row.agreement)),
            licence.sandboxOperator == ledger.operatorID
        else {
            throw GateRefusal(.prohibited, "the licence is not for this sandbox", "许可不属于本沙箱")
        }
        return licence
    }

    /// The same decision that the ledger made at job.submit, now with the columns and at this moment.
    private func permit(
        _ row: JobRow, _ found: AgreementRecord, _ query: GatedQuery
    ) throws(GateRefusal) {
        var licence = found
        // This job's own use is reserved already.
        licence.usesReserved -= min(1, licence.usesReserved)
        do throws(OutcomeCode) {
            try licence.checkUse(
                by: row.buyer, purpose: row.purpose, columns: Scope(query.columns),
                timeMs: JobService.nowMs())
        } catch {
            let code = RefusalReason.codes.contains(error) ? error : .prohibited
            throw GateRefusal(code, error.messageEn, error.messageZh)
        }
    }

    // MARK: The ledger

    private func body(of row: JobRow) throws(ClientError) -> [UInt8] {
        if row.stage == .holding, let commitment = row.commitment {
            return try ledger.sign(
                JobHold(
                    job: row.id, outputCommitment: commitment, rowsRead: row.rowsRead,
                    groups: row.groups))
        }
        return try ledger.sign(JobRefuse(job: row.id, reason: row.code ?? .prohibited))
    }

    /// Posts the hold or refusal until the proven record shows a decision.
    private func settleOnLedger(_ pending: JobRow) async throws {
        var row = pending
        if row.envelope == nil {
            row.envelope = try body(of: row)
            // On disk before it leaves: after a crash the same transaction goes out again.
            try await save(row)
        }
        guard let envelope = row.envelope else { return }
        let answer = try await ledger.post(envelope)
        if let record = try fresh(try await ledger.job(row.id)),
            JobService.settle(&row, record)
        {
            try await save(row)
            logger.info(
                "job \(row.stage.name) / 作业状态", metadata: ["job": "\(row.id.hex)"])
            return
        }
        switch answer.code {
        case .licenceEnded where row.stage == .holding:
            row.refuse(GateRefusal(.licenceEnded, "the licence ended", "许可已终止"))
            try await save(row)
        case .accepted, .duplicate, .replayed, .busy, .overQuota, .unavailable: break
        default:
            // Expired, or refused for a reason that may pass: sign it anew.
            row.envelope = nil
            try await save(row)
        }
        // Not decided yet: the pump comes back to it.
        throw StillOpen(code: answer.code)
    }

    private struct StillOpen: Error, CustomStringConvertible {
        let code: OutcomeCode

        var description: String { "the ledger has not decided yet (\(code.name))" }
    }
}
