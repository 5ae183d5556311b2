import Replica

/// Checks transaction signatures beside the replica's thread.
///
/// One thread takes whatever batches wait and spreads their checks over the cores; each batch's answer goes back as
/// one input. The replica bounds how much it has outstanding (`ReplicaLimits.verifyingMax`).
///
/// The replica asks for no check twice while a transaction is here or waits; one that was refused and comes again is in
/// `VerifiedCache`. Envelopes of one signed batch share one signature, which `BatchBook` has checked once.
final class Verifier: Sendable {
    private struct Batch: Sendable {
        let id: BatchID
        let checks: [SignatureCheck]
    }

    private let batches = Mailbox<Batch>()
    private let mailbox: Mailbox<Mail>
    private let threads: Int

    init(_ mailbox: Mailbox<Mail>, threads: Int) {
        self.mailbox = mailbox
        self.threads = max(1, threads)
        DedicatedThread.start("verifier") { [self] in run() }
    }

    func check(_ id: BatchID, _ checks: [SignatureCheck]) {
        batches.put(Batch(id: id, checks: checks))
    }

    func stop() { _ = batches.close() }

    private func run() {
        var desk = CheckDesk(threads: threads)
        while true {
            let waiting = batches.take(until: .distantFuture)
            if waiting.isEmpty, batches.isClosed { return }
            for batch in waiting {
                mailbox.put(
                    .input(.verified(batch.id, desk.verify(batch.checks)), bytes: 0))
            }
        }
    }
}
