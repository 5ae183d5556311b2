import Consensus
import Execution
import Ledger
import LedgerCrypto
import Mempool
import Records

/// A key as an envelope names it.
struct KeyReference: Hashable {
    let key: KeyID
    let member: MemberID
}

/// Envelopes whose signatures are being checked.
enum Batch {
    /// For a client: the answers so far, and which of them wait for a signature.
    case submission(RequestID, [OutcomeCode], waiting: [Int], [Digest])
    /// Of a peer, as it is called in that epoch.
    case gossip(from: PeerID, epoch: UInt64, [Digest])
    /// What a proposal lacked and peers were asked for.
    case proposal(view: UInt64, header: Digest, [Digest])
}

/// Transactions on their way into the mempool.
extension Replica {
    mutating func newBatch(_ content: Batch) -> BatchID {
        let batch = BatchID(nextBatch)
        nextBatch += 1
        batches[batch] = content
        return batch
    }

    /// The live key of an envelope's sender. Only found keys are remembered, until a revocation is final.
    mutating func key(of envelope: Envelope, on state: ParentState<Base>) -> PublicKey? {
        let reference = KeyReference(key: envelope.keyID, member: envelope.member)
        if let key = keys[reference] { return key }
        guard let key = executor.publicKey(for: reference.key, member: reference.member, on: state)
        else { return nil }
        if keys.count >= ReplicaLimits.keysMax { keys.removeAll(keepingCapacity: true) }
        keys[reference] = key
        return key
    }

    mutating func forgetKeys(_ block: ExecutedBlock) {
        let revoke = TransactionKind.keyRevoke.rawValue
        if block.transactions.contains(where: { $0?.kind == revoke }) {
            keys.removeAll(keepingCapacity: true)
        }
    }

    /// Who gave envelopes to this replica.
    enum Sender {
        case client(RequestID)
        case peer(PeerID)
    }

    /// Checks envelopes, and has the signatures of the promising ones checked.
    ///
    /// None while it catches up: a new member's key would be unknown here, and what peers pass on will be final before it
    /// is of use here.
    mutating func admit(_ envelopes: [Envelope], from sender: Sender) {
        guard !isCatchingUp else {
            if case .client(let request) = sender {
                effects.append(
                    .answer(
                        request, Array(repeating: .unavailable, count: envelopes.count)))
            }
            return
        }
        guard let state = parentState(finalDigest) else {
            preconditionFailure("the final block is always executed")
        }
        var answers: [OutcomeCode] = []
        answers.reserveCapacity(envelopes.count)
        var waiting: [Int] = []
        var digests: [Digest] = []
        var checks: [SignatureCheck] = []
        for (index, envelope) in envelopes.enumerated() {
            var key: PublicKey?
            let code = admission(of: envelope, on: state, key: &key)
            answers.append(code)
            guard code == .accepted, let key else { continue }
            verifying.insert(envelope.digest)
            waiting.append(index)
            digests.append(envelope.digest)
            checks.append(SignatureCheck(envelope: envelope, key: key))
        }
        guard !checks.isEmpty else {
            if case .client(let request) = sender { effects.append(.answer(request, answers)) }
            return
        }
        let batch =
            switch sender {
            case .client(let request):
                newBatch(.submission(request, answers, waiting: waiting, digests))
            case .peer(let peer):
                newBatch(.gossip(from: peer, epoch: simplex.epoch, digests))
            }
        effects.append(.verify(batch, checks))
    }

    private mutating func admission(
        of envelope: Envelope, on state: ParentState<Base>, key: inout PublicKey?
    ) -> OutcomeCode {
        let transaction = envelope.transaction
        if TransactionKind(rawValue: transaction.kind) == nil { return .unknownKind }
        if transaction.lastValidHeight > finalHeight + parameters.replayWindowBlocksMax {
            return .tooFarAhead
        }
        if transaction.lastValidHeight <= finalHeight { return .expired }
        if replay.contains(envelope.id) { return .replayed }
        if verifying.contains(envelope.digest) { return .duplicate }
        if let refusal = mempool.refusal(of: envelope) { return code(refusal) }
        if verifying.count >= ReplicaLimits.verifyingMax { return .busy }
        key = self.key(of: envelope, on: state)
        return key == nil ? .unknownKey : .accepted
    }

    private func code(_ refusal: Mempool.Refusal) -> OutcomeCode {
        switch refusal {
        case .duplicate: .duplicate
        case .badSignature: .badSignature
        case .expired: .expired
        case .memberFull: .overQuota
        case .full: .busy
        }
    }

    /// The results of a `.verify` effect.
    mutating func verified(_ id: BatchID, _ results: [Verified<SignedTransaction>?]) {
        guard let batch = batches.removeValue(forKey: id) else { return }
        switch batch {
        case .proposal(let view, let header, let digests):
            // Into the mempool as well, as long as it has room: the proposal may fail.
            _ = insert(results, digests)
            complete(view: view, header: header, results)
        case .gossip(let peer, let epoch, let digests):
            let codes = insert(results, digests)
            if codes.contains(.badSignature), peer.isGuest || epoch == simplex.epoch {
                effects.append(.cutOff(peer, .forgedTransaction))
            }
        case .submission(let request, var answers, let waiting, let digests):
            let codes = insert(results, digests)
            for (index, code) in zip(waiting, codes) { answers[index] = code }
            effects.append(.answer(request, answers))
            // Passed on once, by the replica that a client gave them to.
            let admitted = zip(results, codes).compactMap { result, code in
                code == .accepted ? result?.value.envelope.bytes : nil
            }
            if !admitted.isEmpty { effects.append(.broadcast(.transactions(admitted))) }
        }
    }

    private mutating func insert(
        _ results: [Verified<SignedTransaction>?], _ digests: [Digest]
    ) -> [OutcomeCode] {
        precondition(results.count == digests.count, "one result for each signature")
        return zip(results, digests).map { result, digest in
            verifying.remove(digest)
            guard let result else {
                mempool.noteBadSignature(digest)
                return .badSignature
            }
            // It may have become final while its signature was checked.
            if replay.contains(result.value.id) { return .replayed }
            do throws(Mempool.Refusal) {
                try mempool.insert(result)
                return .accepted
            } catch {
                return code(error)
            }
        }
    }
}
