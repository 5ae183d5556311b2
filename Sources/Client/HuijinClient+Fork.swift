import Ledger
import LedgerCrypto
import LightClient

extension HuijinClient {
    /// The same evidence with the nullification that it lacks to name enough double-signers, if one of the nodes kept it; which
    /// does is known only by asking. All are asked at the same time, and what they answer is checked like the rest.
    ///
    /// - Returns: what was given, where it lacks none or nobody gave one.
    /// - Throws: what is wrong with the evidence itself.
    public func completed(
        _ evidence: ForkEvidence
    ) async throws(EvidenceProblem) -> (evidence: ForkEvidence, proven: ProvenFork) {
        let known = try verifier.verifyFork(evidence)
        guard case .nullification(let epoch, let view)? = known.missing else {
            return (evidence, known)
        }
        for certificate in await nullifications(epoch: epoch, view: view) {
            let more = evidence.adding([certificate])
            // Whoever answers with another vote, or with signatures that are none, has not given it.
            guard certificate.statement == .nullify(epoch: epoch, view: view),
                let proven = try? verifier.verifyFork(more), proven.missing == nil
            else { continue }
            return (more, proven)
        }
        return (evidence, known)
    }

    /// What the nodes answer that do, in their order.
    private func nullifications(epoch: UInt64, view: UInt64) async -> [Certificate] {
        await withTaskGroup(of: (Int, Certificate?).self) { group in
            for (index, node) in nodes.enumerated() {
                group.addTask { (index, await self.nullification(epoch, view, from: node)) }
            }
            var found: [Int: Certificate] = [:]
            for await (index, certificate) in group { found[index] = certificate }
            return nodes.indices.compactMap { found[$0] }
        }
    }

    // Apart from the group's closure, as in `status(of:)`.
    private func nullification(
        _ epoch: UInt64, _ view: UInt64, from node: String
    ) async -> Certificate? {
        let answer = try? await request(
            node, "/v1/epochs/\(epoch)/nullifications/\(view)", accept: "application/cbor",
            answerBytesMax: LedgerLimits.certificate.bytesMax)
        return answer.flatMap {
            try? Certificate.decode($0.body, limits: LedgerLimits.certificate)
        }
    }
}
