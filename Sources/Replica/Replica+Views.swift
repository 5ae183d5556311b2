import Consensus
import Ledger

/// Timers, silent leaders, and what helps peers onwards.
extension Replica {
    /// Whether entries wait in blocks that are not final.
    private var hasUnfinishedEntries: Bool {
        tree.nodes.values.contains { !$0.block.entries.isEmpty }
    }

    /// Doubled for each full turn of leaders in which nothing became final.
    private var viewTimeoutMs: UInt64 {
        let turns = simplex.viewsSinceFinal / UInt64(simplex.validators.count)
        return parameters.viewTimeoutMs << min(turns, ReplicaLimits.timeoutDoublingsMax)
    }

    /// Sets the timers of a view that was just entered, and passes over a leader that has long been silent.
    mutating func startView() {
        let view = simplex.view
        guard timedView != view else { return }
        if view > timedView + UInt64(simplex.validators.count) {
            // Certificates took this replica here; whom it did not hear on the way is not to blame.
            for seat in heardInView.indices { heardInView[seat] = view }
        }
        timedView = view
        heartbeatPassed = false
        hold = .none
        isIdle = mempool.readyCount == 0
        setViewTimers()
        if simplex.isLeader {
            isFirstHeartbeat = hasUnfinishedEntries
            let pause = isFirstHeartbeat ? parameters.heartbeatMs / 4 : parameters.heartbeatMs
            effects.append(.setTimer(.heartbeat, afterMs: pause))
        } else {
            effects.append(.cancelTimer(.heartbeat))
            let leader = simplex.leader(of: view)
            let turns = ReplicaLimits.silentTurns * UInt64(simplex.validators.count)
            if view > heardInView[leader] + turns { simplex.nullify(view: view) }
        }
    }

    private mutating func setViewTimers() {
        let idleMs = isIdle ? parameters.heartbeatMs : 0
        effects.append(.setTimer(.view, afterMs: idleMs + viewTimeoutMs))
        let patienceMs = hasUnfinishedEntries ? 0 : idleMs
        effects.append(.setTimer(.retry, afterMs: patienceMs + parameters.viewTimeoutMs / 2))
    }

    /// The first waiting transaction of a view that began idle shortens its timers.
    mutating func hurryIfBusy() {
        guard isIdle, mempool.readyCount > 0 else { return }
        isIdle = false
        setViewTimers()
    }

    mutating func fired(_ timer: TimerID) {
        switch timer {
        case .view:
            simplex.nullify(view: simplex.view)
            simplex.nullifyPassedViews()
            if mutation.contains(.nullifyAfterFinalize), simplex.view > 1 {
                simplex.nullify(view: simplex.view - 1)
            }
        case .heartbeat: heartbeat()
        case .propose: if hold == .waiting { hold = .over }
        case .retry: retry()
        case .fetch:
            isFetching = false
            // Nobody had more, or nobody answered; the next status starts it again.
            if awaitsFinalBlocks { isBehindEpochs = false }
            awaitsFinalBlocks = false
            fetch()
        }
    }

    private mutating func heartbeat() {
        guard simplex.isLeader else { return }
        // Entries that are not final after a quarter of it need a descendant, since their own view will
        // hardly be finalized any more; otherwise nothing is urgent.
        if isFirstHeartbeat, !hasUnfinishedEntries {
            isFirstHeartbeat = false
            effects.append(
                .setTimer(.heartbeat, afterMs: parameters.heartbeatMs - parameters.heartbeatMs / 4))
        } else {
            heartbeatPassed = true
        }
    }

    /// No progress for a while: perhaps messages were lost.
    private mutating func retry() {
        effects.append(.setTimer(.retry, afterMs: parameters.viewTimeoutMs / 2))
        let votes = simplex.votesToRepeat()
        if !votes.isEmpty { effects.append(.broadcast(.votes(votes))) }
        if let proposal = ownProposal?.proposal, proposal.view == simplex.view {
            effects.append(.broadcast(.proposal(proposal)))
        }
        effects.append(.broadcast(.status(status)))
        askForOwnVotes()
    }

    // MARK: Own votes

    /// Asks one peer, or all of them, what they hold of this replica's votes, if it does not know yet.
    mutating func askForOwnVotes(_ peer: PeerID? = nil) {
        guard simplex.isComparing else { return }
        let message = PeerMessage.heldVotesRequest(epoch: simplex.epoch, question: question)
        effects.append(peer.map { .send($0, message) } ?? .broadcast(message))
    }

    /// A validator asks for its own votes. Those of another epoch are of no use to it; it has to catch up first, or we.
    private mutating func tellVotes(_ peer: PeerID, epoch: UInt64, question: UInt64) {
        guard !peer.isGuest, ownVotesTold.isDue(peer, nowMs) else { return }
        if epoch == simplex.epoch {
            let answer = simplex.votesHeld(of: peer.seat, question: question)
            effects.append(.send(peer, .heldVotes(answer)))
        } else {
            effects.append(.send(peer, .status(status)))
        }
    }

    private mutating func receive(_ answer: HeldVotes, from peer: PeerID) {
        guard !peer.isGuest, answer.epoch == simplex.epoch, answer.question == question
        else { return }
        if let certificate = answer.finalization {
            // Below what is final nothing may be said any more, and this replica may have been there.
            switch simplex.check(certificate) {
            case .valid(let verified): simplex.receive(verified)
            case .unneeded: break
            case .forged: return effects.append(.cutOff(peer, .forgedCertificate))
            }
        }
        if !simplex.compare(answer, from: peer.seat) {
            effects.append(.cutOff(peer, .forgedVote))
        }
    }

