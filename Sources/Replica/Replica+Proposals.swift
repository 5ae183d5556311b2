import Consensus
import Execution
import Ledger
import LedgerCrypto
import Mempool
import Records

/// A leader's block that this replica has not finished with.
struct PendingProposal {
    enum State: Equatable {
        /// For its view, its parent, certificates or the clock.
        case waiting
        /// For transactions that are not here, or whose signatures are being checked.
        case lacking
        /// Voted for, or found invalid.
        case done
    }

    let proposer: Int
    let parentView: UInt64
    let subject: VoteSubject
    let outline: BlockOutline
    var state = State.waiting
    /// One for each entry, as far as they have been found; nil for automatic actions.
    private(set) var transactions: [Verified<SignedTransaction>?]
    /// Entries whose transactions have not been found, ascending.
    private(set) var missing: [Int]
    /// `Mempool.insertions` when they were last looked for.
    var filledAt: UInt64?
    /// How often peers were asked for them.
    var requests = 0
    /// The entries it names are not those of its header.
    var isRefuted = false

    init(proposer: Int, parentView: UInt64, subject: VoteSubject, outline: BlockOutline) {
        self.proposer = proposer
        self.parentView = parentView
        self.subject = subject
        self.outline = outline
        transactions = Array(repeating: nil, count: outline.items.count)
        missing = outline.items.indices.filter { index in
            if case .envelope = outline.items[index] { true } else { false }
        }
    }

    /// Finds what is missing.
    mutating func fill(from find: (Digest) -> Verified<SignedTransaction>?) {
        var rest: [Int] = []
        for index in missing {
            guard case .envelope(let digest) = outline.items[index], let found = find(digest)
            else {
                rest.append(index)
                continue
            }
            transactions[index] = found
        }
        missing = rest
    }

    var missingDigests: [Digest] {
        missing.compactMap { index in
            if case .envelope(let digest) = outline.items[index] { digest } else { nil }
        }
    }

    /// Nil while something is missing.
    var block: Block? {
        guard missing.isEmpty else { return nil }
        return Block(
            header: outline.header,
            entries: zip(outline.items, transactions).compactMap { item, transaction in
                switch item {
                case .envelope: transaction.map { .envelope($0.value.envelope.bytes) }
                case .automatic(let action): .automatic(action)
                }
            })
    }
}

/// What this replica proposed as the leader.
struct OwnProposal {
    let view: UInt64
    let parentView: UInt64
    let subject: VoteSubject
    let outline: BlockOutline
    let justification: [Certificate]
    /// With the signed vote, once there is one.
    var proposal: Proposal?
}

/// Leading and following: from candidates or a leader's block to a notarize vote.
extension Replica {
    /// The state on which the children of an executed block are executed.
    func parentState(_ digest: Digest) -> ParentState<Base>? {
        guard case .complete(let nodes) = tree.path(to: digest) else { return nil }
        let layers = tail + nodes.compactMap(\.executed)
        guard layers.count == tail.count + nodes.count else { return nil }
        guard let last = layers.last else {
            return ParentState(
                header: baseHeader, headerDigest: baseDigest, frontier: baseFrontier, layers: [],
                base: base)
        }
        return ParentState(
            header: last.block.header, headerDigest: last.headerDigest, frontier: last.frontier,
            layers: layers, base: base)
    }

    // MARK: Leading

    /// Proposes when this replica leads the view, knows a parent, and has something to order or waited long enough.
    mutating func proposeIfReady() {
        let view = simplex.view
        guard simplex.isLeader, simplex.mayVote, ownProposal?.view != view,
            heartbeatPassed || mempool.readyCount > 0,
            simplex.rules.statements(in: view).isEmpty, !isHalted,
            let parent = simplex.book.parent(for: view, where: { tree.isExecuted($0.header) }),
            let state = parentState(parent.subject.header)
        else { return }
        if endsEpoch(state.header), let last = tree[parent.subject.header]?.executed {
            // It has no child in this epoch: proposed again until it is final.
            return propose(last, view: view, parentView: parent.view)
        }
        let depth = state.layers.count - tail.count
        let isEmpty =
            depth >= ReplicaLimits.fullBlocksDepthMax
            || holdsMore(than: ReplicaLimits.fullBlocksBytesMax, state)
        if isEmpty, !heartbeatPassed { return }
        if depth > 0, mempool.readyCount < ReplicaLimits.pipelinedTransactionsMin, isHeld() {
            return
        }
        let timeMs = max(nowMs, state.header.timeMs + 1)
        guard let executed = build(on: state, timeMs: timeMs, isEmpty: isEmpty) else { return }
        propose(executed, view: view, parentView: parent.view)
    }

    /// Whether the entries of a state's blocks that are not final have more bytes than that.
    func holdsMore(than bytesMax: UInt64, _ state: ParentState<Base>) -> Bool {
        state.layers.dropFirst(tail.count).reduce(0) { $0 + $1.entryBytes } > bytesMax
    }

