import Consensus
import Execution
import Ledger
import LedgerCrypto
import Replica

/// A Byzantine validator: an honest replica whose words are twisted on their way out. It proposes two blocks for
/// one view or a block on an old parent, votes for everything, and answers requests with changed blocks.
extension Simulation {
    func learn(_ proposal: Proposal) {
        let subject = VoteSubject(proposal.block.header, suite: workload.genesis.suite)
        if seen[proposal.view]?.contains(subject) != true {
            seen[proposal.view, default: []].append(subject)
        }
    }

    func lie(_ message: PeerMessage, from seat: Int) {
        switch message {
        case .proposal(let proposal):
            learn(proposal)
            guard let other = forged(proposal, by: seat) else {
                return broadcast(message, from: seat)
            }
            counts.lies += 1
            learn(other)
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
        case .votes(let votes):
            broadcast(message, from: seat)
            guard let view = votes.first?.statement.view, random.chance(perMille: 600) else {
                return
            }
            counts.lies += 1
            let everything = contradictions(in: view, by: seat)
            for to in nodes.indices where to != seat && random.chance(perMille: 700) {
                send(.votes(everything), from: seat, to: to)
            }
        case .certificates, .transactions, .finalBlocksRequest, .finalBlocks, .blockRequest,
            .block, .status:
            // Now and then it says nothing.
            if random.chance(perMille: 900) { broadcast(message, from: seat) }
        }
    }

    /// Votes for every block that it saw in the view, against the view, and to finalize them all.
    private func contradictions(in view: UInt64, by seat: Int) -> [Vote] {
        var votes = [sign(.nullify(epoch: 0, view: view), by: seat)]
        for subject in seen[view] ?? [] {
            votes.append(sign(.notarize(epoch: 0, view: view, subject), by: seat))
            votes.append(sign(.finalize(epoch: 0, view: view, subject), by: seat))
        }
        return votes
    }

    /// Another block for the same view: a later time, or on the final block instead of the newest notarized one.
    private func forged(_ proposal: Proposal, by seat: Int) -> Proposal? {
        let disk = nodes[seat].disk
        let header = proposal.block.header
        let isSibling = random.chance(perMille: 500)
        let block: Block
        var parentView = proposal.parentView
        var justification = proposal.justification
        if isSibling, header.parent != disk.headerDigest {
            let state = ParentState(
                header: disk.header, headerDigest: disk.headerDigest, frontier: disk.frontier,
                base: disk)
            block =
                nodes[seat].executor.build(
                    on: state, candidates: [], timeMs: max(header.timeMs, disk.header.timeMs + 1),
                    replay: ReplayWindow()
                ).block
            parentView = disk.finalView
            justification = disk.finalization.map { [$0] } ?? []
        } else if random.chance(perMille: 700) {
            // Nothing in the workload's results depends on the time.
            block = Block(
                header: Header(
                    chain: header.chain, height: header.height, epoch: header.epoch,
                    parent: header.parent, timeMs: header.timeMs + 1, logSize: header.logSize,
                    logRoot: header.logRoot, stateRoot: header.stateRoot,
                    resultsRoot: header.resultsRoot, entryCount: header.entryCount,
                    validators: header.validators), entries: proposal.block.entries)
        } else {
            return nil
        }
        let subject = VoteSubject(block.header, suite: workload.genesis.suite)
        let vote = sign(.notarize(epoch: 0, view: proposal.view, subject), by: seat)
        return Proposal(
            vote: vote, parentView: parentView, block: block, justification: justification)
    }

    /// What the liar sends to one peer.
    func twisted(_ message: PeerMessage) -> PeerMessage {
        guard random.chance(perMille: 300) else { return message }
        counts.lies += 1
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
        case .proposal, .votes, .transactions, .finalBlocksRequest, .blockRequest: return message
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