    // MARK: Peers

    mutating func receive(_ message: PeerMessage, from peer: PeerID) {
        guard peer.isGuest || heardInView.indices.contains(peer.seat), peer.seat != seat
        else { return }
        switch message {
        case .proposal(let proposal): receive(proposal, from: peer)
        case .votes(let votes):
            if votes.contains(where: { isRecent($0.statement) }) { heard(peer) }
            for vote in votes {
                if vote.statement.epoch > simplex.epoch
                    || vote.statement.view > simplex.view + Simplex.viewsAheadMax
                {
                    askForHelp(peer)
                }
                switch simplex.check(vote) {
                case .valid(let verified): simplex.receive(verified)
                case .unneeded: continue
                case .forged: return effects.append(.cutOff(peer, .forgedVote))
                }
            }
        case .certificates(let certificates):
            if certificates.contains(where: { $0.statement.epoch > simplex.epoch }) {
                askForHelp(peer)
            }
            // Whoever tells of a final block has it, or will have it soon.
            if certificates.contains(where: {
                $0.kind == .finalize
                    && $0.statement.subject.map { $0.height > finalHeight } ?? false
            }) {
                fetchPeer = peer
            }
            receive(certificates, from: peer)
        case .transactions, .requestedTransactions: break
        case .transactionsRequest(let digests): serve(digests, to: peer)
        case .finalBlocksRequest(let height):
            if height <= finalHeight, height > 0 {
                effects.append(.serveFinalBlocks(peer, from: height))
            }
        case .finalBlocks(let blocks): receive(finalBlocks: blocks, from: peer)
        case .blockRequest(let digest):
            if let block = tree[digest]?.block
                ?? recentBlocks.first(where: { $0.digest == digest })?.block
            {
                effects.append(.send(peer, .block(block)))
            }
        case .block(let block): receive(wanted: block, from: peer)
        case .status(let status): receive(status, from: peer)
        case .heldVotesRequest(let epoch, let question):
            tellVotes(peer, epoch: epoch, question: question)
        case .heldVotes(let answer): receive(answer, from: peer)
        }
    }

    /// Whether it is for a block of about the present views. Nothing of it was verified: it may name any view.
    private func isRecent(_ statement: VoteStatement) -> Bool {
        guard statement.kind != .nullify, statement.epoch == simplex.epoch,
            statement.view <= simplex.view + Simplex.viewsAheadMax
        else { return false }
        let turns = UInt64(simplex.validators.count) * ReplicaLimits.recentTurns
        return statement.view >= simplex.view || simplex.view - statement.view <= turns
    }

    /// Proposals and votes for recent blocks alone count: one that still catches up can nullify, and repeat what it
    /// said before it fell behind, and leads in vain.
    mutating func heard(_ peer: PeerID) {
        if !peer.isGuest { heardInView[peer.seat] = simplex.view }
    }

    mutating func receive(_ certificates: [Certificate], from peer: PeerID) {
        for certificate in certificates {
            switch simplex.check(certificate) {
            case .valid(let verified): simplex.receive(verified)
            case .unneeded: continue
            case .forged: return effects.append(.cutOff(peer, .forgedCertificate))
            }
        }
    }

    private mutating func receive(_ theirs: ReplicaStatus, from peer: PeerID) {
        guard theirs.epoch == simplex.epoch else {
            if theirs.epoch > simplex.epoch, theirs.finalHeight > finalHeight {
                isBehindEpochs = true
                fetchPeer = peer
            } else if theirs.epoch < simplex.epoch, statusAnswered.isDue(peer, nowMs) {
                // Its votes are of no use any more; this status makes it ask for blocks.
                effects.append(.send(peer, .status(status)))
                effects.append(
                    .serveEpochEnd(
                        peer, epoch: theirs.epoch, heldHeight: theirs.finalHeight))
            }
            return
        }
        if theirs.view > simplex.view || theirs.finalView > simplex.book.final.view
            || theirs.finalHeight > finalHeight
        {
            askForHelp(peer)
            if theirs.finalHeight > finalHeight { fetchPeer = peer }
        }
        guard statusAnswered.isDue(peer, nowMs) else { return }
        let answer = simplex.answer(to: theirs)
        if !answer.certificates.isEmpty {
            effects.append(.send(peer, .certificates(answer.certificates)))
        }
        if !answer.votes.isEmpty { effects.append(.send(peer, .votes(answer.votes))) }
        if let proposal = ownProposal?.proposal, proposal.view == simplex.view,
            theirs.view <= simplex.view,
            proposalSent.isDue(peer, nowMs, pauseMs: ReplicaLimits.fetchRetryMs)
        {
            effects.append(.send(peer, .proposal(proposal)))
        }
    }

    /// Tells a peer that is ahead where this replica stands.
    mutating func askForHelp(_ peer: PeerID) {
        guard helpAsked.isDue(peer, nowMs) else { return }
        effects.append(.send(peer, .status(status)))
    }
}

/// When something was last done for each peer.
struct PeerTimes {
    private var lastMs: [PeerID: UInt64] = [:]

    /// Whether it may be done again, which then counts as done. A clock that was set back does not block it.
    mutating func isDue(
        _ peer: PeerID, _ nowMs: UInt64, pauseMs: UInt64 = ReplicaLimits.statusPauseMs
    ) -> Bool {
        if let last = lastMs[peer], nowMs >= last, nowMs < last &+ pauseMs { return false }
        if lastMs.count >= ReplicaLimits.timedPeersMax { lastMs.removeAll() }
        lastMs[peer] = nowMs
        return true
    }
}
