import Consensus
import Encoding
import Ledger
import Replica

/// The network: every message may be late, lost, doubled, overtaken or cut off.
extension Simulation {
    func broadcast(_ message: PeerMessage, from: Int) {
        for to in nodes.indices where to != from { send(message, from: from, to: to) }
    }

    func send(_ message: PeerMessage, from: Int, to: Int) {
        guard from != to, nodes.indices.contains(to) else { return }
        if case .proposal(let proposal) = message, proposal.epoch < UInt64(sets.count),
            proposal.vote.validator == sets[Int(proposal.epoch)].leader(view: proposal.view),
            let header = proposal.vote.statement.subject?.header
        {
            led[EpochView(proposal.vote.statement), default: []].insert(header)
        }
        guard !isCalm else {
            queue.push(
                .deliver(to: to, from: from, message), atUs: nowUs + random.between(1_000, 10_000))
            return
        }
        if cuts[from][to] > 0 {
            counts[.cutOff] += 1
            return
        }
        if random.chance(perMille: plan.drop) {
            counts[.dropped] += 1
            return
        }
        let copies = random.chance(perMille: plan.duplicate) ? 2 : 1
        if copies == 2 { counts[.duplicated] += 1 }
        for _ in 0..<copies {
            var delayUs = random.between(1_000, plan.delayUs)
            if random.chance(perMille: plan.slow) {
                counts[.delayed] += 1
                delayUs += random.below(plan.slowUs)
            }
            queue.push(.deliver(to: to, from: from, message), atUs: nowUs + delayUs)
        }
    }

    func deliver(_ message: PeerMessage, to: Int, from: Int) {
        guard nodes[to].replica != nil else { return }
        // Now and then through the wire format, so that it is part of what is simulated.
        var isForged = false
        if case .certificates = message, !isHonest(from) { isForged = true }
        if isForged || random.chance(perMille: 20),
            (try? PeerMessage.decode(message.encoded, limits: PeerLimits.message)) != message
        {
            // A lie that cannot even be read ends where it is decoded.
            if !isHonest(from) { return }
            return fail("a message does not survive its wire form: \(Simulation.describe(message))")
        }
        if !isHonest(to) {
            if case .proposal(let proposal) = message {
                learn(proposal)
                usurp(proposal, by: to)
            }
            overhear(message)
        }
        if case .heldVotes(let answer) = message,
            answer.question == UInt64(nodes[to].incarnation),
            answer.epoch == nodes[to].set.epoch, !peer(from, seenBy: to).isGuest
        {
            nodes[to].heard.insert(from)
            // Asked for in the first epoch in which it has a seat, and not again in this life.
            if epochSeat(of: to) != nil, nodes[to].heard.count >= nodes[to].set.quorum - 1 {
                nodes[to].hasCompared = true
            }
        }
        let bytes: [[UInt8]]
        switch message {
        case .transactions(let envelopes), .requestedTransactions(let envelopes): bytes = envelopes
        case .proposal, .votes, .certificates, .finalBlocksRequest, .finalBlocks, .blockRequest,
            .block, .status, .heldVotesRequest, .heldVotes, .transactionsRequest:
            return give(.message(from: peer(from, seenBy: to), message), to: to)
        }
        let envelopes = bytes.compactMap {
            try? Envelope(bytes: $0, chain: workload.chain, suite: workload.genesis.suite)
        }
        give(.gossiped(from: peer(from, seenBy: to), envelopes), to: to)
    }

    /// Cuts the network in two, or one replica off from the others; both ways, or only in one direction.
    func cut(_ lasting: UInt64) {
        guard !isCalm else { return }
        let isOneWay =
            plan.kinds.contains(.oneWayCut)
            && (!plan.kinds.contains(.partition) || random.chance(perMille: 500))
        counts[isOneWay ? .oneWayCuts : .partitions] += 1
        var sides = nodes.indices.map { _ in random.below(2) }
        if random.chance(perMille: 300) {
            let alone = random.below(nodes.count)
            let side = random.below(2)
            sides = nodes.indices.map { $0 == alone ? side : 1 - side }
        }
        var ways: [(from: Int, to: Int)] = []
        for from in nodes.indices {
            for to in nodes.indices where sides[from] != sides[to] {
                if isOneWay, sides[from] == 1 { continue }
                ways.append((from, to))
                cuts[from][to] += 1
            }
        }
        transcript.note(nowUs, isOneWay ? "— one-way cut \(sides) —" : "— partition \(sides) —")
        openCuts.append(ways)
        queue.push(.heal(openCuts.count - 1), atUs: nowUs + lasting)
    }

    func heal(_ index: Int) {
        guard !isCalm else { return }
        for way in openCuts[index] { cuts[way.from][way.to] -= 1 }
        transcript.note(nowUs, "— healed —")
    }
}
