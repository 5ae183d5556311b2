import Consensus
import Foundation
import Ledger
import LedgerCrypto
import Logging
import Records
import Replica
import Storage
import Synchronization
import Transport

/// What is read on the replica's thread: the committed state with its proofs, at one height.
///
/// Valid only inside the closure that it was given to. `store` is `StateReader`, `MapReader` and `LogNodeReader`;
/// its `header` and `watermark` are of the height that all of it stands at.
public struct NodeView {
    public let genesis: Genesis
    public let chain: ChainID
    public let store: Store

    public var header: Header { store.header }
    public var height: UInt64 { store.watermark.height }
}

/// One validator's node: store, replica, network and index, working together in one process.
///
/// - The replica runs on one thread of its own (`ReplicaLoop`), which performs its effects in order; bodies, votes
///   and blocks are written there.
/// - Peers' frames are decoded on the network's event loop (`FrameIntake`), transaction signatures are checked beside
///   (`Verifier`), the index is written and read beside (`Archive`).
/// - Every queue between them is bounded (`NodeLimits`, `NetworkLimits`, `ReplicaLimits`).
///
/// Nothing here runs on the cooperative pool except the `async` functions, and those only decode and wait.
public final class HuijinNode: Sendable {
    public let genesis: Genesis
    public let chain: ChainID
    let shared: NodeShared
    private let limits: NodeLimits
    private let running: NodeConfiguration

    private init(_ configuration: NodeConfiguration, _ shared: NodeShared) {
        running = configuration
        genesis = configuration.genesis
        chain = shared.chain
        limits = configuration.limits
        precondition(
            limits.envelopesPerSubmissionMax <= ReplicaLimits.submissionMax,
            "a node takes no more at once than its replica does")
        self.shared = shared
    }

    /// Opens the store, takes up where the last run left off, and joins the network.
    public static func start(
        _ configuration: NodeConfiguration, logger: Logger
    ) async throws(NodeError) -> HuijinNode {
        let shared = try NodeShared(configuration, logger: logger)
        if let error = await shared.openReplica(configuration) { throw .storage(error) }
        let node = HuijinNode(configuration, shared)
        do throws(NetworkError) {
            try await shared.network?.start()
        } catch {
            await node.stop()
            throw .network(error)
        }
        return node
    }

    /// Stops cleanly: everything acknowledged is on disk already, so nothing is waited for but the current step.
    public func stop() async {
        shared.mailbox.put(.stop(.requested))
        _ = await waitUntilStopped()
    }

    /// Until the node has stopped, by request or by itself, and its files are closed.
    public func waitUntilStopped() async -> StopReason { await shared.waitUntilStopped() }

    /// Takes over from another configuration of this node what can change while it runs: peers and observers with their keys
    /// and addresses, and its own transport certificate and key. Connections are made anew first, so that nothing sent is lost.
    ///
    /// - Throws: `ConfigurationError` naming the field that needs a restart, `NodeError`; then everything stays as it was.
    public func reload(_ configuration: NodeConfiguration, from path: String) async throws {
        if let field = running.fieldThatNeedsRestart(in: configuration) {
            throw ConfigurationError(
                file: path, field: field, problem: "it cannot change while the node runs",
                problemZh: "运行中不能更改", remedy: "restart the node", remedyZh: "请重启节点")
        }
        let error: NetworkError? = await withCheckedContinuation { continuation in
            if !shared.mailbox.put(
                .reload(configuration) { continuation.resume(returning: $0) })
            {
                continuation.resume(returning: nil)
            }
        }
        if let error { throw NodeError.network(error) }
    }

    // MARK: Submitting

    /// Gives envelopes to the ledger.
    ///
    /// - Parameters:
    ///   - envelopes: at most `NodeLimits.envelopesPerSubmissionMax`; the caller checks that.
    ///   - timeoutMs: after this long the results say what is known by then.
    /// - Returns: one result for each envelope, in order.
    public func submit(
        _ envelopes: [[UInt8]], wait: SubmissionWait, timeoutMs: UInt64
    ) async -> [SubmissionResult] {
        precondition(
            envelopes.count <= limits.envelopesPerSubmissionMax, "too many envelopes at once")
        var results: [SubmissionResult?] = []
        var decoded: [Envelope] = []
        for bytes in envelopes {
            do throws(EnvelopeError) {
                decoded.append(
                    try Envelope(
                        bytes: bytes, chain: chain, suite: genesis.suite,
                        bytesMax: Int(genesis.parameters.transactionBytesMax)))
                results.append(nil)
            } catch {
                results.append(
                    SubmissionResult(
                        id: nil, envelopeDigest: genesis.suite.digest(bytes), status: .refused,
                        code: OutcomeCode(error)))
            }
        }
        var answers = await submit(decoded, wait: wait, timeoutMs: timeoutMs)[...]
        return results.map { $0 ?? answers.removeFirst() }
    }

