import Consensus
import Dispatch
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Logging
import Market
import Replica
import Storage
import Transport

/// The replica's thread: takes inputs one by one and performs their effects in order, as `Replica` demands.
///
/// Everything here belongs to that one thread. Waiting for the disk is allowed on it, and nothing else waits.
final class ReplicaLoop {
    let shared: NodeShared
    let store: Store
    var replica: Replica<Store>
    var desk: SubmissionDesk
    var metrics = NodeMetrics()
    let genesis: Genesis
    private let chain: ChainID
    /// Who the peers are in the present epoch.
    var peers: PeerTable
    /// Nil for an observer.
    let votingKey: SigningKey?
    let dataDirectory: String
    private let recovery: Recovery?
    let servedBytesMax: Int
    let logger: Logger
    /// Why the key does not vote from this store.
    var bar: VoteBar?
    /// The voting key, where it may vote from this store, and the number of this start.
    let claimed: (key: KeyID, starts: UInt64)?
    var deadlines = Deadlines()
    /// Inputs that effects gave rise to; they go before the mailbox.
    var followUps: [Input] = []
    /// Batches of signatures of earlier replicas in this process, and of all.
    var batchesBefore: UInt64 = 0
    var lastBatch: UInt64 = 0
    var queue = FairQueue()
    private var stopReason: StopReason?
    private var nextExpiryMs: UInt64 = 0
    /// Of the present epoch, as last read.
    private var voteChecks: UInt64 = 0

    /// How often overdue submissions are looked for, in milliseconds.
    private static let expiryMs: UInt64 = 50

    /// Opens the store, which takes up where the last run or crash left it.
    init(_ configuration: NodeConfiguration, shared: NodeShared) throws(StorageError) {
        self.shared = shared
        genesis = configuration.genesis
        chain = shared.chain
        votingKey = configuration.votingKey
        dataDirectory = configuration.dataDirectory
        recovery = configuration.recovery
        logger = shared.logger
        servedBytesMax = configuration.limits.servedBytesMax
        store = try Store(
            folder: configuration.dataDirectory, genesis: configuration.genesis,
            options: configuration.storeOptions)
        var voting: (key: KeyID, starts: UInt64)?
        if let keyID = configuration.votingKey?.publicKey.keyID,
            let folder = configuration.bindingFolder.map({ BindingFolder(folder: $0, key: keyID) })
        {
            switch try store.claimVotes(of: keyID, file: folder.read(), write: folder.write) {
            case .success(let binding): voting = (keyID, binding.starts)
            case .failure(let found): bar = found
            }
        }
        claimed = voting
        replica = Replica(
            genesis: configuration.genesis, base: store, recovered: try store.replicaState(),
            votingKey: voting?.key, question: voting?.starts ?? 0)
        peers = PeerTable(
            configuration.peers, genesis: configuration.genesis.validators,
            validators: replica.simplex.validators)
        desk = SubmissionDesk(waitingMax: configuration.limits.waitingSubmissionsMax)
        publish(finalization: store.recovered.finalization)
        publishSeats()
        noteCommitted()
        if let bar { warn(bar) }
    }

    /// Before anybody is told that the node is there: whoever submits to it then finds the seat that it has.
    func begin() {
        shared.network?.update(peers: peers.endpoints)
        drive(.start)
        if let recovery { take(recovery) }
        publishCounters()
    }

    /// Until the node stops.
    func run() -> StopReason {
        while stopReason == nil {
            queue.add(
                queue.isEmpty
                    ? shared.mailbox.take(until: nextDeadline()) : shared.mailbox.takeNow())
            let began = DispatchTime.now().uptimeNanoseconds
            for mail in queue.takeRound(nowNs: began) {
                guard stopReason == nil else {
                    decline(mail)
                    continue
                }
                handle(mail)
            }
            fireTimers()
            metrics.waitingSubmissions = UInt64(desk.count)
            countVoteChecks()
            metrics.busyMicroseconds += (DispatchTime.now().uptimeNanoseconds - began) / 1_000
            publishCounters()
        }
        let reason = stopReason ?? .requested
        queue.add(shared.mailbox.close())
        while !queue.isEmpty {
            for mail in queue.takeRound(nowNs: .max) { decline(mail) }
        }
        desk.finishAll()
        return reason
    }

    private func countVoteChecks() {
        let checks = replica.simplex.signatureChecks
        // Each epoch counts from 0.
        metrics.voteChecks += checks >= voteChecks ? checks - voteChecks : checks
        voteChecks = checks
    }

    // MARK: Inputs

    private func handle(_ mail: Mail) {
        switch mail {
        case .input(let input, let bytes):
            receive(input, bytes: bytes)
        case .install(let stage): install(stage)
        case .submission(let submission):
            shared.submittedEnvelopes.subtract(
                submission.envelopes.count, ordering: .relaxed)
            metrics.envelopesSubmitted += UInt64(submission.envelopes.count)
            if let request = desk.admit(submission) {
                drive(.submitted(request, submission.envelopes))
            }
        case .read(let body):
            shared.waitingReads.subtract(1, ordering: .relaxed)
            body(NodeView(genesis: genesis, chain: chain, store: store))
        case .reload(let configuration, let done): done(reload(configuration))
        case .stop(let reason):
            stopReason = reason
        }
    }

