import Encoding
import Ledger
import LedgerCrypto
import LightClient

extension HuijinClient {
    /// Evidence of a fork with a certificate that it lacks to name enough double-signers, if one of the nodes holds it; which
    /// does is known only by asking. All are asked at the same time, and what they answer is checked like the rest.
    ///
    /// - Parameter proven: what the evidence proves by `verifier`.
    /// - Returns: nil where it lacks no votes of a view, or nobody has any that help.
    /// - Throws: why one of the nodes did not answer, where what the others gave does not help.
    public func completed(
        _ evidence: ForkEvidence, _ proven: ProvenFork
    ) async throws(ClientError) -> (evidence: ForkEvidence, proven: ProvenFork)? {
        guard case .votes(let epoch, let view)? = proven.missing else { return nil }
        let (certificates, failure) = await certificates(epoch: epoch, view: view)
        for certificate in certificates {
            let more = evidence.adding([certificate])
            // Signatures that are none, or votes that say nothing here: somebody else may have given what does.
            if let proven = try? verifier.verifyFork(more), proven.missing == nil {
                return (more, proven)
            }
        }
        // It may be the one that has them.
        if let failure { throw failure }
        return nil
    }

    /// What the nodes hold of a view, in their order, and why the first of those did not answer that did not.
    private func certificates(
        epoch: UInt64, view: UInt64
    ) async -> (held: [Certificate], failure: ClientError?) {
        let answers = await withTaskGroup(
            of: (Int, Result<[Certificate], ClientError>).self
        ) { group in
            for (index, node) in nodes.enumerated() {
                group.addTask { (index, await self.certificates(epoch, view, from: node)) }
            }
            var answers: [Int: Result<[Certificate], ClientError>] = [:]
            for await (index, answer) in group { answers[index] = answer }
            return nodes.indices.compactMap { answers[$0] }
        }
        var held: [Certificate] = []
        var failure: ClientError?
        for answer in answers {
            switch answer {
            case .success(let certificates): held += certificates
            case .failure(let error): failure = failure ?? error
            }
        }
        return (held, failure)
    }

    // Apart from the group's closure, as in `status(of:)`.
    private func certificates(
        _ epoch: UInt64, _ view: UInt64, from node: String
    ) async -> Result<[Certificate], ClientError> {
        do throws(ClientError) {
            let answer = try await request(
                node, "/v1/epochs/\(epoch)/views/\(view)/certificates",
                accept: "application/cbor", answerBytesMax: Self.certificatesLimits.bytesMax)
            do throws(CBORError) {
                var decoder = CBORDecoder(answer.body.span.bytes, limits: Self.certificatesLimits)
                let certificates: [Certificate] = try decoder.list(max: Self.certificatesMax)
                try decoder.finish()
                return .success(certificates)
            } catch {
                throw ClientError.badAnswer(
                    node: node, what: Bilingual("no list of certificates", "不是证书列表"))
            }
        } catch {
            // It has none.
            if case .refused(_, 404, _, _, _) = error { return .success([]) }
            return .failure(error)
        }
    }

    private static let certificatesMax = 8
    private static let certificatesLimits = CBORLimits(
        bytesMax: certificatesMax * LedgerLimits.certificate.bytesMax,
        depthMax: LedgerLimits.certificate.depthMax + 1,
        itemsMax: LedgerLimits.certificate.itemsMax,
        stringBytesMax: LedgerLimits.certificate.stringBytesMax)
}