    /// Whether a small block waits for the one before it, as Nagle's algorithm has a small segment wait (RFC 896).
    private mutating func isHeld() -> Bool {
        if heartbeatPassed || hold == .over { return false }
        if hold == .none {
            hold = .waiting
            let waitMs = parameters.viewTimeoutMs / ReplicaLimits.holdDivisor
            effects.append(.setTimer(.propose, afterMs: waitMs))
        }
        return true
    }

    private mutating func propose(_ executed: ExecutedBlock, view: UInt64, parentView: UInt64) {
        let subject = executed.subject
        tree.insert(executed.block, subject: subject, view: view)
        tree.setExecuted(executed)
        let outline = BlockOutline(
            header: executed.header,
            items: zip(executed.block.entries, executed.outcomes).map { entry, outcome in
                BlockOutline.Item(entry, digest: outcome.entryDigest)
            })
        ownProposal = OwnProposal(
            view: view, parentView: parentView, subject: subject, outline: outline,
            justification: simplex.book.justification(parentView: parentView, view: view))
        guard let seat else { return }
        var proposal = PendingProposal(
            proposer: seat, parentView: parentView, subject: subject, outline: outline)
        proposal.state = .done
        proposals[view] = proposal
        vote(view: view, proposer: seat, parentView: parentView, executed)
    }

    /// Whether the header is the last one of this very epoch.
    func endsEpoch(_ header: Header) -> Bool {
        header.nextValidators != nil && header.epoch == simplex.epoch
    }

    /// What a proposal builds on: itself when it is the epoch's last block and was notarized in the parent's view, else its
    /// parent.
    private func base(
        of subject: VoteSubject, _ header: Header, parentView: UInt64
    ) -> Digest {
        endsEpoch(header) && simplex.book.notarized(parentView)?.header == subject.header
            ? subject.header : header.parent
    }

    /// A block of candidates; nil when there is nothing to order and no heartbeat is due.
    private mutating func build(
        on state: ParentState<Base>, timeMs: UInt64, isEmpty: Bool
    ) -> ExecutedBlock? {
        // Candidates that turn out to be void are dropped, and others tried.
        for _ in 0..<ReplicaLimits.buildAttemptsMax {
            let candidates =
                isEmpty
                ? []
                : mempool.takeCandidates(
                    countMax: Int(parameters.entriesPerBlockMax),
                    bytesMax: Int(parameters.blockBytesMax) - ReplicaLimits.blockOverheadBytes,
                    memberCountMax: Int(parameters.entriesPerMemberPerBlockMax))
            let executed = executor.build(
                on: state, candidates: candidates, timeMs: timeMs, replay: replay)
            mempool.giveBack(executed.leftOut.filter(\.mayComeLater).map(\.digest))
            mempool.drop(executed.leftOut.filter { !$0.mayComeLater }.map(\.digest))
            if heartbeatPassed || !executed.block.entries.isEmpty {
                mempool.reserve(ids: executed.transactions.compactMap { $0?.id })
                return executed
            }
            if candidates.isEmpty || mempool.readyCount == 0 { return nil }
        }
        return nil
    }

    private mutating func vote(
        view: UInt64, proposer: Int, parentView: UInt64, _ executed: ExecutedBlock
    ) {
        guard let subject = proposals[view]?.subject else { return }
        let base = base(of: subject, executed.header, parentView: parentView)
        let baseHeader = tree[base]?.block.header ?? finalHeader
        do throws(SafetyRules.Refusal) {
            try simplex.notarize(
                view: view, subject: subject, proposer: proposer, executed: executed.subject,
                base: base, baseView: parentView, baseEndsEpoch: endsEpoch(baseHeader))
        } catch {
            // Refused by the rules, for instance after a restart with another vote on record.
        }
    }

    // MARK: Following

    mutating func receive(_ proposal: Proposal, from peer: PeerID) {
        let view = proposal.view
        let header = proposal.outline.header
        guard proposal.epoch == simplex.epoch, view > simplex.book.final.view,
            view <= simplex.view + ReplicaLimits.proposalViewsAhead,
            proposal.vote.validator == simplex.leader(of: view)
                || mutation.contains(.notarizeUsurped),
            header.chain == chain, header.epoch == simplex.epoch,
            header.validators == validatorsDigest, header.height > finalHeight,
            header.entryCount == UInt64(proposal.outline.items.count),
            header.entryCount
                <= parameters.entriesPerBlockMax + parameters.automaticActionsPerBlockMax
        else {
            if proposal.epoch > simplex.epoch
                || proposal.view > simplex.view + ReplicaLimits.proposalViewsAhead
            {
                askForHelp(peer)
            }
            return
        }
        let subject = VoteSubject(header, suite: suite)
        guard proposal.vote.statement == .notarize(epoch: simplex.epoch, view: view, subject)
        else { return }
        if let known = proposals[view], known.subject == subject {
            receive(proposal.justification, from: peer)
            return
        }
        guard !simplex.hasReported(proposal.vote.validator, in: view) else { return }
        guard let vote = simplex.verified(proposer: proposal.vote) else {
            return effects.append(.cutOff(peer, .forgedVote))
        }
        if peer == PeerID(proposal.vote.validator) { heard(peer) }
        // A second, different proposal for the view leaves its evidence here.
        simplex.receive(vote)
        receive(proposal.justification, from: peer)
        let isOther = simplex.book.notarization(view).map { $0.statement.subject != subject }
        guard view > simplex.book.final.view,
            proposals[view] == nil || mutation.contains(.notarizeTwice),
            isOther != true
        else { return }
        proposals[view] = PendingProposal(
            proposer: proposal.vote.validator, parentView: proposal.parentView, subject: subject,
            outline: proposal.outline)
    }

