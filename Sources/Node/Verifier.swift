import Dispatch
import Ledger
import LedgerCrypto
import Replica

/// Checks transaction signatures beside the replica's thread.
///
/// One thread takes whatever batches wait and spreads their checks over the cores; each batch's answer goes back as
/// one input. The replica bounds how much it has outstanding (`ReplicaLimits.verifyingMax`).
///
/// A transaction comes twice, by gossip and in a proposal, and often the second copy is here before the first is
/// checked; `VerifiedCache` spares that second check, which would cost more than everything else about it.
final class Verifier: Sendable {
    private struct Batch: Sendable {
        let id: BatchID
        let checks: [SignatureCheck]
    }

    private let batches = Mailbox<Batch>()
    private let mailbox: Mailbox<Mail>
    private let threads: Int

    /// Fewer checks than this are not worth waking another thread for.
    private static let checksPerThreadMin = 8

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
        var cache = VerifiedCache()
        while true {
            let waiting = batches.take(until: .distantFuture)
            if waiting.isEmpty, batches.isClosed { return }
            for batch in waiting {
                mailbox.put(.input(.verified(batch.id, verify(batch.checks, &cache)), bytes: 0))
            }
        }
    }

    private func verify(
        _ checks: [SignatureCheck], _ cache: inout VerifiedCache
    ) -> [Verified<SignedTransaction>?] {
        var results = checks.map { cache.transaction(for: $0) }
        let missing = results.indices.filter { results[$0] == nil }
        for (index, result) in zip(missing, verify(missing.map { checks[$0] })) {
            results[index] = result
            if let result { cache.insert(result) }
        }
        return results
    }

    private func verify(_ checks: [SignatureCheck]) -> [Verified<SignedTransaction>?] {
        let parts = min(threads, checks.count / Verifier.checksPerThreadMin)
        guard parts > 1 else { return checks.map { $0.envelope.verified(by: $0.key) } }
        var results = [Verified<SignedTransaction>?](repeating: nil, count: checks.count)
        results.withUnsafeMutableBufferPointer { buffer in
            // Each part writes to places of its own.
            nonisolated(unsafe) let places = buffer
            DispatchQueue.concurrentPerform(iterations: parts) { part in
                let start = checks.count * part / parts
                let end = checks.count * (part + 1) / parts
                for index in start..<end {
                    places[index] = checks[index].envelope.verified(by: checks[index].key)
                }
            }
        }
        return results
    }
}

/// The transactions that were found well signed most recently, by the digest of their exact bytes.
struct VerifiedCache {
    /// About two generations of this many are kept: some blocks' worth.
    static let generationMax = 8_192

    private var young: [Digest: Verified<SignedTransaction>] = [:]
    private var old: [Digest: Verified<SignedTransaction>] = [:]

    /// - Returns: `nil` unless these very bytes were checked under this very key.
    func transaction(for check: SignatureCheck) -> Verified<SignedTransaction>? {
        let digest = check.envelope.digest
        guard let found = young[digest] ?? old[digest], found.value.key == check.key else {
            return nil
        }
        return found
    }

    mutating func insert(_ transaction: Verified<SignedTransaction>) {
        if young.count >= VerifiedCache.generationMax {
            old = young
            young = [:]
        }
        young[transaction.value.digest] = transaction
    }
}
