import Consensus
import Execution
import Ledger
import LedgerCrypto
import Replica
import Storage

/// A Byzantine validator: an honest replica whose words are twisted on their way out. It proposes two blocks for
/// one view or a block on an old parent, votes for everything, keeps votes from some, says again what others
/// said, signs in others' names, and answers requests with changed blocks; each as far as the seed has it.
extension Simulation {
    private static let overheardMax = 64

    func learn(_ proposal: Proposal) {
        let subject = VoteSubject(proposal.outline.header, suite: workload.genesis.suite)
        let view = EpochView(proposal.vote.statement)
        if seen[view]?.contains(subject) != true { seen[view, default: []].append(subject) }
    }

    /// Kept to be said again, by the liar's mouth and much later.
    func overhear(_ message: PeerMessage) {
        if overheard.count < Simulation.overheardMax {
            overheard.append(message)
        } else if random.chance(perMille: 100) {
            overheard[random.below(overheard.count)] = message
        }
    }

    func lies(_ kind: FaultKinds, _ seat: Int, perMille: UInt64) -> Bool {
        guard case .liar(let kinds) = plan.ailments[seat], kinds.contains(kind) else {
            return false
        }
        return random.chance(perMille: perMille)
    }

    func lie(_ message: PeerMessage, from seat: Int) {
        if lies(.replay, seat, perMille: 150), !overheard.isEmpty {
            counts[.replayed] += 1
            broadcast(overheard[random.below(overheard.count)], from: seat)
        }
        if lies(.forgery, seat, perMille: 100) { forge(from: seat) }
        if lies(.pestering, seat, perMille: 150) { pester(from: seat) }
        switch message {
        case .proposal(let proposal):
            learn(proposal)
            if lies(.pestering, seat, perMille: 400) { return mislead(proposal, from: seat) }
            guard lies(.equivocation, seat, perMille: 800),
                let other = forged(proposal, by: seat)
            else { return say(message, from: seat) }
            counts[.equivocations] += 1
            learn(other)
            equivocate(proposal, other, from: seat)
        case .votes(let votes):
            say(message, from: seat)
            for vote in votes { preempt(vote.statement, by: seat) }
            guard let first = votes.first?.statement, first.epoch == nodes[seat].set.epoch,
                lies(.equivocation, seat, perMille: 600)
            else { return }
            counts[.equivocations] += 1
            let everything = contradictions(in: EpochView(first), by: seat)
            for to in nodes.indices where to != seat && random.chance(perMille: 700) {
                send(.votes(everything), from: seat, to: to)
            }
        case .certificates, .transactions, .finalBlocksRequest, .finalBlocks, .blockRequest,
            .block, .status, .heldVotesRequest, .heldVotes, .transactionsRequest,
            .requestedTransactions:
            say(message, from: seat)
        }
    }

    /// Proposes in another's view.
    func usurp(_ proposal: Proposal, by seat: Int) {
        guard lies(.forgery, seat, perMille: 200), let other = forged(proposal, by: seat)
        else { return }
        counts[.forged] += 1
        learn(other)
        broadcast(.proposal(other), from: seat)
    }

    /// To all, or only to some, or to nobody.
    private func say(_ message: PeerMessage, from seat: Int) {
        guard lies(.withholding, seat, perMille: 350) else {
            return broadcast(message, from: seat)
        }
        counts[.withheld] += 1
        let share = random.between(0, 999)
        for to in nodes.indices where to != seat && random.chance(perMille: share) {
            send(message, from: seat, to: to)
        }
    }

    private func equivocate(_ proposal: Proposal, _ other: Proposal, from seat: Int) {
        // Whoever knows of one only may vote for it.
        if random.chance(perMille: 300) { return broadcast(.proposal(other), from: seat) }
        for to in nodes.indices where to != seat {
            switch random.below(4) {
            case 0: send(.proposal(proposal), from: seat, to: to)
            case 1: send(.proposal(other), from: seat, to: to)
            case 2:
                send(.proposal(proposal), from: seat, to: to)
                send(.proposal(other), from: seat, to: to)
            default:
                send(.proposal(other), from: seat, to: to)
                send(.proposal(proposal), from: seat, to: to)
            }
        }
    }

