import Consensus
import Execution
import Foundation
import Ledger
import LedgerCrypto
import Logging
import Replica
import Storage
import Synchronization
import Transport

/// What the node's threads share, and how they begin and end.
final class NodeShared: Sendable {
    let chain: ChainID
    let logger: Logger
    let mailbox = Mailbox<Mail>()
    let intake: FrameIntake
    let verifier: Verifier
    let archive: Archive
    let snapshots: SnapshotDesk
    let status: Mutex<NodeStatus>
    let metrics = Mutex(NodeMetrics())
    let checkpoints = Mutex(CheckpointShelf())
    let submittedEnvelopes = Atomic<Int>(0)
    let waitingReads = Atomic<Int>(0)
    private let links: Mutex<PeerNetwork?>
    private let ending = Mutex(Ending())
    private let followers = Mutex(Followers())

    private struct Ending {
        var reason: StopReason?
        var waiters: [CheckedContinuation<StopReason, Never>] = []
    }

    private struct Followers {
        var next = 0
        var height: UInt64 = 0
        var isOver = false
        var streams: [Int: AsyncStream<UInt64>.Continuation] = [:]
    }

    init(_ configuration: NodeConfiguration, logger: Logger) throws(NodeError) {
        let genesis = configuration.genesis
        chain = genesis.chain
        self.logger = logger
        let intake = FrameIntake(mailbox, genesis: genesis, limits: configuration.limits)
        self.intake = intake
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let threads = configuration.limits.verificationThreads
        verifier = Verifier(mailbox, threads: threads > 0 ? threads : min(cores, 4))
        archive = Archive(
            backlogMax: configuration.limits.indexBacklogBlocksMax,
            readsMax: configuration.limits.readsMax, logger: logger)
        let snapshots = SnapshotDesk(
            configuration.snapshots, onChange: configuration.onSnapshotChange)
        self.snapshots = snapshots
        let start = GenesisState(genesis)
        status = Mutex(
            NodeStatus(
                chain: genesis.chain, suite: genesis.suite, validators: genesis.validators,
                seat: configuration.seat, votes: .comparing, header: start.header,
                headerDigest: start.headerDigest,
                finalization: nil, epoch: 0, view: 0, mempoolCount: 0, equivocations: []))
        let mailbox = self.mailbox
        do throws(NetworkError) {
            let network = try PeerNetwork(
                NetworkConfiguration(
                    identity: configuration.transport, chain: genesis.chain,
                    listen: configuration.listen, peers: configuration.peers,
                    limits: configuration.networkLimits, logger: logger),
                onFrame: { peer, payload in
                    SnapshotMessage.isOne(payload)
                        ? snapshots.receive(from: peer, payload)
                        : intake.receive(from: peer, payload)
                },
                onPeerChange: { peer, isSending in
                    if isSending { mailbox.put(.input(.connected(PeerID(peer)), bytes: 0)) }
                })
            links = Mutex(network)
        } catch {
            verifier.stop()
            throw .network(error)
        }
    }

    /// `nil` after the end.
    var network: PeerNetwork? { links.withLock { $0 } }

    var reason: StopReason { ending.withLock { $0.reason ?? .requested } }

    /// Starts the replica's thread and, once the store is open, the archive's.
    ///
    /// - Returns: why the store or the index cannot be opened, if so.
    func openReplica(_ configuration: NodeConfiguration) async -> StorageError? {
        let error: StorageError? = await withCheckedContinuation { continuation in
            DedicatedThread.start("replica") { [self] in
                // The loop, and with it the store's lock, is gone before anybody is told of the end.
                guard let reason = runReplica(configuration, continuation) else { return }
                end(reason)
            }
        }
        // Where the store was opened although the index was not, it is closed again first.
        if error != nil {
            mailbox.put(.stop(.requested))
            _ = await waitUntilStopped()
        }
        return error
    }

    private func runReplica(
        _ configuration: NodeConfiguration,
        _ opened: CheckedContinuation<StorageError?, Never>
    ) -> StopReason? {
        let loop: ReplicaLoop
        do throws(StorageError) {
            loop = try ReplicaLoop(configuration, shared: self)
        } catch {
            verifier.stop()
            snapshots.abandon()
            _ = mailbox.close()
            ending.withLock { $0.reason = .storage(error) }
            opened.resume(returning: error)
            return nil
        }
        snapshots.start(configuration, store: loop.store.path, shared: self)
        loop.begin()
        archive.start(
            folder: configuration.dataDirectory, storePath: loop.store.path,
            genesis: configuration.genesis
        ) { opened.resume(returning: $0) }
        return loop.run()
    }

    /// The replica's thread is about to end: everything else goes with it.
    private func end(_ reason: StopReason) {
        switch reason {
        case .requested: logger.info("stopped / 已停止")
        case .storage, .fault, .recovery:
            logger.critical(
                "stopped to be safe / 为安全起见已停止", metadata: ["reason": "\(reason.description)"])
        }
        status.withLock { $0.stopReason = reason }
        verifier.stop()
        let network = links.withLock { network in
            defer { network = nil }
            return network
        }
        Task { [self] in
            await network?.stop()
            await withCheckedContinuation { continuation in
                snapshots.stop { continuation.resume() }
            }
            await withCheckedContinuation { continuation in
                archive.stop { continuation.resume() }
            }
            endFollowers()
            let waiters = ending.withLock { ending in
                ending.reason = reason
                defer { ending.waiters = [] }
                return ending.waiters
            }
            for waiter in waiters { waiter.resume(returning: reason) }
        }
    }

    func waitUntilStopped() async -> StopReason {
        await withCheckedContinuation { continuation in
            let reason: StopReason? = ending.withLock { ending in
                if ending.reason == nil { ending.waiters.append(continuation) }
                return ending.reason
            }
            if let reason { continuation.resume(returning: reason) }
        }
    }

    // MARK: Followers of the height

    func announce(_ height: UInt64) {
        followers.withLock { followers in
            followers.height = height
            for stream in followers.streams.values { stream.yield(height) }
        }
    }

    func follow() -> AsyncStream<UInt64> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: UInt64.self, bufferingPolicy: .bufferingNewest(1))
        let number: Int? = followers.withLock { followers in
            guard !followers.isOver else { return nil }
            followers.next += 1
            followers.streams[followers.next] = continuation
            continuation.yield(followers.height)
            return followers.next
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.followers.withLock { $0.streams[number] = nil }
        }
        return stream
    }

    private func endFollowers() {
        let streams = followers.withLock { followers in
            followers.isOver = true
            defer { followers.streams = [:] }
            return Array(followers.streams.values)
        }
        for stream in streams { stream.finish() }
    }
}