    /// Nobody is left without an answer.
    private func decline(_ mail: Mail) {
        switch mail {
        case .input, .stop, .install: return
        case .submission(let submission):
            submission.finish(
                submission.envelopes.map {
                    SubmissionResult(
                        id: $0.id, envelopeDigest: $0.digest, status: .refused, code: .unavailable)
                })
        case .read(let body): body(nil)
        case .reload(_, let done): done(nil)
        }
    }

    /// One input and all its effects; then the inputs that these gave rise to.
    func drive(_ first: Input) {
        var next: Input? = first
        while let input = next, stopReason == nil {
            metrics.inputs += 1
            let effects = replica.handle(input, nowMs: Clock.wallMs())
            // A read that failed answered the core as if nothing were there: what follows from that is not said.
            if let fault = store.fault { return stop(.storage(fault)) }
            for effect in effects {
                perform(effect)
                if stopReason != nil { break }
            }
            next = followUps.isEmpty ? nil : followUps.removeFirst()
        }
        followUps.removeAll()
    }

    private func fireTimers() {
        while stopReason == nil, let timer = deadlines.takeDue(nowMs: Clock.monotonicMs()) {
            drive(.timer(timer))
        }
        let now = Clock.monotonicMs()
        if !desk.isEmpty, now >= nextExpiryMs {
            desk.expire(nowMs: now)
            nextExpiryMs = now + ReplicaLoop.expiryMs
        }
    }

    private func nextDeadline() -> DispatchTime {
        var next = deadlines.nextMs
        if !desk.isEmpty { next = min(next ?? .max, nextExpiryMs) }
        guard let next else { return .distantFuture }
        return DispatchTime(uptimeNanoseconds: next * 1_000_000)
    }

    // MARK: Effects

    private func perform(_ effect: Effect) {
        switch effect {
        case .persist(let bodies, let votes, let certificates):
            persist(bodies, votes, certificates)
        case .sign(let statement): followUps.append(.signed(sign(statement)))
        case .verify(let batch, let checks):
            metrics.signatureChecks += UInt64(checks.count)
            shared.verifier.check(numbered(batch), checks)
        case .broadcast(let message):
            // What an observer learns from votes, the validators know already.
            guard votingKey != nil || message.mayBeObservers else { return }
            shared.network?.broadcast(priority: message.priority, message.encoded)
        case .send(let peer, let message):
            if case .block = message {
                charging(peer) { send(message, to: peer) }
            } else {
                send(message, to: peer)
            }
        case .serveFinalBlocks(let peer, let height):
            charging(peer) { serve(peer, from: height) }
        case .serveEpochEnd(let peer, let epoch, let height):
            charging(peer) { serve(peer, endOf: epoch, upTo: height) }
        case .setTimer(let timer, let afterMs):
            deadlines.set(timer, atMs: Clock.monotonicMs() + afterMs)
        case .cancelTimer(let timer): deadlines.cancel(timer)
        case .commit(let commit): self.commit(commit)
        case .answer(let request, let codes):
            metrics.envelopesNotAdmitted += UInt64(codes.count { $0 != .accepted })
            desk.answer(request, codes)
        case .evidence(let pair): report(pair)
        case .forgotten(let vote): forgot(vote)
        case .cutOff(let peer, let offence):
            logger.warning(
                "a peer sent what nobody honest sends / 对端发送了诚实节点不会发送的内容",
                metadata: ["peer": "\(peer)", "offence": "\(offence)"])
            if let index = peers.index(of: peer) { shared.network?.cutOff(index, .forged) }
        case .contradicted(let header, let certificate): contradicted(by: header, certificate)
        case .reconfigure(let validators, let seat):
            peers.reconfigure(validators)
            shared.network?.update(peers: peers.endpoints)
            shared.status.withLock { $0.contradiction = nil }
            publishSeats()
            logger.info(
                "a new epoch began / 新一届开始",
                metadata: [
                    "epoch": "\(validators.epoch)", "validators": "\(validators.count)",
                    "seat": "\(seat.map { "\($0 + 1)" } ?? "none / 无")",
                ])
        case .halt(let fault): stop(.fault(fault))
        }
    }

    func publishSeats() {
        let validators = replica.simplex.validators
        let seat = replica.seat
        let votes = votes
        shared.status.withLock { status in
            status.validators = validators
            status.seat = seat
            status.votes = votes
        }
    }

    func stop(_ reason: StopReason) {
        if stopReason == nil { stopReason = reason }
    }