    /// Votes for every block that it saw in the view, against the view, and to finalize them all.
    private func contradictions(in place: EpochView, by seat: Int) -> [Vote] {
        let (epoch, view) = (place.epoch, place.view)
        guard epochSeat(of: seat) != nil else { return [] }
        var votes = [sign(.nullify(epoch: epoch, view: view), by: seat)]
        for subject in seen[place] ?? [] {
            votes.append(sign(.notarize(epoch: epoch, view: view, subject), by: seat))
            votes.append(sign(.finalize(epoch: epoch, view: view, subject), by: seat))
        }
        return votes
    }

    /// Statements of others that they never made: single votes, and whole certificates.
    private func forge(from seat: Int) {
        guard let place = seen.keys.max(), let subject = seen[place]?.last else { return }
        let (epoch, view) = (place.epoch, place.view)
        counts[.forged] += 1
        let statements: [VoteStatement] = [
            .notarize(epoch: epoch, view: view, subject),
            .finalize(epoch: epoch, view: view, subject), .nullify(epoch: epoch, view: view),
        ]
        let statement = statements[random.below(statements.count)]
        let own = sign(statement, by: seat)
        if random.chance(perMille: 500) {
            let votes = nodes[seat].nodeBySeat.indices.map {
                Vote(statement: statement, validator: $0, signature: own.signature)
            }
            return broadcast(.votes(votes), from: seat)
        }
        let quorum = nodes[seat].set.quorum
        // Enough names, or enough times its own.
        let isOwn = random.chance(perMille: 500)
        let certificate = Certificate(
            statement: statement,
            signatures: (0..<quorum).map {
                CertificateSignature(
                    validator: isOwn ? own.validator : $0, signature: own.signature)
            })
        broadcast(.certificates([certificate]), from: seat)
    }

    /// The next view's block is the liar's: on the final block, before the one that it has just voted for is certified.
    private func preempt(_ statement: VoteStatement, by seat: Int) {
        let view = statement.view + 1
        guard statement.kind == .notarize, let subject = statement.subject,
            statement.epoch == nodes[seat].set.epoch, let own = epochSeat(of: seat),
            nodes[seat].set.leader(view: view) == own, let store = nodes[seat].store,
            subject.height > store.watermark.height,
            lies(.equivocation, seat, perMille: 400)
        else { return }
        counts[.equivocations] += 1
        let base = blockOnFinal(store, seat, timeMs: store.header.timeMs + 1)
        let vote = sign(
            .notarize(
                epoch: statement.epoch, view: view,
                VoteSubject(base.outline.header, suite: workload.genesis.suite)), by: seat)
        let proposal = Proposal(
            vote: vote, parentView: base.parentView, outline: base.outline,
            justification: base.justification)
        learn(proposal)
        broadcast(.proposal(proposal), from: seat)
    }

    /// An empty block on the newest final one, and what justifies it to whoever knows of no later one.
    private func blockOnFinal(
        _ store: Store, _ seat: Int, timeMs: UInt64
    ) -> (outline: BlockOutline, parentView: UInt64, justification: [Certificate]) {
        let final = store.watermark
        let state = ParentState(
            header: store.header, headerDigest: final.header, frontier: final.frontier, base: store)
        let block = nodes[seat].executor.build(
            on: state, candidates: [], timeMs: timeMs, replay: ReplayWindow()
        ).block
        let certificate = (try? store.finalization(from: final.height))?.certificate
        return (
            BlockOutline(block, suite: workload.genesis.suite), final.view,
            certificate.map { [$0] } ?? []
        )
    }

