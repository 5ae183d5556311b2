import Consensus
import Ledger
import LedgerCrypto
import Replica
import SQLite
import Storage

/// Lives of processes, disks and machines: how they begin, and the ways in which they end.
extension Simulation {
    private var options: Store.Options {
        var options = Store.Options(isDurable: !mutation.contains(.skipSync))
        options.vfs = SimulatedDisk.vfs
        options.logPagesMax = plan.logPagesMax
        options.state.journalRecordsMax = plan.journalRecordsMax
        return options
    }

    func start(_ seat: Int) {
        guard violation == nil, nodes[seat].replica == nil, !nodes[seat].isGone,
            !nodes[seat].isStopped
        else { return }
        nodes[seat].isDown = false
        let disk = nodes[seat].disk
        let isFirst = nodes[seat].incarnation == 0
        if !isCalm, !isFirst || plan.isFormattedUnderFaults, plan.kinds.contains(.halfStep),
            random.chance(perMille: 100)
        {
            // Also while it is opened, or made.
            disk.fail(afterOperations: random.below(30))
            nodes[seat].end = drawnEnd()
        }
        let store: Store
        let recovered: Recovered
        do throws(StorageError) {
            store = try Store(folder: disk.folder, genesis: workload.genesis, options: options)
            recovered = try store.replicaState()
        } catch {
            return storageFailed(error, seat: seat)
        }
        if !isFirst { counts[.restarts] += 1 }
        if store.watermark.height == 0, nodes[seat].hasLostDisk || plan.isFormattedUnderFaults {
            counts[.formats] += 1
        }
        if isHonest(seat),
            let fault = checker.restarted(
                store, seat: seat, chain: workload.chain, mayLackBlocks: nodes[seat].hasLostDisk)
        {
            return damageOrFail(fault, seat: seat)
        }
        // It may die between the two places where a start is counted.
        let diesBetween = !isCalm && random.chance(perMille: 30)
        let votingKey: KeyID?
        do throws(StorageError) {
            votingKey = try claimVotes(store, seat, diesBetween: diesBetween)
        } catch {
            return storageFailed(error, seat: seat)
        }
        guard !diesBetween else {
            nodes[seat].end = drawnEnd()
            return die(seat)
        }
        var replica = Replica(
            genesis: workload.genesis, base: store, recovered: recovered, votingKey: votingKey,
            question: UInt64(nodes[seat].incarnation), authority: authority)
        // A liar does not fall silent about what it said beside its replica.
        replica.mutate(isHonest(seat) ? mutation : mutation.union(.voteUncompared))
        nodes[seat].store = store
        nodes[seat].replica = replica
        startsIn(replica.simplex.validators, seat)
        nodes[seat].height = store.watermark.height
        transcript.note(
            nowUs, seat, "starts at #\(store.watermark.height), view \(replica.view)")
        give(.start, to: seat)
        giveRecovery(to: seat)
        for peer in nodes.indices where peer != seat && nodes[peer].replica != nil {
            give(.connected(self.peer(seat, seenBy: peer)), to: peer)
            give(.connected(self.peer(peer, seenBy: seat)), to: seat)
        }
    }

    /// What became durable right before a crash may have begun an epoch of which nobody was told.
    private func startsIn(_ set: ValidatorSet, _ seat: Int) {
        guard let store = nodes[seat].store else { return }
        if set.epoch == UInt64(sets.count), let ended = store.recovered.finalization {
            end(set.epoch - 1, store.header, ended, next: set)
        }
        enter(set, seat)
    }

    /// The key that it votes with from this store; nil where it must not.
    private func claimVotes(
        _ store: Store, _ seat: Int, diesBetween: Bool
    ) throws(StorageError) -> KeyID? {
        let key = keyID(of: seat)
        let claim = try store.claimVotes(of: key, file: nodes[seat].binding) {
            (binding) throws(VoteBar) in
            if diesBetween { throw .fileNotWritten("the process ends") }
            nodes[seat].binding = .binding(binding)
        }
        nodes[seat].hasCompared = false
        // Nobody keeps a liar from voting.
        if mutation.contains(.voteUnbound) || !isHonest(seat) { return key }
        switch claim {
        case .success: return key
        case .failure(let bar):
            counts[.barred] += 1
            nodes[seat].needsKey = true
            transcript.note(nowUs, seat, "does not vote: \(bar.name)")
            return nil
        }
    }

    private func drawnEnd() -> SimulatedDisk.End {
        guard plan.kinds.contains(.powerCut) else { return .process }
        return !plan.kinds.contains(.kill) || random.chance(perMille: 500) ? .power : .process
    }

    /// One that lives is to die: now, before one of its next effects, right after its next durable step, or within
    /// a step.
    func crash() {
        let alive = nodes.indices.filter { nodes[$0].replica != nil }
        guard !isCalm, !alive.isEmpty else { return }
        let seat = alive[random.below(alive.count)]
        nodes[seat].end = drawnEnd()
        let kinds = plan.kinds
        if kinds.contains(.halfStep),
            kinds.isDisjoint(with: [.kill, .powerCut]) || random.chance(perMille: 400)
        {
            nodes[seat].disk.fail(afterOperations: random.below(24))
        } else if random.chance(perMille: 500) {
            nodes[seat].diesWhenDurable = true
        } else {
            nodes[seat].effectsToLive = random.below(8)
        }
    }

