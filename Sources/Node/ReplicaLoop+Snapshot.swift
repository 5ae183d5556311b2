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
            if let other = try contradiction(in: stage.manifest.manifest) {
                return contradicted(by: other.header, other.certificate)
            }
            guard keepHistory() else { return shared.snapshots.takeNoMore() }
            try store.install(stage)
            // What they wait for may be in blocks that nobody here will see.
            desk.finishAll()
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

    /// What is certified on the way to the snapshot, or the snapshot itself, where the final history here does not lead to it, as far as
    /// the ends of epochs show: within an epoch, only a fault of more than a third of its validators can make two histories.
    private func contradiction(
        in manifest: SnapshotManifest
    ) throws(StorageError) -> CertifiedHeader? {
        let ends =
            manifest.epochChanges.map {
                CertifiedHeader(header: $0.header, certificate: $0.certificate)
            } + [CertifiedHeader(header: manifest.header, certificate: manifest.finalization)]
        let own = try store.epochChanges(before: replica.simplex.epoch)
        for (own, other) in zip(own, ends) where own.header != other.header { return other }
        // Of the present epoch: a later block, or an end that is above the final one here.
        let next = ends[own.count]
        let final = store.watermark
        if next.header.height == final.height + 1, next.header.parent != final.header {
            return next
        }
        return next.header.height <= final.height ? next : nil
    }

    /// A snapshot takes the place of all blocks, and this node may be the last that holds them: they stay in a backup, which is whole
    /// or not there.
    private func keepHistory() -> Bool {
        let final = store.watermark
        guard final.height > 0 else { return true }
        let folder = "\(dataDirectory)/before-\(final.height)-\(final.header.hex.prefix(8))"
        // Made before a crash.
        guard !LedgerBackup.holds(store.header, in: folder, suite: store.suite) else { return true }
        logger.notice(
            "keeping the blocks held so far before a snapshot takes their place / 快照替换之前先保留原有区块",
            metadata: ["folder": "\(folder)"])
        do throws(StorageError) {
            _ = try LedgerBackup.write(of: store.path, chain: genesis.chain, to: folder)
            return true
        } catch {
            logger.critical(
                "the blocks held so far cannot be kept, so no snapshot takes their place: mend that and start the node again / 无法保留原有区块，故不采用快照：请排除原因后重新启动节点",
                metadata: ["reason": "\(error)"])
            return false
        }
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
