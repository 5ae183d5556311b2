import Dispatch
import Encoding
import Glibc
import Ledger
import LedgerCrypto
import Logging
import Storage
import Synchronization
import Transport

/// Makes, gives and fetches snapshots, beside the replica: making has a thread of its own for each, everything else one
/// thread for all. What is asked of it is bounded, and what does not fit is dropped: peers ask again.
final class SnapshotDesk: Sendable {
    enum Job: Sendable {
        case message(peer: Int, SnapshotMessage, bytes: Int)
        /// Tell a peer what there is: it asked for blocks that are not held.
        case tell(peer: Int)
        case pinned(LedgerPin)
        case made(SnapshotShelf.Made?, milliseconds: UInt64)
        /// The replica's thread has put the snapshot into the store.
        case installed(height: UInt64)
    }

    let settings: SnapshotSettings
    let status = Mutex(SnapshotStatus())
    /// A snapshot is on its way, so that old blocks need not be fetched.
    let isFetching = Atomic<Bool>(false)
    /// Where the replica stands; it says so after each commit.
    let finalHeight = Atomic<UInt64>(0)
    let firstHeight = Atomic<UInt64>(0)
    let isStopping = Atomic<Bool>(false)
    /// Snapshots of others are taken, until `takeNoMore`.
    private let takes = Atomic<Bool>(true)
    private let jobs = Mailbox<Job>()
    private let waitingBytes = Atomic<Int>(0)
    /// Commits from here on are pinned, unless a snapshot is being made.
    private let dueHeight = Atomic<UInt64>(.max)
    private let isMaking = Atomic<Bool>(false)
    private let onChange: @Sendable () -> Void
    private let finished = Mutex<[@Sendable () -> Void]?>([])

    init(_ settings: SnapshotSettings, onChange: @escaping @Sendable () -> Void) {
        self.settings = settings
        self.onChange = onChange
    }

    /// On the snapshots' thread.
    func update(_ body: (inout SnapshotStatus) -> Void) {
        status.withLock { body(&$0) }
        onChange()
    }

    // MARK: From other threads

    /// On the network's event loop. What there is no room for is dropped: nobody is made to wait for a snapshot.
    func receive(from peer: Int, _ payload: [UInt8]) -> FlowControl {
        let bytes = payload.count + FrameIntake.overheadBytes
        guard waitingBytes.load(ordering: .relaxed) + bytes <= settings.inboundBytesMax
        else { return .continue }
        guard
            let message = try? SnapshotMessage.decode(payload, limits: SnapshotMessage.limits)
        else { return .cutOff(.undecodable) }
        waitingBytes.add(bytes, ordering: .relaxed)
        jobs.put(.message(peer: peer, message, bytes: bytes))
        return .continue
    }

    func put(_ job: Job) { jobs.put(job) }

    /// On the replica's thread, after a commit: now and then the ledger is pinned here, so that nodes with the same
    /// settings make snapshots of the same heights.
    func committed(height: UInt64, first: UInt64, store path: String, suite: Suite) {
        finalHeight.store(height, ordering: .relaxed)
        firstHeight.store(first, ordering: .relaxed)
        guard height >= dueHeight.load(ordering: .relaxed) else { return }
        setDue(after: height)
        guard !isMaking.exchange(true, ordering: .relaxed) else { return }
        // Without a pin there is no snapshot this time; the ledger itself is not touched.
        guard let pin = try? LedgerPin(store: path, suite: suite) else {
            isMaking.store(false, ordering: .relaxed)
            return
        }
        jobs.put(.pinned(pin))
    }

    /// The next multiple, whatever the height was at which the node started.
    func setDue(after height: UInt64) {
        guard settings.everyBlocks > 0 else { return }
        dueHeight.store(
            (height / settings.everyBlocks + 1) * settings.everyBlocks, ordering: .relaxed)
    }

    /// What is here cannot make room for one.
    func takeNoMore() { takes.store(false, ordering: .relaxed) }
    var mayTake: Bool { settings.joinAheadBlocks != 0 && takes.load(ordering: .relaxed) }

    func beginMaking() -> Bool { !isMaking.exchange(true, ordering: .relaxed) }
    func endMaking() { isMaking.store(false, ordering: .relaxed) }

    // MARK: The thread

    /// - Parameter shared: for the network and the replica's mailbox.
    func start(_ configuration: NodeConfiguration, store path: String, shared: NodeShared) {
        DedicatedThread.start("snapshots") { [self] in
            do {
                let worker = SnapshotWorker(configuration, store: path, desk: self, shared: shared)
                while !jobs.isClosed {
                    for job in jobs.take(until: worker.nextDeadline) {
                        if case .message(_, _, let bytes) = job {
                            waitingBytes.subtract(bytes, ordering: .relaxed)
                        }
                        worker.perform(job)
                    }
                    worker.tick()
                }
            }
            let waiters = finished.withLock { waiters in
                defer { waiters = nil }
                return waiters ?? []
            }
            for waiter in waiters { waiter() }
        }
    }

    /// Ends the thread, and a snapshot in the making; calls back at once when it never started.
    func stop(_ done: @escaping @Sendable () -> Void) {
        isStopping.store(true, ordering: .relaxed)
        _ = jobs.close()
        let isOver = finished.withLock { waiters in
            guard waiters != nil else { return true }
            waiters?.append(done)
            return false
        }
        if isOver { done() }
    }

    /// Where the thread is not started: `stop` calls back at once.
    func abandon() { finished.withLock { $0 = nil } }
}
