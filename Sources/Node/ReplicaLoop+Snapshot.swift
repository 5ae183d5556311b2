import Ledger
import LightClient
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
        // Blocks came faster, or a recovery that people must decide about.
        guard height > store.watermark.height,
            shared.status.withLock({ $0.contradiction == nil })
        else { return }
        do throws(StorageError) {
            if let end = try contradiction(in: stage.manifest.manifest) {
                return contradicted(by: end.header, end.certificate)
            }
            try keepHistory()
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

    /// The first end of an epoch, on the way to the snapshot, with which the final history here does not go on.
    private func contradiction(
        in manifest: SnapshotManifest
    ) throws(StorageError) -> EpochChange? {
        let final = store.watermark.height
        for end in manifest.epochChanges {
            let height = end.header.height
            guard let own = try store.endHeight(ofEpoch: end.header.epoch) else {
                // The present epoch went on here where it ended there.
                return height <= final ? end : nil
            }
            // Nil below the first block of a node that joined by a snapshot.
            let held = try store.header(height)
            guard own == height, held == nil || held == end.header else { return end }
        }
        return nil
    }

    /// A snapshot takes the place of all blocks, and this node may be the last that holds them: they stay in a backup, which is whole
    /// or not there.
    private func keepHistory() throws(StorageError) {
        let height = store.watermark.height
        guard height > 0 else { return }
        let folder = "\(dataDirectory)/before-\(height)"
        // Made before a crash, of this very history.
        guard !LedgerBackup.isIn(folder) else { return }
        _ = try LedgerBackup.write(of: store.path, chain: genesis.chain, to: folder)
        logger.notice(
            "the blocks held so far are kept / 已保留原有区块", metadata: ["folder": "\(folder)"])
    }

    /// What the earlier replica set going is of no use to this one: its timers, and the signatures it had checked.
    private func begin(replicaFrom recovered: Recovered) {
        replica = Replica(
            genesis: genesis, base: store, recovered: recovered,
            votingKey: bar == nil ? claimed?.key : nil, question: claimed?.starts ?? 0)
        peers.reconfigure(replica.simplex.validators)
        shared.network?.update(peers: peers.endpoints)
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
