import Consensus
import Encoding
import Ledger
import LedgerCrypto
import Replica
import Storage

/// What `Node` does for a replica in production: performing its effects, here with a life that may end between any two.
extension Simulation {
    /// Far more than are ever under way.
    private static let heldBodiesMax = 128

    func give(_ input: Input, to seat: Int) {
        guard violation == nil, nodes[seat].replica != nil else { return }
        let nowMs = wallMs(skewedBy: nodes[seat].skewMs)
        fingerprint.mix(nowUs)
        fingerprint.mix(seat)
        trace(input, seat)
        guard let effects = nodes[seat].replica?.handle(input, nowMs: nowMs) else { return }
        noteView(seat)
        if isHonest(seat), let held = nodes[seat].replica?.heldBodies,
            held > Simulation.heldBodiesMax
        {
            return fail("v\(seat) holds \(held) blocks that are not final")
        }
        if let fault = nodes[seat].store?.fault { return storageFailed(fault, seat: seat) }
        for effect in effects {
            if let left = nodes[seat].effectsToLive {
                if left == 0 { return die(seat) }
                nodes[seat].effectsToLive = left - 1
            }
            trace(effect, seat)
            perform(effect, for: seat)
            if violation != nil || nodes[seat].replica == nil { return }
            if nodes[seat].diesWhenDurable, effect.isDurable { return die(seat) }
        }
    }

    /// The genesis block's time has passed when the network starts.
    func wallMs(skewedBy skewMs: Int64) -> UInt64 {
        let clock = Int64(workload.genesis.timeMs) + 10_000 + Int64(nowUs / 1_000)
        return UInt64(clock + skewMs)
    }

    private func perform(_ effect: Effect, for seat: Int) {
        switch effect {
        case .persist(let bodies, let votes, let certificates):
            if isHonest(seat) { watch(votes, seat) }
            do throws(StorageError) {
                try nodes[seat].store?.persist(
                    bodies: bodies, votes: votes, certificates: certificates)
            } catch {
                storageFailed(error, seat: seat)
            }
        case .sign(let statement):
            guard statement.epoch == nodes[seat].set.epoch, epochSeat(of: seat) != nil else {
                return fail("v\(seat) votes in epoch \(statement.epoch) without a seat in it")
            }
            if isHonest(seat) { watch(statement, seat) }
            later(
                .signed(Verified(assumingValid: sign(statement, by: seat))), for: seat,
                withinUs: 1_500)
        case .verify(let batch, let checks):
            let results = checks.map {
                ordersMade[$0.envelope.digest]?.verified ?? workload.verified($0.envelope)
            }
            later(.verified(batch, results), for: seat, withinUs: 4_000)
        case .broadcast(let message):
            isHonest(seat) ? broadcast(message, from: seat) : lie(message, from: seat)
        case .send(let peer, let message):
            guard let to = node(peer, seenBy: seat) else { return }
            send(isHonest(seat) ? message : twisted(message, by: seat), from: seat, to: to)
        case .serveFinalBlocks(let peer, let height): serve(peer, from: height, by: seat)
        case .serveEpochEnd(let peer, let epoch, let height):
            serve(peer, endOf: epoch, upTo: height, by: seat)
        case .setTimer(let timer, let afterMs):
            let index = Int(timer.rawValue)
            nodes[seat].timers[index] += 1
            queue.push(
                .timer(
                    seat, incarnation: nodes[seat].incarnation, timer,
                    generation: nodes[seat].timers[index]),
                atUs: nowUs + afterMs * 1_000)
        case .cancelTimer(let timer): nodes[seat].timers[Int(timer.rawValue)] += 1
        case .commit(let commit): self.commit(commit, by: seat)
        case .answer(let request, let codes):
            if request.number >= firstProbe, isHonest(seat),
                codes.contains(where: { $0 != .accepted })
            {
                fail("v\(seat) refused a probe: \(codes.map(\.name))")
            }
        case .evidence(let pair):
            guard isHonest(seat) else { return }
            accuse(pair, by: seat)
        case .forgotten(let vote):
            // What a liar says goes beyond its replica's record.
            guard isHonest(seat) else { return }
            if isSound(seat) {
                fail(
                    "v\(seat) with a sound disk has forgotten \(Simulation.describe(vote.statement))"
                )
            }
            counts[.silenced] += 1
            nodes[seat].knowsItForgot = true
            nodes[seat].needsKey = true
            do throws(StorageError) {
                try nodes[seat].store?.bar(keyID(of: seat), forgotten: vote.statement)
            } catch {
                storageFailed(error, seat: seat)
            }
        case .cutOff(let peer, let offence):
            // Messages come from whom they say here, as TLS has it outside: only a liar sends what is forged.
            guard isHonest(seat), let sender = node(peer, seenBy: seat) else { return }
            if isHonest(sender) { fail("v\(seat) cuts off the honest v\(sender): \(offence)") }
            counts[.culprits] += 1
        case .contradicted(let header, _):
            if isHonest(seat) { fail("v\(seat) finds a recovery at height \(header.height)") }
        case .reconfigure(let set, _): enter(set, seat)
        case .halt(let fault): halt(seat, fault)
        }
    }