    /// The building is dark. Some are in the middle of a write; the others are where they are.
    func cutPowerOfAll() {
        guard !isCalm else { return }
        counts[.commonPowerCuts] += 1
        transcript.note(nowUs, "— power cut of all —")
        for seat in nodes.indices where !nodes[seat].isGone {
            nodes[seat].end = .power
            if nodes[seat].replica != nil, random.chance(perMille: 300) {
                // The last one to write anything does so within moments.
                nodes[seat].disk.fail(afterOperations: random.below(6))
                nodes[seat].effectsToLive = 16
            } else {
                die(seat)
            }
            guard plan.ailments[seat] == .lostDisk, !nodes[seat].hasLostDisk else { continue }
            if nodes[seat].replica != nil { die(seat) }
            loseDisk(seat)
            counts[.lostDisks] += 1
        }
    }

    private func loseDisk(_ seat: Int) {
        transcript.note(nowUs, seat, "has an empty disk")
        nodes[seat].disk.wipe()
        nodes[seat].hasLostDisk = true
        amnesiacKeys.insert(nodes[seat].key)
        nodes[seat].hasLostVotes = nodes[seat].hasVoted
        nodes[seat].knowsItForgot = false
        nodes[seat].height = 0
        checker.lostDisk(seat)
    }

    func die(_ seat: Int) {
        let end = nodes[seat].end
        let isHalfStep = nodes[seat].disk.hasFailed
        if nodes[seat].replica != nil || isHalfStep {
            counts[end == .power ? .powerCuts : .kills] += 1
            if isHalfStep { counts[.halfSteps] += 1 }
            transcript.note(
                nowUs, seat,
                (end == .power ? "loses power" : "is killed")
                    + (isHalfStep ? " within a step" : ""))
        }
        // First the disk, so that closing the store writes nothing.
        nodes[seat].disk.end(end)
        if end == .power, plan.ailments[seat] == .lyingDisk {
            nodes[seat].knowsItForgot = false
            amnesiacKeys.insert(nodes[seat].key)
            nodes[seat].hasLostDisk = true
            checker.lostDisk(seat)
        }
        down(seat, restartsWithinUs: 2_500_000)
    }

    /// The process is gone, and comes back in a while.
    private func down(_ seat: Int, restartsWithinUs: UInt64) {
        nodes[seat].replica = nil
        nodes[seat].store = nil
        nodes[seat].effectsToLive = nil
        nodes[seat].diesWhenDurable = false
        // One that is down comes back by the restart that was planned when it went down.
        if nodes[seat].isDown { return }
        nodes[seat].isDown = true
        nodes[seat].incarnation += 1
        queue.push(.restart(seat), atUs: nowUs + random.between(20_000, restartsWithinUs))
    }

    /// A call on the store has failed.
    func storageFailed(_ error: StorageError, seat: Int) {
        if nodes[seat].disk.hasFailed { return die(seat) }
        damageOrFail("\(error.english)", seat: seat)
    }

    /// A node whose disk is bad noticed it and stopped: its operator empties the folder, as docs/operations.md says,
    /// and starts it again. Any other node has no reason to find its ledger damaged.
    func damageOrFail(_ fault: String, seat: Int) {
        guard mayBeDamaged(seat) else { return fail("v\(seat): \(fault)") }
        counts[.damageFound] += 1
        counts[.emptiedFolders] += 1
        transcript.note(nowUs, seat, "stops: \(fault)")
        nodes[seat].disk.end(.process)
        loseDisk(seat)
        down(seat, restartsWithinUs: 3_000_000)
    }

    func mayBeDamaged(_ seat: Int) -> Bool {
        switch plan.ailments[seat] {
        case .bitRot, .lyingDisk: true
        case .liar, .lostDisk, nil: false
        }
    }

    /// Somebody's clock is set to another time; it may run backwards.
    func setClock() {
        let seat = random.below(nodes.count)
        guard !isCalm, nodes[seat].replica != nil else { return }
        let reach = plan.clockJumpMsMax
        nodes[seat].skewMs = Int64(random.below(2 * reach + 1)) - Int64(reach)
        counts[.clockJumps] += 1
        transcript.note(nowUs, seat, "clock set \(nodes[seat].skewMs) ms off")
    }

    /// Bits turn on a disk, below a running node or between its lives.
    func rot(_ seat: Int) {
        guard !isCalm, !nodes[seat].isGone else { return }
        let turned = (0..<Int(random.between(1, 4))).count { _ in nodes[seat].disk.rot() }
        counts[.turnedBits] += turned
        // A row that is gone may be a vote's: SQLite has no checksum on its pages, and takes a bad one in its log for
        // the log's end.
        amnesiacKeys.insert(nodes[seat].key)
        nodes[seat].knowsItForgot = false
        nodes[seat].hasLostDisk = true
        checker.lostDisk(seat)
        transcript.note(nowUs, seat, "\(turned) bits turn")
        if random.chance(perMille: 700), nodes[seat].replica != nil {
            nodes[seat].end = .process
            die(seat)
        }
    }
}
