import Consensus
import Ledger
import LedgerCrypto
import Market
import Records
import Replica
import SQLite
import Storage

/// A quorum is lost for good, and the rest go on under the genesis' recovery rule, as operators would do it: they stop, look at what each
/// has on its disk, go on from the latest block that may be final anywhere, seat others, and start again with the file.
///
/// Lost are all nodes that are not sound, and so many of the others that those who are left are no quorum, but one of them is in each
/// quorum that there may have been: nothing that anybody acknowledged may be missing afterwards.
extension Simulation {
    /// By the seats' nodes, not by their voting keys: a node that is about to get its seat's new key is there, and so are its votes.
    private func seated(in set: ValidatorSet) -> [Int] {
        set.validators.map { Workload.node(ofTransportKey: $0.transportKey) }.sorted()
    }

    /// So many of a set are in every quorum of it with one at least.
    private static func meetsQuorums(_ count: Int, of set: ValidatorSet) -> Bool {
        count > set.count - set.quorum
    }

    /// Draws who is lost, unless too many or too few would be left.
    func loseQuorum() {
        guard !isCalm, !isRecovering, recovery == nil else { return }
        let set = newestSet
        var staying = seated(in: set).filter(isSound)
        let most = min(staying.count, set.quorum - 1)
        let least = set.count - set.quorum + 1
        guard least <= most else { return }
        let count = least + random.below(most - least + 1)
        while staying.count > count { staying.remove(at: random.below(staying.count)) }
        // Nobody who stays may be in the newest epoch yet: then the one that they are in is what is recovered.
        let reached = staying.map { nodes[$0].set.epoch }.max() ?? 0
        for epoch in reached..<set.epoch {
            let there = sets[Int(epoch)]
            let known = staying.count(where: seated(in: there).contains)
            guard Simulation.meetsQuorums(known, of: there) else { return }
        }
        let lost = nodes.indices.filter {
            !isSound($0) || seated(in: set).contains($0) && !staying.contains($0)
        }
        counts[.lostQuorums] += 1
        transcript.note(
            nowUs, "— lost for good: \(lost.map { "v\($0)" }.joined(separator: " ")) —")
        for node in lost {
            nodes[node].end = .power
            die(node)
            nodes[node].isGone = true
        }
        stopForRecovery()
    }

    /// Whether a set that the validators themselves had agreed on before has no quorum either.
    var needsRecovery: Bool {
        guard let recovery, !isRecovering, newestSet.epoch > recovery.last.header.epoch else {
            return false
        }
        // A seat whose key its node has given up is no better than one whose node is lost.
        let givenUp = newestSet.validators.filter { seat in
            let node = Workload.node(ofTransportKey: seat.transportKey)
            return workload.votingKeyNumbers[seat.votingKey.keyID].map { $0 < nodes[node].key }
                ?? false
        }.map { Workload.node(ofTransportKey: $0.transportKey) }
        let there = seated(in: newestSet).filter { isSound($0) && !givenUp.contains($0) }
        return there.count < newestSet.quorum
            && there.contains { nodes[$0].set.epoch == newestSet.epoch }
    }

    func stopForRecovery() {
        isRecovering = true
        for node in nodes.indices where !nodes[node].isGone {
            nodes[node].isStopped = true
            nodes[node].end = random.chance(perMille: 500) ? .power : .process
            die(node)
        }
        queue.push(.recover, atUs: nowUs + random.between(1_000_000, 2_000_000))
    }

    /// The operators' meeting.
    func recover() {
        do throws(StorageError) {
            guard let made = try makeRecovery() else { return }
            recovery = made
        } catch {
            return fail("a stopped node cannot be read: \(error.english)")
        }
        isRecovering = false
        for node in nodes.indices where !nodes[node].isGone {
            nodes[node].isStopped = false
            queue.push(.restart(node), atUs: nowUs + random.between(1_000_000, 1_500_000))
        }
    }