    /// A crash before this is done leaves no trace of the votes, and nobody has seen them; a crash right after leaves
    /// statements that the next start signs again, unchanged.
    private func persist(
        _ bodies: [Block], _ votes: [VoteStatement], _ certificates: [Certificate]
    ) {
        let began = DispatchTime.now().uptimeNanoseconds
        do throws(StorageError) {
            try store.persist(bodies: bodies, votes: votes, certificates: certificates)
        } catch {
            return stop(.storage(error))
        }
        metrics.persists += 1
        metrics.persistMicroseconds += (DispatchTime.now().uptimeNanoseconds - began) / 1_000
    }

    private func sign(_ statement: VoteStatement) -> Verified<Vote> {
        metrics.votesSigned += 1
        guard let seat = replica.seat, let votingKey else {
            preconditionFailure("only a replica with a seat has statements signed")
        }
        let key = votingKey.publicKey
        let message = statement.signedBytes(chain: chain, suite: key.suite, keyID: key.keyID)
        let vote = Vote(
            statement: statement, validator: seat, signature: votingKey.sign(message))
        return Verified(assumingValid: vote)
    }

    /// A crash before this is done leaves the vote to be found again.
    private func forgot(_ vote: Vote) {
        let statement = vote.statement
        do throws(StorageError) {
            guard let votingKey else { preconditionFailure("an observer has no votes") }
            try store.bar(votingKey.publicKey.keyID, forgotten: statement)
        } catch {
            return stop(.storage(error))
        }
        let found = VoteBar.forgotten(epoch: statement.epoch, view: statement.view)
        bar = found
        warn(found)
    }

    private func warn(_ bar: VoteBar) {
        logger.critical(
            "this node follows WITHOUT VOTING until its seat has a new key (docs/operations.md) / 本节点只跟随、不投票，须更换席位的投票密钥",
            metadata: ["reason": "\(bar.english)", "原因": "\(bar.chinese)"])
    }

    /// Nil for an observer, and where the key must not vote from this store.
    var cosigningKey: SigningKey? { claimed == nil || bar != nil ? nil : votingKey }

    /// Whether this node votes now.
    var votes: VoteStanding {
        if let bar { return .barred(bar) }
        if replica.seat == nil { return .noSeat }
        return replica.simplex.isComparing ? .comparing : .voting
    }

    /// A crash before this is done leaves the blocks to be found final again; a crash right after leaves final
    /// transactions whose submitters were not told.
    private func commit(_ commit: Commit) {
        let began = DispatchTime.now().uptimeNanoseconds
        do throws(StorageError) {
            try store.commit(commit)
        } catch {
            return stop(.storage(error))
        }
        metrics.commits += 1
        metrics.blocks += UInt64(commit.blocks.count)
        let (delayMs, isEarly) = Clock.wallMs().subtractingReportingOverflow(commit.header.timeMs)
        // The leader's clock may be ahead of this one.
        metrics.finalDelayMilliseconds += isEarly ? 0 : delayMs
        metrics.commitMicroseconds += (DispatchTime.now().uptimeNanoseconds - began) / 1_000
        // In this order, so that whoever is told that a transaction is final finds it and sees its height.
        noteCommitted()
        for block in commit.blocks { shared.archive.add(block) }
        publish(finalization: commit.finalization)
        shared.network?.tellObservers(
            PeerMessage.certificates([commit.finalization]).encoded)
        for block in commit.blocks { settle(block) }
        desk.pass(height: commit.header.height)
    }

    private func report(_ pair: Equivocation) {
        metrics.equivocations += 1
        shared.status.withLock { status in
            if status.equivocations.count < NodeStatus.equivocationsMax {
                status.equivocations.append(pair)
            }
        }
        // Of the epoch that effects have come to: the replica may have ended it with the same input.
        let seat = pair.first.validator
        let set = peers.validators
        let isPresent =
            pair.first.statement.epoch == set.epoch && set.validators.indices.contains(seat)
        logger.critical(
            "a validator contradicted itself / 记账节点投出矛盾投票",
            metadata: [
                "validator":
                    isPresent ? "\(set.validators[seat].member)" : "seat / 席位 \(seat + 1)",
                "epoch": "\(pair.first.statement.epoch)",
                "view": "\(pair.first.statement.view)",
                "evidence": "\(Hex.encode(pair.encoded))",
            ])
        if isPresent { file(pair, of: set.validators[seat].votingKey.keyID) }
    }

    /// For `huijin validator report-equivocation`: a node has no member's key to report it with. The first proof against a
    /// key will do.
    private func file(_ pair: Equivocation, of key: KeyID) {
        let path = "\(dataDirectory)/equivocation-\(key).cbor"
        guard !FileManager.default.fileExists(atPath: path) else { return }
        let proof = ValidatorEquivocation(votingKey: key, proof: pair)
        do {
            try Data(proof.encoded).write(to: URL(fileURLWithPath: path), options: .atomic)
            logger.critical(
                "report it with huijin validator report-equivocation / 请用该命令举证",
                metadata: ["file": "\(path)"])
        } catch {
            logger.error("the proof cannot be kept / 无法保存举证文件", metadata: ["error": "\(error)"])
        }
    }
}
