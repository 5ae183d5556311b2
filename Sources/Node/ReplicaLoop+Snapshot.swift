import Ledger
import Replica
import Storage

extension ReplicaLoop {
    /// Puts a fetched snapshot into the store and goes on with a replica that begins there.
    ///
    /// A crash inside leaves the store as it was; one right after leaves the snapshot's content, from which the next start
    /// goes on.
    func install(_ stage: SnapshotStage) {
        let height = stage.manifest.height
        defer { shared.snapshots.put(.installed(height: store.watermark.height)) }
        // Blocks came faster.
        guard height > store.watermark.height else { return }
        do throws(StorageError) {
            try store.install(stage)
            try begin(replicaFrom: store.replicaState())
        } catch {
            return stop(.storage(error))
        }
        logger.info(
            "joined by a snapshot / 已由快照加入",
            metadata: [
                "height": "\(height)", "first": "\(store.firstHeight)",
                "epoch": "\(store.header.epoch)",
            ])
        noteCommitted()
        shared.archive.catchUp()
        publish(finalization: store.recovered.finalization)
        publishSeats()
        drive(.start)
    }

    /// What the earlier replica set going is of no use to this one: its timers, and the signatures it had checked.
    private func begin(replicaFrom recovered: Recovered) {
        replica = Replica(
            genesis: genesis, base: store, recovered: recovered,
            votingKey: bar == nil ? claimed?.key : nil, question: claimed?.starts ?? 0)
        peers.reconfigure(replica.simplex.validators)
        shared.network?.update(peers: peers.endpoints)
        shared.status.withLock { $0.contradiction = nil }
        deadlines = Deadlines()
        followUps.removeAll()
        batchesBefore = lastBatch
    }

    /// After what has been made durable: for those who make snapshots and those who follow them.
    func noteCommitted() {
        shared.snapshots.committed(
            height: store.watermark.height, first: store.firstHeight, store: store.path,
            suite: store.suite)
    }

    /// The replica's number for a batch; nil when an earlier replica had it checked.
    func ownBatch(_ batch: BatchID) -> BatchID? {
        batch.number > batchesBefore ? BatchID(batch.number - batchesBefore) : nil
    }

    /// A number for the batch that no replica of this process has used.
    func numbered(_ batch: BatchID) -> BatchID {
        lastBatch = batchesBefore + batch.number
        return BatchID(lastBatch)
    }
}