    private func makeRecovery() throws(StorageError) -> Recovery? {
        var stopped: [(node: Int, replica: Replica<Store>)] = []
        for node in nodes.indices where isSound(node) {
            stopped.append((node, try opened(node)))
        }
        defer {
            // They were only looked at.
            for node in stopped.indices { nodes[stopped[node].node].disk.end(.process) }
        }
        let epoch = stopped.map(\.replica.simplex.epoch).max() ?? 0
        func rank(_ replica: Replica<Store>) -> (UInt64, UInt64) {
            (replica.simplex.epoch, replica.recoveryBasis.certificate?.view ?? 0)
        }
        guard
            let source = stopped.indices.max(by: {
                rank(stopped[$0].replica) < rank(stopped[$1].replica)
            })
        else { return nil }
        let present = stopped[source].replica.simplex.validators
        let body = ValidatorRecover(seats: seats(after: present))
        let order = made(body, isGovernors: true)
        do throws(RecoveryRefusal) {
            let unsigned = try stopped[source].replica.makeRecovery(
                order.envelope, nowMs: wallMs(skewedBy: 0))
            counts[.recoveries] += 1
            transcript.note(
                nowUs,
                "— v\(stopped[source].node) gives a recovery of epoch \(epoch) at #\(unsigned.last.header.height) —"
            )
            return workload.signed(unsigned)
        } catch {
            fail("v\(stopped[source].node) makes no recovery: \(error)")
            return nil
        }
    }

    /// Without a vote, and nothing that it would do is done.
    private func opened(_ node: Int) throws(StorageError) -> Replica<Store> {
        var options = Store.Options()
        options.vfs = SimulatedDisk.vfs
        let store = try Store(
            folder: nodes[node].disk.folder, genesis: workload.genesis, options: options)
        var replica = Replica(
            genesis: workload.genesis, base: store, recovered: try store.replicaState(),
            votingKey: nil, authority: authority)
        _ = replica.handle(.start, nowMs: wallMs(skewedBy: 0))
        if let fault = store.fault { throw fault }
        return replica
    }

    /// All that are there: with the keys that they vote with, or new ones.
    private func seats(after present: ValidatorSet) -> [Validator] {
        nodes.indices.filter(isSound).compactMap { node in
            let isSeated = present.index(ofKey: keyID(of: node)) != nil
            if !isSeated || nodes[node].needsKey {
                // A key that was seated before does not come back.
                if nodes[node].needsKey || wasSeated(node) {
                    guard nextKey < workload.votingKeys.count else { return nil }
                    rekey(node, nextKey)
                    nextKey += 1
                }
            }
            return Validator(
                member: Workload.member(ofNode: node),
                votingKey: workload.votingKeys[nodes[node].key].publicKey,
                transportKey: Workload.transportKey(ofNode: node))
        }
    }

    /// A node is started with the file each time from now on. One that is behind, or was elsewhere, gets the blocks from others.
    func giveRecovery(to node: Int) {
        guard let recovery, let replica = nodes[node].replica, isSound(node) else { return }
        switch replica.refusal(of: recovery, nowMs: wallMs(skewedBy: nodes[node].skewMs)) {
        case nil: give(.recovery(recovery), to: node)
        case .behind, .otherEpoch: break
        case .aheadOfClock:
            // It stops, and is started again.
            nodes[node].end = .process
            die(node)
        case let refusal?: fail("v\(node) refuses the recovery: \(refusal)")
        }
    }

    /// Certified by a quorum of its epoch, or by the rule's keys.
    func isFinal(_ commit: Commit, _ authority: VoteAuthority) -> Bool {
        let certificate = commit.finalization
        guard certificate.kind == .recover, let rule = workload.genesis.recovery else {
            return authority.verified(certificate) != nil
        }
        return certificate.verified(chain: workload.chain, rule: rule) != nil
    }
}