    /// A finalize vote is the promise to hold what the block led to.
    private func watch(_ votes: [VoteStatement], _ seat: Int) {
        for vote in votes where vote.kind == .finalize {
            guard let header = vote.subject?.header else { continue }
            if nodes[seat].replica?.hasExecuted(header) == false {
                return fail(
                    "v\(seat) votes to finalize in view \(vote.view) what it never executed")
            }
        }
    }

    /// An honest node holds that evidence.
    private func accuse(_ pair: Equivocation, by seat: Int) {
        counts[.equivocationsSeen] += 1
        let epoch = pair.first.statement.epoch
        guard epoch < UInt64(sets.count),
            sets[Int(epoch)].validators.indices.contains(pair.first.validator)
        else { return fail("v\(seat) holds evidence about a seat that there never was") }
        let validator = sets[Int(epoch)].validators[pair.first.validator]
        let accused = Workload.node(ofTransportKey: validator.transportKey)
        guard let key = workload.votingKeyNumbers[validator.votingKey.keyID] else {
            return fail("v\(seat) holds evidence against an unknown key")
        }
        if isHonest(accused), !amnesiacKeys.contains(key) {
            return fail("v\(seat) holds evidence against the honest v\(accused)")
        }
        report(pair, key: key, by: seat)
    }

    private func watch(_ statement: VoteStatement, _ seat: Int) {
        let view = EpochView(statement)
        let leader = nodes[seat].set.leader(view: statement.view)
        if statement.kind == .notarize, epochSeat(of: seat) != leader,
            let header = statement.subject?.header, led[view]?.contains(header) != true
        {
            return fail("v\(seat) notarized in view \(view) what its leader never proposed")
        }
        if let fault = unfit(seat) { return fail(fault) }
        nodes[seat].hasVoted = true
        let key = nodes[seat].key
        guard let fault = checker.signed(statement, key: key, seat: seat) else { return }
        if amnesiacKeys.contains(key) {
            counts[.amnesiacVotes] += 1
        } else {
            fail(fault)
        }
    }

    /// Why this replica must not vote at all.
    private func unfit(_ seat: Int) -> String? {
        if nodes[seat].hasLostVotes {
            return "v\(seat) votes from another store than the one that its key voted from"
        }
        if nodes[seat].knowsItForgot {
            return "v\(seat) votes though it was told of a vote that it has forgotten"
        }
        if !nodes[seat].hasCompared {
            return "v\(seat) votes before enough peers have said what they hold of its votes"
        }
        return nil
    }

    private func serve(_ peer: PeerID, from height: UInt64, by seat: Int) {
        do throws(StorageError) {
            serve(peer, try nodes[seat].store?.finalBlocks(from: height) ?? [], by: seat)
        } catch {
            storageFailed(error, seat: seat)
        }
    }

    private func serve(_ peer: PeerID, endOf epoch: UInt64, upTo height: UInt64, by seat: Int) {
        do throws(StorageError) {
            let end = try nodes[seat].store?.end(ofEpoch: epoch, upTo: height)
            serve(peer, end.map { [$0] } ?? [], by: seat)
        } catch {
            storageFailed(error, seat: seat)
        }
    }

