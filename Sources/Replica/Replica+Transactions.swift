import Consensus
import Execution
import Ledger
import LedgerCrypto
import Mempool

/// A proposal names its transactions by digest. Clients' transactions were spread when they came in, so that most are in
/// the mempool, checked; the others are asked for, first of the proposer, then of one peer after another.
extension Replica {
    /// Looks into the mempool for what the view's proposal lacks.
    mutating func fill(_ view: UInt64) {
        guard proposals[view]?.filledAt != mempool.insertions else { return }
        proposals[view]?.filledAt = mempool.insertions
        let mempool = self.mempool
        proposals[view]?.fill { mempool.transaction(digest: $0) }
    }

    /// Whether the present view waits for transactions.
    var lacksTransactions: Bool { proposals[simplex.view]?.state == .lacking }

    /// They may be on their way or being checked, so peers are asked a little later.
    mutating func awaitTransactions(_ view: UInt64) {
        guard let proposal = proposals[view] else { return }
        if proposal.missingDigests.contains(where: { mempool.isBadlySigned($0) }) {
            return refuseProposal(view)
        }
        guard proposal.state == .waiting else { return }
        proposals[view]?.state = .lacking
        isFetching = true
        effects.append(.setTimer(.fetch, afterMs: ReplicaLimits.fetchDelayMs))
    }

    /// - Parameter other: whom to ask when the proposer has been asked already.
    mutating func requestTransactions(orFrom other: PeerID) {
        let view = simplex.view
        guard lacksTransactions, let proposal = proposals[view] else { return }
        let digests = proposal.missingDigests.filter { !verifying.contains($0) }
            .prefix(PeerLimits.transactionsMax)
        guard !digests.isEmpty else { return }
        let peer = proposal.requests == 0 ? PeerID(proposal.proposer) : other
        proposals[view]?.requests += 1
        effects.append(.send(peer, .transactionsRequest(Array(digests))))
    }

    /// The answer to a peer that lacks transactions of a proposal: those that are in the mempool, in blocks or not. An honest
    /// peer does not ask again within the pause.
    mutating func serve(_ digests: [Digest], to peer: PeerID) {
        guard transactionsServed.isDue(peer, nowMs) else { return }
        var envelopes: [[UInt8]] = []
        var bytes = 0
        for digest in digests {
            guard let envelope = mempool.transaction(digest: digest)?.value.envelope else {
                continue
            }
            envelopes.append(envelope.bytes)
            bytes += envelope.byteCount
            if bytes >= PeerLimits.requestedBytesMax { break }
        }
        if !envelopes.isEmpty {
            effects.append(.send(peer, .requestedTransactions(envelopes)))
        }
    }

    /// Takes out of what a peer sent the transactions that the present proposal lacks and peers were asked for, and has them
    /// checked whether the mempool would have them or not: it may be full, or hold another envelope of the same
    /// transaction.
    mutating func takeRequested(_ envelopes: [Envelope]) -> [Envelope] {
        let view = simplex.view
        guard lacksTransactions, let proposal = proposals[view], proposal.requests > 0,
            let state = parentState(proposal.outline.header.parent)
        else { return envelopes }
        var missing = Set(proposal.missingDigests)
        var others: [Envelope] = []
        var checks: [SignatureCheck] = []
        for envelope in envelopes {
            guard missing.contains(envelope.digest), !verifying.contains(envelope.digest) else {
                others.append(envelope)
                continue
            }
            missing.remove(envelope.digest)
            guard let key = key(of: envelope, on: state) else {
                refuseProposal(view)
                return others
            }
            verifying.insert(envelope.digest)
            checks.append(SignatureCheck(envelope: envelope, key: key))
        }
        guard !checks.isEmpty else { return others }
        let digests = checks.map(\.envelope.digest)
        let batch = newBatch(.proposal(view: view, header: proposal.subject.header, digests))
        effects.append(.verify(batch, checks))
        return others
    }

    /// Transactions that were asked for have been checked.
    mutating func complete(
        view: UInt64, header: Digest, _ results: [Verified<SignedTransaction>?]
    ) {
        guard proposals[view]?.subject.header == header, proposals[view]?.state == .lacking
        else { return }
        var found: [Digest: Verified<SignedTransaction>] = [:]
        for result in results {
            guard let result else { return refuseProposal(view) }
            found[result.value.digest] = result
        }
        proposals[view]?.fill { found[$0] }
    }

    /// Puts a certified block together from its proposal, when all its transactions are here.
    ///
    /// - Returns: whether its body is in the tree now.
    mutating func assemble(_ header: Digest) -> Bool {
        guard let view = proposalView(header) else { return false }
        fill(view)
        guard let proposal = proposals[view], let block = proposal.block else { return false }
        tree.insert(block, subject: proposal.subject, view: view)
        // The tree takes nothing at or below the final height.
        return tree[header] != nil
    }

    /// The checked transactions of a block that was put together here. A body under the same header that came from a peer may
    /// be another one.
    func assembledTransactions(_ node: BlockTree.Node) -> [Verified<SignedTransaction>?]? {
        guard let view = proposalView(node.subject.header), let proposal = proposals[view],
            proposal.missing.isEmpty, proposal.block == node.block
        else { return nil }
        return proposal.transactions
    }

    /// The oldest view in which the block was proposed.
    func proposalView(_ header: Digest) -> UInt64? {
        proposals.keys.sorted().first {
            proposals[$0]?.subject.header == header && proposals[$0]?.isRefuted == false
        }
    }
}