    /// Takes the current view's proposal as far as it goes: to a vote, to a check of signatures, or to a refusal.
    mutating func followProposal() {
        let view = simplex.view
        guard let proposal = proposals[view], proposal.state != .done, simplex.mayVote, !isHalted
        else { return }
        let header = proposal.outline.header
        let base = base(of: proposal.subject, header, parentView: proposal.parentView)
        if !mutation.contains(.notarizeUnjustified) {
            guard
                simplex.book.lacking(parent: base, parentView: proposal.parentView, view: view)
                    == nil
            else { return }
        }
        if base == proposal.subject.header {
            // The epoch's last block again: a quorum has vouched for it already.
            guard execute(certified: base), let executed = tree[base]?.executed else { return }
            proposals[view]?.state = .done
            return vote(
                view: view, proposer: proposal.proposer, parentView: proposal.parentView, executed)
        }
        guard execute(certified: header.parent), let state = parentState(header.parent) else {
            return
        }
        guard header.height == state.header.height + 1, header.timeMs > state.header.timeMs,
            !endsEpoch(state.header) || mutation.contains(.continueEpoch)
        else {
            return refuseProposal(view)
        }
        // The clock may catch up; the retry timer looks again.
        guard header.timeMs <= nowMs + parameters.driftMs else { return }
        let depth = state.layers.count - tail.count
        // What the ledger does by itself nobody may leave out: refusing it would be refusing every block.
        if proposal.outline.hasEnvelopes {
            guard depth < ReplicaLimits.votedBlocksDepthMax,
                !holdsMore(than: ReplicaLimits.votedBlocksBytesMax, state)
            else { return }
        }
        if let executed = tree[proposal.subject.header]?.executed {
            // Proposed before, in another view.
            proposals[view]?.state = .done
            mempool.reserve(ids: executed.transactions.compactMap { $0?.id })
            return vote(
                view: view, proposer: proposal.proposer, parentView: proposal.parentView, executed)
        }
        fill(view)
        guard let block = proposals[view]?.block else { return awaitTransactions(view) }
        executeAndVote(view, block, on: state)
    }

    func decode(_ bytes: [UInt8]) -> Envelope? {
        try? Envelope(
            bytes: bytes, chain: chain, suite: suite, bytesMax: Int(parameters.transactionBytesMax))
    }

    private mutating func executeAndVote(
        _ view: UInt64, _ block: Block, on state: ParentState<Base>
    ) {
        guard let proposal = proposals[view] else { return }
        tree.insert(block, subject: proposal.subject, view: view)
        proposals[view]?.state = .done
        do throws(BlockFault) {
            let executed = try executor.execute(
                block, on: state, transactions: proposal.transactions, replay: replay)
            tree.setExecuted(executed)
            mempool.reserve(ids: executed.transactions.compactMap { $0?.id })
            vote(
                view: view, proposer: proposal.proposer, parentView: proposal.parentView, executed)
        } catch {
            let isChildOfLast = endsEpoch(state.header)
            if mutation.contains(isChildOfLast ? .continueEpoch : .notarizeUnexecuted) {
                return voteBlindly(proposal, view, baseEndsEpoch: isChildOfLast)
            }
            // Should a quorum vouch for the header, its entries are asked for: these are others, or the state here is wrong.
            proposals[view]?.isRefuted = true
            refuseProposal(view)
        }
    }

    /// What `notarizeUnexecuted` and `continueEpoch` do instead of refusing.
    private mutating func voteBlindly(
        _ proposal: PendingProposal, _ view: UInt64, baseEndsEpoch: Bool
    ) {
        proposals[view]?.state = .done
        try? simplex.notarize(
            view: view, subject: proposal.subject, proposer: proposal.proposer,
            executed: proposal.subject, base: proposal.outline.header.parent,
            baseView: proposal.parentView, baseEndsEpoch: baseEndsEpoch)
    }

    /// The leader proposed what no honest leader would: waiting for the timer serves nobody.
    mutating func refuseProposal(_ view: UInt64) {
        guard let proposal = proposals[view] else { return }
        proposals[view]?.state = .done
        tree.remove(proposal.subject.header)
        simplex.nullify(view: view)
    }
}