    private func serve(_ peer: PeerID, _ blocks: [CertifiedBlock], by seat: Int) {
        guard !blocks.isEmpty, let to = node(peer, seenBy: seat) else { return }
        let message = PeerMessage.finalBlocks(blocks)
        send(isHonest(seat) ? message : twisted(message, by: seat), from: seat, to: to)
    }

    /// Final, and acknowledged as such, once the store says that it is durable.
    private func commit(_ commit: Commit, by seat: Int) {
        guard let store = nodes[seat].store else { return }
        if mutation.contains(.acknowledgeEarly) { acknowledge(commit, by: seat) }
        do throws(StorageError) {
            try store.commit(commit)
        } catch {
            return storageFailed(error, seat: seat)
        }
        nodes[seat].height = commit.height
        if !mutation.contains(.acknowledgeEarly) { acknowledge(commit, by: seat) }
        if store.state.root != commit.header.stateRoot {
            fail("v\(seat): state root at height \(commit.height) is not the header's")
        }
    }

    private func acknowledge(_ commit: Commit, by seat: Int) {
        let epoch = commit.finalization.statement.epoch
        guard let authority = authority(of: epoch) else {
            return fail("v\(seat) committed in an epoch that nobody has begun")
        }
        // A liar's replica may be the first one to know; what it says counts for nothing.
        if let last = commit.blocks.last, let next = last.nextValidators {
            end(epoch, last.header, commit.finalization, next: next)
        }
        guard isHonest(seat) else { return }
        let known = checker.finalCount
        guard isFinal(commit, authority) else {
            return fail("v\(seat) committed without a valid certificate")
        }
        if let fault = checker.committed(commit, seat: seat) { return fail(fault) }
        guard checker.finalCount > known, plan.kinds.contains(.seatChange) else { return }
        for block in commit.blocks {
            for (outcome, transaction) in zip(block.outcomes, block.transactions) {
                if let transaction { settled(transaction.id, outcome.code) }
            }
        }
    }

    /// A replica that finds its own state to be wrong stops; only a bad disk is a reason.
    private func halt(_ seat: Int, _ fault: ReplicaFault) {
        guard isHonest(seat) else { return die(seat) }
        damageOrFail("halted: \(fault.description)", seat: seat)
    }

    func later(_ input: Input, for seat: Int, withinUs: UInt64) {
        queue.push(
            .input(seat, incarnation: nodes[seat].incarnation, input),
            atUs: nowUs + random.below(withinUs))
    }

    // MARK: Trace

    private func trace(_ input: Input, _ seat: Int) {
        switch input {
        case .start: fingerprint.mix(1)
        case .timer(let timer):
            fingerprint.mix(10 + timer.rawValue)
            transcript.note(nowUs, seat, "← timer \(timer)")
        case .message(let peer, let message):
            fingerprint.mix(20 + peer.seat)
            transcript.note(nowUs, seat, "← \(peer) \(Simulation.describe(message))")
        case .gossiped(let peer, let envelopes): fingerprint.mix(60 + peer.seat + envelopes.count)
        case .submitted(let request, let envelopes):
            fingerprint.mix(request.number)
            fingerprint.mix(envelopes.count)
        case .verified(let batch, let results):
            fingerprint.mix(batch.number)
            fingerprint.mix(results.count)
        case .signed(let vote): mix(vote.value.statement)
        case .connected(let peer): fingerprint.mix(90 + peer.seat)
        case .recovery(let recovery): mix(recovery.certificate.statement)
        }
    }

    private func mix(_ statement: VoteStatement) {
        fingerprint.mix(statement.kind.rawValue)
        fingerprint.mix(statement.view)
        if let subject = statement.subject { fingerprint.mix(subject.header.prefix(bits: 64)) }
    }