    private func submit(
        _ envelopes: [Envelope], wait: SubmissionWait, timeoutMs: UInt64
    ) async -> [SubmissionResult] {
        guard !envelopes.isEmpty else { return [] }
        let refused = { (code: OutcomeCode) in
            envelopes.map {
                SubmissionResult(
                    id: $0.id, envelopeDigest: $0.digest, status: .refused, code: code)
            }
        }
        // Without a seat and without a link to pass them on by, nobody would ever order them.
        guard status.seat != nil || shared.network?.hasLinks == true else {
            return refused(.unavailable)
        }
        let waiting = shared.submittedEnvelopes.add(envelopes.count, ordering: .relaxed).newValue
        guard waiting <= limits.submittedEnvelopesMax else {
            shared.submittedEnvelopes.subtract(envelopes.count, ordering: .relaxed)
            return refused(.busy)
        }
        return await withCheckedContinuation { continuation in
            let submission = Submission(
                envelopes: envelopes, wait: wait, deadlineMs: Clock.monotonicMs() + timeoutMs
            ) { continuation.resume(returning: $0) }
            if !shared.mailbox.put(.submission(submission)) {
                continuation.resume(returning: refused(.unavailable))
            }
        }
    }

    // MARK: Reading

    /// Where the node stands; costs a lock.
    public var status: NodeStatus { shared.status.withLock { $0 } }
    public var metrics: NodeMetrics { shared.metrics.withLock { $0 } }
    public var peers: [PeerState] { shared.network?.peerStates ?? [] }
    /// What this node makes, gives and fetches of snapshots.
    public var snapshots: SnapshotStatus { shared.snapshots.status.withLock { $0 } }
    /// Ended connections by reason.
    public var refusals: [NetworkProblem: UInt64] { shared.network?.refusals ?? [:] }
    /// How often peers were cut off for what.
    public var offences: [NetworkProblem: UInt64] { shared.network?.offences ?? [:] }
    /// Frames and envelopes of peers that did not decode.
    public var undecodableFrames: UInt64 { shared.intake.undecodableCount }
    /// The log's newest checkpoint with this validator's cosignature, or that of a height among the newest
    /// `CheckpointShelf.countMax`. Nil for an observer, a node without a seat, and in suite `sm2SM3`.
    public func checkpoint(height: UInt64?) -> CosignedCheckpoint? {
        shared.checkpoints.withLock { $0.at(height) }
    }

    /// The port for peers, which differs from the configured one when that is 0.
    public var port: Int { shared.network?.port ?? 0 }

    /// Performs `body` on the replica's thread, between two inputs: for state values and proofs that belong to one
    /// height. Keep it short; consensus waits meanwhile.
    public func read<Value: Sendable>(
        _ body: @escaping @Sendable (NodeView) throws -> Value
    ) async throws -> Value {
        guard shared.waitingReads.add(1, ordering: .relaxed).newValue <= limits.readsMax else {
            shared.waitingReads.subtract(1, ordering: .relaxed)
            throw NodeError.busy
        }
        let shared = shared
        return try await withCheckedThrowingContinuation { continuation in
            let isPut = shared.mailbox.put(
                .read { view in
                    guard let view else {
                        return continuation.resume(throwing: NodeError.stopped(shared.reason))
                    }
                    continuation.resume(with: Result { try body(view) })
                })
            if !isPut { continuation.resume(throwing: NodeError.stopped(shared.reason)) }
        }
    }

    /// Performs `body` on the archive's thread: for final blocks, look-ups and search. Everything that this node has
    /// acknowledged as final is found.
    public func history<Value: Sendable>(
        _ body: @escaping @Sendable (ArchiveView) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let refusal = shared.archive.read { result in
                switch result {
                case .success(let view): continuation.resume(with: Result { try body(view) })
                case .failure(let error): continuation.resume(throwing: error)
                }
            }
            if let refusal { continuation.resume(throwing: refusal) }
        }
    }

    /// The height after each commit, from the present one on; a slow follower misses some, never the newest. Ends when
    /// the node stops.
    public func heights() -> AsyncStream<UInt64> { shared.follow() }
}