    /// Another block for the same view: a later time, or on the final block instead of the newest notarized one.
    private func forged(_ proposal: Proposal, by seat: Int) -> Proposal? {
        guard let store = nodes[seat].store, proposal.epoch == nodes[seat].set.epoch,
            epochSeat(of: seat) != nil
        else { return nil }
        let header = proposal.outline.header
        let suite = workload.genesis.suite
        if header.nextValidators != nil { return child(of: proposal, by: seat) }
        let isSibling = random.chance(perMille: 500)
        let outline: BlockOutline
        var parentView = proposal.parentView
        var justification = proposal.justification
        if isSibling, header.parent != store.watermark.header {
            (outline, parentView, justification) = blockOnFinal(
                store, seat, timeMs: max(header.timeMs, store.header.timeMs + 1))
        } else if random.chance(perMille: 700) {
            // Nothing in the workload's results depends on the time; the state is another now and then.
            let isWrong = random.chance(perMille: 300)
            outline = BlockOutline(
                header: Header(
                    chain: header.chain, height: header.height, epoch: header.epoch,
                    parent: header.parent, timeMs: header.timeMs + 1, logSize: header.logSize,
                    logRoot: header.logRoot,
                    stateRoot: isWrong ? suite.digest([0xEE]) : header.stateRoot,
                    resultsRoot: header.resultsRoot, entryCount: header.entryCount,
                    validators: header.validators), items: proposal.outline.items)
        } else {
            return nil
        }
        let subject = VoteSubject(outline.header, suite: suite)
        let vote = sign(
            .notarize(epoch: proposal.epoch, view: proposal.view, subject), by: seat)
        return Proposal(
            vote: vote, parentView: parentView, outline: outline, justification: justification)
    }

    /// An epoch's last block was to be proposed again; instead a child of it, as if the epoch went on.
    private func child(of proposal: Proposal, by seat: Int) -> Proposal? {
        let last = proposal.outline.header
        let suite = workload.genesis.suite
        let outline = BlockOutline(
            header: Header(
                chain: last.chain, height: last.height + 1, epoch: last.epoch,
                parent: last.digest(suite), timeMs: last.timeMs + 1, logSize: last.logSize + 1,
                logRoot: suite.digest([0xDD]), stateRoot: last.stateRoot,
                resultsRoot: last.resultsRoot, entryCount: 0, validators: last.validators),
            items: [])
        let subject = VoteSubject(outline.header, suite: suite)
        return Proposal(
            vote: sign(.notarize(epoch: last.epoch, view: proposal.view, subject), by: seat),
            parentView: proposal.parentView, outline: outline,
            justification: proposal.justification)
    }

    /// What the liar sends to one peer.
    func twisted(_ message: PeerMessage, by seat: Int) -> PeerMessage {
        guard lies(.syncLies, seat, perMille: 300) else { return message }
        counts[.syncLies] += 1
        switch message {
        case .block(let block): return .block(tampered(block))
        case .finalBlocks(let blocks):
            return .finalBlocks(
                blocks.map {
                    CertifiedBlock(block: tampered($0.block), finalization: $0.finalization)
                })
        case .status(let status):
            return .status(
                ReplicaStatus(
                    epoch: status.epoch, finalHeight: status.finalHeight + 1_000,
                    finalView: status.finalView + 1_000, openView: status.openView + 1_000,
                    view: status.view + 1_000))
        case .certificates(let certificates):
            // One signature short of a quorum, and one that is another's.
            return .certificates(
                certificates.map { certificate in
                    Certificate(
                        statement: certificate.statement,
                        signatures: certificate.signatures.map {
                            CertificateSignature(
                                validator: $0.validator,
                                signature: certificate.signatures[0].signature)
                        })
                })
        case .heldVotes(let answer):
            // As if it had never heard of the asker.
            return .heldVotes(
                HeldVotes(
                    epoch: answer.epoch, question: answer.question, finalization: nil, votes: []))
        case .requestedTransactions(let envelopes):
            return .requestedTransactions(envelopes.dropLast())
        case .proposal, .votes, .transactions, .finalBlocksRequest, .blockRequest,
            .heldVotesRequest, .transactionsRequest:
            return message
        }
    }

    /// The same header over other entries.
    private func tampered(_ block: Block) -> Block {
        guard let first = block.entries.first else { return block }
        return Block(
            header: block.header,
            entries: block.entries.count > 1 ? block.entries.reversed() : [first, first])
    }
}