    private func trace(_ effect: Effect, _ seat: Int) {
        switch effect {
        case .persist(let bodies, let votes, _):
            fingerprint.mix(bodies.count)
            for vote in votes { mix(vote) }
            transcript.note(nowUs, seat, "persists \(bodies.count) bodies, \(votes.count) votes")
        case .sign(let statement):
            mix(statement)
            transcript.note(nowUs, seat, "signs \(Simulation.describe(statement))")
        case .verify(let batch, let checks):
            fingerprint.mix(batch.number)
            fingerprint.mix(checks.count)
        case .broadcast(let message):
            fingerprint.mix(101)
            transcript.note(nowUs, seat, "→ all \(Simulation.describe(message))")
        case .send(let peer, let message):
            fingerprint.mix(110 + peer.seat)
            transcript.note(nowUs, seat, "→ \(peer) \(Simulation.describe(message))")
        case .serveFinalBlocks(let peer, let height):
            fingerprint.mix(130 + peer.seat)
            fingerprint.mix(height)
        case .serveEpochEnd(let peer, let epoch, let height):
            fingerprint.mix(140 + peer.seat)
            fingerprint.mix(epoch)
            fingerprint.mix(height)
        case .contradicted(let header, _): fingerprint.mix(header.height)
        case .setTimer(let timer, let afterMs):
            fingerprint.mix(timer.rawValue)
            fingerprint.mix(afterMs)
        case .cancelTimer(let timer): fingerprint.mix(150 + timer.rawValue)
        case .commit(let commit):
            fingerprint.mix(commit.height)
            for block in commit.blocks { fingerprint.mix(block.headerDigest.prefix(bits: 64)) }
            transcript.note(
                nowUs, seat, "commits height \(commit.height), view \(commit.finalization.view)")
        case .answer(let request, let codes):
            fingerprint.mix(request.number)
            for code in codes { fingerprint.mix(code.rawValue) }
        case .evidence(let pair): fingerprint.mix(170 + pair.first.validator)
        case .forgotten(let vote):
            fingerprint.mix(180)
            mix(vote.statement)
            transcript.note(nowUs, seat, "has forgotten \(Simulation.describe(vote.statement))")
        case .cutOff(let peer, let offence):
            fingerprint.mix(185 + peer.seat)
            transcript.note(nowUs, seat, "cuts off \(peer): \(offence)")
        case .reconfigure(let set, _): fingerprint.mix(190 + set.epoch)
        case .halt: fingerprint.mix(199)
        }
    }

    static func describe(_ statement: VoteStatement) -> String {
        let block = statement.subject.map { " #\($0.height) \($0.header.hex.prefix(8))" } ?? ""
        return "\(statement.kind)(\(statement.view))\(block)"
    }

    static func describe(_ message: PeerMessage) -> String {
        switch message {
        case .proposal(let proposal):
            "proposal \(describe(proposal.vote.statement)) on view \(proposal.parentView), "
                + "\(proposal.outline.items.count) entries"
        case .votes(let votes):
            "votes \(votes.map { describe($0.statement) }.joined(separator: ", "))"
        case .certificates(let certificates):
            "certificates \(certificates.map { describe($0.statement) }.joined(separator: ", "))"
        case .transactions(let envelopes): "\(envelopes.count) transactions"
        case .transactionsRequest(let digests): "asks for \(digests.count) transactions"
        case .requestedTransactions(let envelopes):
            "\(envelopes.count) transactions that were asked for"
        case .finalBlocksRequest(let height): "asks for final blocks from \(height)"
        case .finalBlocks(let blocks): "\(blocks.count) final blocks"
        case .blockRequest(let digest): "asks for block \(digest.hex.prefix(8))"
        case .block(let block): "block #\(block.header.height)"
        case .status(let status):
            "status final #\(status.finalHeight) in \(status.finalView), open \(status.openView), "
                + "view \(status.view)"
        case .heldVotesRequest: "asks for its own votes"
        case .heldVotes(let answer): "holds \(answer.votes.count) of its votes"
        }
    }
}

extension Effect {
    /// Whether it leaves something on the disk.
    fileprivate var isDurable: Bool {
        switch self {
        case .persist, .commit: true
        case .sign, .verify, .broadcast, .send, .serveFinalBlocks, .serveEpochEnd, .setTimer,
            .cancelTimer, .answer, .evidence, .forgotten, .cutOff, .contradicted, .reconfigure,
            .halt:
            false
        }
    }
}
