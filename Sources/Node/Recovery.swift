import Execution
import Ledger
import Replica
import Storage

extension Store {
    /// What the replica goes on from: the newest final block, what was stored above it, and the ids of the
    /// transactions that have not expired yet.
    func recoveredReplica() throws(StorageError) -> Recovered {
        Recovered(
            header: recovered.header, frontier: recovered.watermark.frontier,
            finalization: recovered.finalization, bodies: recovered.bodies,
            votes: recovered.votes, replay: try replayWindow())
    }

    /// Bytes of stored blocks that are held at a time while the window is rebuilt.
    private static let replayBytesMax = 16 * 1_048_576

    /// A transaction is in the window until its last valid height, which is at most so many blocks ahead of it: older
    /// blocks hold none that is still valid.
    private func replayWindow() throws(StorageError) -> ReplayWindow {
        var window = ReplayWindow()
        let height = watermark.height
        window.prune(height: height)
        let span = genesis.parameters.replayWindowBlocksMax
        var next = height > span ? height - span : 1
        while next <= height {
            let blocks = try blocks(
                from: next, countMax: 512, bytesMax: Store.replayBytesMax)
            guard let last = blocks.last else {
                throw .damaged(path: path, reason: "block \(next) is missing")
            }
            for stored in blocks {
                do throws(EnvelopeError) {
                    try window.insert(stored.block, chain: chain, suite: suite)
                } catch {
                    throw .damaged(
                        path: path,
                        reason: "block \(stored.block.header.height) holds no valid envelope")
                }
            }
            next = last.block.header.height + 1
        }
        return window
    }
}
