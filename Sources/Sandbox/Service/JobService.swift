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
/// proven job record shows them; the ledger takes a job out of `submitted` once, whatever is repeated. What the
/// ledger will never take stops the job until the next start. Releasing and metering are the reviewer's
/// transaction: here they are only seen.
public actor JobService {
    public struct Options: Sendable {
        public var limits = WorkerLimits()
        /// A proven state's header is at most this old.
        public var freshnessMs: UInt64 = 60_000
        /// Jobs that are not decided yet, those that wait for a reviewer included.
        public var openJobsMax = 256
        /// How long a new job may lag behind at the nodes.
        public var patienceMs: UInt64 = 5_000
        /// Pause before a step is tried again; it doubles from try to try, up to `retryMsMax`.
        public var retryMs: UInt64 = 1_000
        public var retryMsMax: UInt64 = 60_000
        /// Told of each change of a row, once it is durable.
        var onSaved: @Sendable (JobRow) -> Void = { _ in }

        public init() {}
    }

    nonisolated let ledger: any LedgerView
    nonisolated let options: Options
    private let folder: SandboxFolder
    let store: SandboxStore
    private let runner: any QueryRunner
    let key: EncryptionKey
    let logger: Logger
    private var pumping: Task<Void, Never>?
    private var isAwake = false
    private var isStarting = false
    private var pauses: [Int64: Pause] = [:]

    /// When a job's step is tried again.
    private struct Pause {
        let lengthMs: UInt64
        let end: ContinuousClock.Instant
    }

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
                try JobRow.count(JobStage.open, in: database) < openMax
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

    /// Where a job stands; what waits for somebody is looked up on the ledger.
    func current(_ id: Digest) async throws -> JobRow? {
        guard var row = try await row(id) else { return nil }
        guard row.stage == .held || row.stage == .stopped,
            let record = try fresh(try await ledger.job(id))
        else {
            return row
        }
        if JobService.settle(&row, record) { try await save(row) }
        return row
    }

    /// Jobs whose outputs wait for a reviewer, in the order of their arrival; `openJobsMax` bounds them.
    func held() async throws -> [JobSummary] {
        var open: [JobSummary] = []
        var last: Int64 = 0
        while true {
            let after = last
            let page = try await store.perform {
                try JobRow.summaries([.held], after: after, in: $0)
            }
            guard let end = page.last else { return open }
            last = end.number
            for job in page {
                if try fresh(try await ledger.job(job.id))?.status == .held {
                    open.append(job)
                } else {
                    // Takes over what the ledger has decided.
                    _ = try await current(job.id)
                }
            }
        }
    }

    func query(of row: JobRow) throws -> SealedQuery {
        try SealedQuery.decode(try SealedBox.open(row.query, with: key))
    }

    func output(of row: JobRow) throws -> SealedOutput? {
        guard let sealed = row.output else { return nil }
        return try SealedOutput.decode(try SealedBox.open(sealed, with: key))
    }

    func save(_ row: JobRow) async throws {
        try await store.perform { try row.update(in: $0) }
        options.onSaved(row)
    }

    // MARK: Running

    /// Goes on with what a stop or a crash left behind, and tries once more what stopped.
    public func start() {
        isStarting = true
        wake()
    }

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
                if try await advanceAll() {
                    isAwake = true
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

    /// One step of every job that is due.
    ///
    /// - Returns: whether a job waits to be tried again.
    private func advanceAll() async throws -> Bool {
        if isStarting {
            try await store.perform { try JobRow.restartStopped(in: $0) }
            isStarting = false
        }
        var waiting: Set<Int64> = []
        var last: Int64 = 0
        while !Task.isCancelled {
            let after = last
            let numbers = try await store.perform {
                try JobRow.numbers(JobStage.pending, after: after, in: $0)
            }
            guard let end = numbers.last else { break }
            last = end
            for number in numbers where !Task.isCancelled {
                if let pause = pauses[number], pause.end > .now {
                    waiting.insert(number)
                    continue
                }
                do {
                    if let row = try await store.perform({ try JobRow.find(number: number, in: $0) }
                    ) {
                        try await advance(row)
                    }
                    pauses[number] = nil
                } catch {
                    // The ledger or a worker may be there again later.
                    waiting.insert(number)
                    pause(number, after: error)
                }
            }
        }
        // Others were settled by somebody who looked at them.
        pauses = pauses.filter { waiting.contains($0.key) }
        return !waiting.isEmpty
    }

    private func pause(_ number: Int64, after error: any Error) {
        let known = pauses[number]
        let lengthMs = min(
            known.map { $0.lengthMs * 2 } ?? options.retryMs,
            max(options.retryMs, options.retryMsMax))
        pauses[number] = Pause(
            lengthMs: lengthMs, end: .now + .milliseconds(lengthMs))
        let metadata: Logger.Metadata = [
            "row": "\(number)", "pauseMs": "\(lengthMs)", "error": "\(error)",
        ]
        if error is DamagedJob, known == nil {
            logger.error("a job cannot be read / 作业无法读取", metadata: metadata)
        } else {
            logger.warning("a job waits / 作业等待重试", metadata: metadata)
        }
    }

    private func advance(_ pending: JobRow) async throws {
        var row = pending
        guard let record = try fresh(try await ledger.job(row.id)) else {
            throw StillOpen(code: .unknownJob)
        }
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
            throw GateRefusal(.prohibited, "there is no review policy", "没有审核规则")
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
}
