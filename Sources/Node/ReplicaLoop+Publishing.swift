import Execution
import Ledger
import LightClient
import Records

/// What the replica's thread tells the rest of the process.
extension ReplicaLoop {
    /// Tells those who wait for this block's transactions. The block is durable.
    func settle(_ block: ExecutedBlock) {
        for (index, outcome) in block.outcomes.enumerated() {
            guard let transaction = block.transactions[index] else {
                metrics.automaticActions += 1
                continue
            }
            if outcome.isAccepted {
                metrics.transactionsAccepted += 1
            } else {
                metrics.transactionsRefused += 1
            }
            guard !desk.isEmpty else { continue }
            guard let code = OutcomeCode(rawValue: outcome.code) else {
                preconditionFailure("execution gives known codes")
            }
            desk.settle(
                transaction.id, code: code, height: block.height, index: UInt64(index))
        }
    }

    /// After a commit: the new height for status pages and for those who follow the chain.
    func publish(finalization: Certificate?) {
        let header = store.header
        let digest = store.watermark.header
        let firstHeight = store.firstHeight
        let epoch = replica.status.epoch
        shared.status.withLock { status in
            status.header = header
            // Never behind the header, for whoever reads both.
            status.epoch = epoch
            status.firstHeight = firstHeight
            status.headerDigest = digest
            status.finalization = finalization
        }
        if finalization != nil { cosign(header) }
        shared.announce(header.height)
    }

    /// For tools that read transparency logs. Only what is final and durable here is signed, as it becomes so, and the newest
    /// again at a start, which has forgotten; and only by a key that may vote from this store
    /// (docs/decisions/0012-checkpoints.md).
    ///
    /// A header is for its own epoch's set to sign. By an epoch's last commit the replica is in the next one already, so the
    /// set is the driver's, which changes with `reconfigure`; at a start that follows such a commit it is not at hand.
    private func cosign(_ header: Header) {
        let validators = peers.validators
        guard header.epoch == validators.epoch,
            let checkpoint = LogCheckpoint(header, suite: genesis.suite),
            let key = cosigningKey,
            let seat = validators.index(ofKey: key.publicKey.keyID)
        else { return }
        let validator = validators.validators[seat]
        let cosignature = LogCosignature(
            checkpoint, time: Clock.wallMs() / 1_000,
            cosigner: LogCosigner(validator, chain: header.chain), with: key)
        shared.checkpoints.withLock {
            $0.add(CosignedCheckpoint(checkpoint, cosignature), height: header.height)
        }
    }

    func publishCounters() {
        let epoch = replica.status.epoch
        let view = replica.view
        let mempoolCount = replica.mempool.count
        let isCatchingUp = replica.isCatchingUp
        let votes = votes
        shared.status.withLock { status in
            status.epoch = epoch
            status.view = view
            status.mempoolCount = mempoolCount
            status.isCatchingUp = isCatchingUp
            status.votes = votes
        }
        let metrics = metrics
        shared.metrics.withLock { $0 = metrics }
    }
}
