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
        guard !isCalm else {
            queue.push(
                .deliver(to: to, from: from, message), atUs: nowUs + random.between(1_000, 10_000))
            return
        }
        if sides[from] != sides[to]
            || max(
                nodes[from].isolatedUntilUs, nodes[to].isolatedUntilUs) > nowUs
        {
            counts.partitioned += 1
            return
        }
        if random.chance(perMille: plan.drop) {
            counts.dropped += 1
            return
        }
        let copies = random.chance(perMille: plan.duplicate) ? 2 : 1
        if copies == 2 { counts.duplicated += 1 }
        for _ in 0..<copies {
            var delayUs = random.between(1_000, plan.delayUs)
            if random.chance(perMille: plan.slow) {
                counts.delayed += 1
                delayUs += random.below(plan.slowUs)
            }
            queue.push(.deliver(to: to, from: from, message), atUs: nowUs + delayUs)
        }
    }

    func deliver(_ message: PeerMessage, to: Int, from: Int) {
        guard nodes[to].replica != nil else { return }
        // Now and then through the wire format, so that it is part of what is simulated.
        if random.chance(perMille: 20),
            (try? PeerMessage.decode(message.encoded, limits: PeerLimits.message)) != message
        {
            return fail("a message does not survive its wire form: \(Simulation.describe(message))")
        }
        if !isHonest(to), case .proposal(let proposal) = message { learn(proposal) }
        guard case .transactions(let bytes) = message else {
            return give(.message(from: PeerID(from), message), to: to)
        }
        let envelopes = bytes.compactMap {
            try? Envelope(bytes: $0, chain: workload.chain, suite: workload.genesis.suite)
        }
        give(.gossiped(from: PeerID(from), envelopes), to: to)
    }

    /// Cuts the network in two, anywhere.
    func split(_ lasting: UInt64) {
        guard !isCalm else { return }
        counts.partitions += 1
        for seat in nodes.indices { sides[seat] = random.below(2) }
        note("partition \(sides)")
        queue.push(.heal, atUs: nowUs + lasting)
    }
}
