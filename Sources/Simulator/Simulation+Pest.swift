import Consensus
import Ledger
import LedgerCrypto

/// A liar that says what nobody asked for. Nothing of it is an offence that a signature shows, so nobody cuts it off; it is
/// to hold nobody up.
extension Simulation {
    private static let repetitions = 8

    /// To one peer: that it has more blocks than there are, so that the peer asks nobody else; or votes of views that never
    /// come.
    func pester(from seat: Int) {
        guard let place = seen.keys.max(), let subject = seen[place]?.last else { return }
        let to = random.below(nodes.count)
        let epoch = nodes[seat].set.epoch
        counts[.pestered] += 1
        if random.chance(perMille: 500) {
            let status = ReplicaStatus(
                epoch: epoch, finalHeight: 1 << 60, finalView: 0, openView: 1, view: 1)
            for _ in 0..<Simulation.repetitions { send(.status(status), from: seat, to: to) }
            return
        }
        let view = UInt64.max - random.below(2 * Simplex.viewsAheadMax)
        let votes = [
            sign(.notarize(epoch: epoch, view: view, subject), by: seat),
            sign(.finalize(epoch: epoch, view: view, subject), by: seat),
        ]
        send(.votes(votes), from: seat, to: to)
    }

    /// To each peer the block, the same header over other entries, or a block whose ancestors are made up and come with it.
    func mislead(_ proposal: Proposal, from seat: Int) {
        for to in nodes.indices where to != seat {
            switch random.below(3) {
            case 0: send(.proposal(proposal), from: seat, to: to)
            case 1:
                counts[.pestered] += 1
                send(.proposal(reordered(proposal)), from: seat, to: to)
            default:
                counts[.pestered] += 1
                for message in madeUp(proposal, by: seat) { send(message, from: seat, to: to) }
            }
        }
    }

    private func reordered(_ proposal: Proposal) -> Proposal {
        let items = proposal.outline.items
        return Proposal(
            vote: proposal.vote, parentView: proposal.parentView,
            outline: BlockOutline(
                header: proposal.outline.header,
                items: items.count == 1
                    ? [.envelope(workload.genesis.suite.digest([0xCC]))] : items.reversed()),
            justification: proposal.justification)
    }

    private func madeUp(_ proposal: Proposal, by seat: Int) -> [PeerMessage] {
        let suite = workload.genesis.suite
        let header = proposal.outline.header
        guard proposal.epoch == nodes[seat].set.epoch, epochSeat(of: seat) != nil,
            header.nextValidators == nil
        else { return [.proposal(proposal)] }
        func child(of parent: Digest, height: UInt64) -> Header {
            Header(
                chain: header.chain, height: height, epoch: header.epoch, parent: parent,
                timeMs: header.timeMs, logSize: header.logSize, logRoot: header.logRoot,
                stateRoot: header.stateRoot, resultsRoot: header.resultsRoot, entryCount: 0,
                validators: header.validators)
        }
        var parent = suite.digest([0xBB])
        var blocks: [Block] = []
        for height in header.height..<header.height + UInt64(Simulation.repetitions) {
            blocks.append(Block(header: child(of: parent, height: height), entries: []))
            parent = blocks[blocks.count - 1].header.digest(suite)
        }
        let last = child(of: parent, height: header.height + UInt64(blocks.count))
        let outline = BlockOutline(header: last, items: [])
        let subject = VoteSubject(last, suite: suite)
        let made = Proposal(
            vote: sign(.notarize(epoch: proposal.epoch, view: proposal.view, subject), by: seat),
            parentView: proposal.parentView, outline: outline,
            justification: proposal.justification)
        learn(made)
        return [.proposal(made)] + blocks.reversed().map { .block($0) }
    }
}
