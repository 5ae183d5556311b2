import Execution
import Foundation
import Ledger
import LedgerCrypto
import Logging
import Storage
import Synchronization

/// What is read away from the replica: final blocks, outcomes, events, search.
///
/// Valid only inside the closure that it was given to.
public struct ArchiveView {
    public let genesis: Genesis
    public let chain: ChainID
    public let index: Index
    public let reader: StoreReader
}

/// Keeps the index up to date and answers look-ups in it, on a thread of its own.
///
/// Blocks and look-ups stand in one queue, so whoever was told that a transaction is final finds it. Blocks wait for one
/// another until somebody looks something up: an id falls anywhere in its tree, and a page is written once for all that
/// have fallen on it.
final class Archive: Sendable {
    private enum Job: Sendable {
        case block(ExecutedBlock)
        /// Blocks were left out of the queue: read them from the store.
        case follow
        case read(@Sendable (Result<ArchiveView, NodeError>) -> Void)
    }

    /// How long blocks wait for others when nobody asks, and how many blocks and entries.
    private static let lingerMs = 500
    private static let unwrittenMax = 16_384

    private let jobs = Mailbox<Job>()
    private let backlog = Atomic<Int>(0)
    private let isBehind = Atomic<Bool>(false)
    private let waitingReads = Atomic<Int>(0)
    private let backlogMax: Int
    private let readsMax: Int
    private let logger: Logger
    private let finished = Mutex<[@Sendable () -> Void]?>([])

    init(backlogMax: Int, readsMax: Int, logger: Logger) {
        self.backlogMax = backlogMax
        self.readsMax = readsMax
        self.logger = logger
    }

    /// Opens index and reader on the archive's thread; the store must have been opened before.
    func start(
        folder: String, storePath: String, genesis: Genesis,
        ready: @escaping @Sendable (StorageError?) -> Void
    ) {
        DedicatedThread.start("archive") { [self] in
            do throws(StorageError) {
                let worker = try ArchiveWorker(
                    folder: folder, storePath: storePath, genesis: genesis, logger: logger)
                ready(nil)
                run(worker)
            } catch {
                ready(error)
            }
            let waiters = finished.withLock { waiters in
                defer { waiters = nil }
                return waiters ?? []
            }
            for waiter in waiters { waiter() }
        }
    }

    func add(_ block: ExecutedBlock) {
        guard backlog.load(ordering: .relaxed) < backlogMax else {
            if !isBehind.exchange(true, ordering: .relaxed) { jobs.put(.follow) }
            return
        }
        backlog.add(1, ordering: .relaxed)
        jobs.put(.block(block))
    }

    /// Blocks have become final in other ways than by `add`.
    func catchUp() { jobs.put(.follow) }

    /// - Returns: `nil` when the look-up was taken and will be answered.
    func read(
        _ body: @escaping @Sendable (Result<ArchiveView, NodeError>) -> Void
    ) -> NodeError? {
        guard waitingReads.load(ordering: .relaxed) < readsMax else { return .busy }
        waitingReads.add(1, ordering: .relaxed)
        return jobs.put(.read(body)) ? nil : .stopped(.requested)
    }

    /// Ends the thread after what it is doing, and calls back when its files are closed.
    func stop(_ done: @escaping @Sendable () -> Void) {
        for job in jobs.close() {
            if case .read(let body) = job { body(.failure(.stopped(.requested))) }
        }
        let isOver = finished.withLock { waiters in
            guard waiters != nil else { return true }
            waiters?.append(done)
            return false
        }
        if isOver { done() }
    }

    private func run(_ worker: ArchiveWorker) {
        report { () throws(StorageError) in
            while try worker.follow(), !jobs.isClosed {}
        }
        var batches: [IndexBatch] = []
        while true {
            let waiting = jobs.take(
                until: batches.isEmpty
                    ? .distantFuture : .now() + .milliseconds(Archive.lingerMs))
            if waiting.isEmpty {
                write(&batches, worker)
                if jobs.isClosed { return }
            }
            perform(waiting, &batches, worker)
            let count = batches.reduce(batches.count) { $0 + $1.entries.count }
            if count >= Archive.unwrittenMax { write(&batches, worker) }
        }
    }

    private func perform(
        _ waiting: [Job], _ batches: inout [IndexBatch], _ worker: ArchiveWorker
    ) {
        for job in waiting {
            switch job {
            case .block(let block):
                backlog.subtract(1, ordering: .relaxed)
                batches.append(IndexBatch(block, suite: worker.suite))
            case .follow:
                isBehind.store(false, ordering: .relaxed)
                batches = []
                report { () throws(StorageError) in while try worker.follow() {} }
            case .read(let body):
                waitingReads.subtract(1, ordering: .relaxed)
                write(&batches, worker)
                do throws(StorageError) {
                    body(.success(try worker.view()))
                } catch {
                    body(.failure(.storage(error)))
                }
            }
        }
    }

    private func write(_ batches: inout [IndexBatch], _ worker: ArchiveWorker) {
        guard !batches.isEmpty else { return }
        let added = batches
        batches = []
        report { () throws(StorageError) in try worker.add(added) }
    }

    /// The index is not what the ledger depends on: it is caught up with later.
    private func report(_ body: () throws(StorageError) -> Void) {
        do throws(StorageError) { try body() } catch {
            logger.error("the index fell behind / 索引滞后", metadata: ["reason": "\(error)"])
        }
    }
}

/// The archive's files, on its thread.
private final class ArchiveWorker {
    private let genesis: Genesis
    private let chain: ChainID
    var suite: Suite { genesis.suite }
    private let index: Index
    private let reader: StoreReader

    init(
        folder: String, storePath: String, genesis: Genesis, logger: Logger
    ) throws(StorageError) {
        self.genesis = genesis
        chain = genesis.chain
        reader = try StoreReader(path: storePath, chain: chain, suite: genesis.suite)
        index = try ArchiveWorker.openIndex(folder + "/" + Index.fileName, chain, logger)
    }

    /// An index that is damaged, of another version or of another chain is made anew: everything in it is in the ledger
    /// too. What is wrong with the folder or the disk would be no better afterwards, and is reported.
    private static func openIndex(
        _ path: String, _ chain: ChainID, _ logger: Logger
    ) throws(StorageError) -> Index {
        do throws(StorageError) {
            return try Index(path: path, chain: chain)
        } catch {
            guard error.isUselessFile else { throw error }
            logger.warning(
                "the index cannot be used and is rebuilt from the ledger / 索引不可用，将由账本重建",
                metadata: ["reason": "\(error)"])
            for suffix in ["", "-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: path + suffix)
            }
            return try Index(path: path, chain: chain)
        }
    }

    /// - Returns: whether there is more to do.
    func follow() throws(StorageError) -> Bool { try index.follow(reader, chain: chain) }

    func add(_ batches: [IndexBatch]) throws(StorageError) {
        let next = index.height.map { $0 + 1 } ?? 0
        if let first = batches.first, first.height > next {
            while try follow() {}
        }
        try index.add(batches)
    }

    func view() throws(StorageError) -> ArchiveView {
        try reader.refresh()
        // After a failed write the look-up would miss what is final.
        if index.height != reader.watermark.height { while try follow() {} }
        return ArchiveView(genesis: genesis, chain: chain, index: index, reader: reader)
    }
}
