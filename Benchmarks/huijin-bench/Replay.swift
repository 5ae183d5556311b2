import Dispatch
import Execution
import Foundation
import Ledger
import LedgerCrypto
import Records
import Replica
import Storage
import Synchronization

/// Executes a node's whole chain again on a fresh store, every signature checked, every block committed durably.
///
/// One thread executes and commits; one for each core reads ahead and checks signatures, a block at a time. A signature is
/// checked under the key that its envelope names, wherever in the chain that key was registered; whether it was live
/// at that place is for execution to say.
struct Replay {
    let network: BenchNetwork
    let ceiling: Ceiling

    func run() throws {
        let genesis = network.genesis
        let path = network.data.path
        let target = try Store(
            folder: network.folder.appending(path: "replay").path, genesis: genesis)
        let executor = Executor<Store>(genesis: genesis)
        var replay = ReplayWindow()
        var pending: [ExecutedBlock] = []
        var count = 0
        let before = ceiling.measure()
        let source = try ReplaySource(folder: path, genesis: genesis)
        let begin = ContinuousClock.now
        for _ in 0..<ProcessInfo.processInfo.activeProcessorCount {
            Thread.detachNewThread { source.work() }
        }
        while let next = try source.take() {
            let stored = next.stored
            let last = pending.last
            let parent = ParentState(
                header: last?.block.header ?? target.header,
                headerDigest: last?.headerDigest ?? target.watermark.header,
                frontier: last?.frontier ?? target.watermark.frontier, layers: pending,
                base: target)
            let executed = try executor.execute(
                stored.block, on: parent, transactions: next.transactions, replay: replay)
            replay.insert(executed)
            replay.prune(height: executed.height)
            pending.append(executed)
            // A block may be final through a descendant alone; then both are committed together.
            if let finalization = stored.finalization {
                try target.commit(Commit(blocks: pending, finalization: finalization))
                pending = []
            }
            count += stored.block.entries.count
        }
        let seconds = (ContinuousClock.now - begin).milliseconds / 1e3
        let all = (before + ceiling.measure()) / 2 * Double(ceiling.validators)
        guard target.watermark == source.watermark else {
            throw BenchNetwork.Failed(description: "the replayed chain ends elsewhere")
        }
        let rate = Double(count) / seconds
        Report.line(
            "replay",
            [
                ("blocksPerSecond", .real(Double(target.watermark.height) / seconds)),
                ("transactionsPerSecond", .real(rate)), ("verificationPerSecond", .real(all)),
                ("shareOfVerification", .real(rate / all)),
                ("blocks", .unsigned(target.watermark.height)),
                ("transactions", .unsigned(UInt64(count))),
            ])
    }
}

/// A stored block with its transactions, one for each entry, their signatures checked.
private struct CheckedBlock: Sendable {
    let stored: StoredBlock
    let transactions: [Verified<SignedTransaction>?]
}

/// Reads a chain and checks its signatures on several threads; its blocks come out in their order.
private final class ReplaySource: Sendable {
    private struct State {
        var nextToCheck: UInt64 = 1
        var nextToTake: UInt64 = 1
        var checked: [UInt64: CheckedBlock] = [:]
        var failure: (any Error)?
        var keys: [KeyID: PublicKey] = [:]
    }

    private let genesis: Genesis
    private let store: Mutex<Store>
    /// Guards `state`; signalled when something in it has changed.
    private let changed = NSCondition()
    private nonisolated(unsafe) var state = State()
    let watermark: Watermark

    /// Blocks that are checked ahead of the one that is taken next.
    private static let aheadMax: UInt64 = 64

    init(folder: String, genesis: Genesis) throws {
        let store = try Store(folder: folder, genesis: genesis)
        watermark = store.watermark
        self.genesis = genesis
        self.store = Mutex(store)
    }

    /// Checks blocks until there are no more.
    func work() {
        while let height = nextHeight() {
            let result = Result { try check(height) }
            changed.withLock {
                switch result {
                case .success(let block): state.checked[height] = block
                case .failure(let error): state.failure = state.failure ?? error
                }
                changed.broadcast()
            }
        }
    }

    /// The next block in order; nil after the last one.
    func take() throws -> CheckedBlock? {
        changed.lock()
        defer { changed.unlock() }
        guard state.nextToTake <= watermark.height else { return nil }
        while true {
            if let failure = state.failure { throw failure }
            if let block = state.checked.removeValue(forKey: state.nextToTake) {
                state.nextToTake += 1
                changed.broadcast()
                return block
            }
            changed.wait()
        }
    }

    private func nextHeight() -> UInt64? {
        changed.lock()
        defer { changed.unlock() }
        while state.nextToCheck >= state.nextToTake + ReplaySource.aheadMax,
            state.failure == nil
        {
            changed.wait()
        }
        guard state.nextToCheck <= watermark.height, state.failure == nil else { return nil }
        defer { state.nextToCheck += 1 }
        return state.nextToCheck
    }

    private func check(_ height: UInt64) throws -> CheckedBlock {
        guard let stored = try store.withLock({ try $0.block(height) }) else {
            throw BenchNetwork.Failed(description: "block \(height) is missing")
        }
        let transactions = try stored.block.entries.map { entry in
            guard case .envelope(let bytes) = entry else {
                return Verified<SignedTransaction>?.none
            }
            let envelope = try Envelope(bytes: bytes, chain: genesis.chain, suite: genesis.suite)
            guard let key = key(envelope.keyID), let verified = envelope.verified(by: key) else {
                throw BenchNetwork.Failed(description: "a stored signature is not valid")
            }
            return verified
        }
        return CheckedBlock(stored: stored, transactions: transactions)
    }

    private func key(_ id: KeyID) -> PublicKey? {
        if let known = changed.withLock({ state.keys[id] }) { return known }
        let value = store.withLock { $0.value(for: StateKey.key(id, genesis.suite)) }
        let key = value.flatMap { try? StoredRecord.decode(value: $0) }
            .flatMap { KeyRecord($0) }?.publicKey
        changed.withLock { state.keys[id] = key }
        return key
    }
}
