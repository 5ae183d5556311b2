import Execution
import Foundation
import Ledger
import LedgerCrypto
import Records
import Replica
import Storage

/// Executes a node's whole chain again on a fresh store, every signature checked, every block committed durably.
struct Replay {
    let network: BenchNetwork

    func run() throws {
        let genesis = network.genesis
        let source = try Store(folder: network.data.path, genesis: genesis)
        let target = try Store(
            folder: network.folder.appending(path: "replay").path, genesis: genesis)
        let executor = Executor<Store>(genesis: genesis)
        var replay = ReplayWindow()
        var pending: [ExecutedBlock] = []
        var count = 0
        let begin = ContinuousClock.now
        for height in 1...source.watermark.height {
            guard let stored = try source.block(height) else {
                throw BenchNetwork.Failed(description: "block \(height) is missing")
            }
            let last = pending.last
            let parent = ParentState(
                header: last?.block.header ?? target.header,
                headerDigest: last?.headerDigest ?? target.watermark.header,
                frontier: last?.frontier ?? target.watermark.frontier, layers: pending,
                base: target)
            let transactions = try verify(stored.block, on: parent, executor)
            let executed = try executor.execute(
                stored.block, on: parent, transactions: transactions, replay: replay)
            replay.insert(executed)
            replay.prune(height: height)
            pending.append(executed)
            // A block may be final through a descendant alone; then both are committed together.
            if let finalization = stored.finalization {
                try target.commit(Commit(blocks: pending, finalization: finalization))
                pending = []
            }
            count += stored.block.entries.count
        }
        let seconds = (ContinuousClock.now - begin).milliseconds / 1e3
        guard target.header == source.header else {
            throw BenchNetwork.Failed(description: "the replayed chain ends in another header")
        }
        Report.line(
            "replay",
            [
                ("blocksPerSecond", .real(Double(source.watermark.height) / seconds)),
                ("transactionsPerSecond", .real(Double(count) / seconds)),
                ("blocks", .unsigned(source.watermark.height)),
                ("transactions", .unsigned(UInt64(count))), ("threads", .unsigned(1)),
            ])
    }

    private func verify(
        _ block: Block, on parent: ParentState<Store>, _ executor: Executor<Store>
    ) throws -> [Verified<SignedTransaction>?] {
        try block.entries.map { entry in
            guard case .envelope(let bytes) = entry else { return nil }
            let envelope = try Envelope(
                bytes: bytes, chain: executor.chain, suite: executor.suite)
            guard
                let key = executor.publicKey(
                    for: envelope.keyID, member: envelope.transaction.member, on: parent),
                let signed = envelope.verified(by: key)
            else { throw BenchNetwork.Failed(description: "a stored signature is not valid") }
            return signed
        }
    }
}
