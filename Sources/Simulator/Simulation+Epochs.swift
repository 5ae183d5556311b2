import Consensus
import Ledger
import LedgerCrypto
import Market
import Records
import Replica
import Storage

/// A change of seats that somebody has asked for.
struct SeatOrder {
    let item: Workload.Item
    let what: String
    /// What the operator does once it is final.
    var rekeys: (node: Int, key: Int)?
}

/// A proof that somebody has reported.
struct EquivocationReport {
    let body: ValidatorEquivocation
    /// Another one where the block before had no room for another change.
    var item: Workload.Item
    var isFinal = false
}

/// Who is who in each epoch, and how seats change: by orders of the governor, and by proofs of equivocation, as in
/// production through transactions.
///
/// At most as many of an epoch's seats belong to nodes that are not sound as its set tolerates faults: more is beyond what
/// the protocol promises to survive.
extension Simulation {
    /// Orders are valid for so many blocks.
    private static let orderBlocks: UInt64 = 300

    // MARK: Names

    var newestSet: ValidatorSet { sets[sets.count - 1] }

    func keyID(of node: Int) -> KeyID { workload.keyID(nodes[node].key) }

    /// The seat for which the node votes in the epoch that it is in.
    func epochSeat(of node: Int) -> Int? { nodes[node].set.index(ofKey: keyID(of: node)) }

    /// What a node calls another one: peers are known by their transport keys.
    func peer(_ node: Int, seenBy observer: Int) -> PeerID {
        PeerID(nodes[observer].nodeBySeat.firstIndex(of: node) ?? PeerID.guestsFrom + node)
    }

    func node(_ peer: PeerID, seenBy observer: Int) -> Int? {
        if peer.isGuest { return peer.seat - PeerID.guestsFrom }
        let seats = nodes[observer].nodeBySeat
        return seats.indices.contains(peer.seat) ? seats[peer.seat] : nil
    }

    /// Under the set of an epoch that has begun for somebody.
    func authority(of epoch: UInt64) -> VoteAuthority? {
        epoch < UInt64(sets.count) ? authority.under(sets[Int(epoch)]) : nil
    }

    // MARK: Epochs

    /// A node is in the epoch of this set.
    func enter(_ set: ValidatorSet, _ node: Int) {
        nodes[node].set = set
        nodes[node].nodeBySeat = set.validators.map {
            Workload.node(ofTransportKey: $0.transportKey)
        }
        nodes[node].heard = []
        // Whose own vote is a quorum asks nobody.
        if set.quorum == 1, epochSeat(of: node) != nil { nodes[node].hasCompared = true }
        guard set.epoch < UInt64(sets.count), sets[Int(set.epoch)] == set else {
            return fail("agreement: v\(node) is in epoch \(set.epoch) under another set")
        }
    }

    /// A block that ends an epoch is final somewhere for the first time.
    func end(_ epoch: UInt64, _ header: Header, _ certificate: Certificate, next: ValidatorSet) {
        guard UInt64(sets.count) == epoch + 1 else { return }
        sets.append(next)
        viewsReached.append(0)
        epochEnds.append((header, certificate))
        counts[.epochs] += 1
        transcript.note(
            nowUs,
            "— epoch \(next.epoch): "
                + next.validators.map { "v\(Workload.node(ofTransportKey: $0.transportKey))" }
                .joined(separator: " ") + " —")
    }

    /// A replica has been in this view.
    func noteView(_ node: Int) {
        guard let replica = nodes[node].replica else { return }
        let epoch = Int(replica.status.epoch)
        if epoch < viewsReached.count, viewsReached[epoch] < replica.view {
            viewsReached[epoch] = replica.view
        }
    }

    // MARK: Orders

    /// Somebody changes the seats, unless the last change is not final yet: then it is sent once more.
    func changeSeats() {
        guard !isCalm else { return }
        for key in reports.keys.sorted() {
            if let report = reports[key], !report.isFinal { hand(report.item) }
        }
        if let order {
            if checker.height < order.item.envelope.transaction.lastValidHeight {
                return hand(order.item)
            }
            self.order = nil
        }
        guard let made = replacementForLostVotes() ?? drawnOrder() else { return }
        order = made
        transcript.note(nowUs, "— asked for: \(made.what) —")
        hand(made.item)
    }

    /// To any node that is up.
    private func hand(_ item: Workload.Item) {
        let alive = nodes.indices.filter { nodes[$0].replica != nil }
        guard !alive.isEmpty else { return }
        give(.submitted(request(), [item.envelope]), to: alive[random.below(alive.count)])
    }

    private func replacementForLostVotes() -> SeatOrder? {
        let set = newestSet
        let barred = nodes.indices.filter {
            nodes[$0].needsKey && isHonest($0) && set.index(ofKey: keyID(of: $0)) != nil
        }
        guard let node = barred.first else { return nil }
        return replacement(of: node)
    }

    private func replacement(of node: Int) -> SeatOrder? {
        guard nextKey < workload.votingKeys.count else { return nil }
        let key = nextKey
        nextKey += 1
        return SeatOrder(
            item: governed(
                ValidatorReplace(
                    replacedKey: keyID(of: node), votingKey: workload.votingKeys[key].publicKey,
                    transportKey: Workload.transportKey(ofNode: node))),
            what: "v\(node) gets key \(key)", rekeys: (node, key))
    }

    private func drawnOrder() -> SeatOrder? {
        let seated = newestSet.validators.map { Workload.node(ofTransportKey: $0.transportKey) }
        let node = seated[random.below(seated.count)]
        switch random.below(3) {
        case 0:
            let spare = nodes.indices.filter { !seated.contains($0) && isSound($0) }
                .first { nodes[$0].height + 8 >= checker.height }
            guard let spare, nextKey < workload.votingKeys.count else { return nil }
            // A key that has left does not come back.
            let isUnused = spare == nodes[spare].key && !wasSeated(spare)
            let key = isUnused ? spare : nextKey
            if !isUnused { nextKey += 1 }
            return SeatOrder(
                item: governed(
                    ValidatorJoin(
                        member: Workload.member(ofNode: spare),
                        votingKey: workload.votingKeys[key].publicKey,
                        transportKey: Workload.transportKey(ofNode: spare))),
                what: "v\(spare) joins with key \(key)", rekeys: isUnused ? nil : (spare, key))
        case 1:
            guard tolerates(seated.filter { $0 != node }) else { return nil }
            return SeatOrder(
                item: governed(ValidatorLeave(votingKey: keyID(of: node))), what: "v\(node) leaves")
        default: return isSound(node) ? replacement(of: node) : nil
        }
    }

    func wasSeated(_ node: Int) -> Bool {
        sets.contains { $0.index(ofKey: keyID(of: node)) != nil }
    }

    private func tolerates(_ seated: [Int]) -> Bool {
        !seated.isEmpty
            && seated.count { !isSound($0) } <= Quorum.faultsTolerated(seated.count)
    }

    private func governed<Body: TransactionBody>(_ body: Body) -> Workload.Item {
        made(body, isGovernors: true)
    }

    func made<Body: TransactionBody>(_ body: Body, isGovernors: Bool) -> Workload.Item {
        let item = workload.order(
            body, isGovernors: isGovernors, number: UInt64(ordersMade.count),
            lastValid: checker.height + Simulation.orderBlocks)
        ordersMade[item.envelope.digest] = item
        return item
    }

    // MARK: Proofs

    /// An honest node has seen a key contradict itself, and a person reports it: the same two statements, signed with the real
    /// key, since the rules check real signatures.
    func report(_ pair: Equivocation, key: Int, by node: Int) {
        guard plan.kinds.contains(.seatChange), reports[key] == nil else { return }
        let signer = workload.votingKeys[key]
        let votes = [pair.first, pair.second].map { vote in
            Vote(
                statement: vote.statement, validator: vote.validator,
                signature: signer.sign(
                    vote.statement.signedBytes(
                        chain: workload.chain, suite: workload.genesis.suite,
                        keyID: signer.publicKey.keyID)))
        }
        guard let proof = Equivocation(votes[0], votes[1]) else {
            return fail("the evidence of v\(node) is none")
        }
        let body = ValidatorEquivocation(votingKey: signer.publicKey.keyID, proof: proof)
        let item = made(body, isGovernors: false)
        reports[key] = EquivocationReport(body: body, item: item)
        later(.submitted(request(), [item.envelope]), for: node, withinUs: 2_000)
    }

    // MARK: What came of them

    /// A transaction is final for the first time.
    func settled(_ id: Digest, _ code: UInt64) {
        if let order, order.item.envelope.id == id {
            self.order = nil
            guard code == OutcomeCode.accepted.rawValue else { return }
            counts[.seatChanges] += 1
            if let (node, key) = order.rekeys {
                queue.push(.rekey(node, key: key), atUs: nowUs + random.between(1_000, 300_000))
            }
        }
        for key in reports.keys.sorted() {
            guard let report = reports[key], report.item.envelope.id == id else { continue }
            switch OutcomeCode(rawValue: code) {
            case .accepted:
                reports[key]?.isFinal = true
                counts[.convictions] += 1
            case .epochFull: reports[key]?.item = made(report.body, isGovernors: false)
            default: fail("a true proof against key \(key) is refused with \(code)")
            }
        }
    }

    /// The operator gives a node another key and starts it again. The key's file is a new one, and the old one stays.
    func rekey(_ node: Int, _ key: Int) {
        nodes[node].key = key
        nodes[node].binding = .none
        nodes[node].hasVoted = false
        nodes[node].hasLostVotes = false
        nodes[node].knowsItForgot = false
        nodes[node].needsKey = false
        transcript.note(nowUs, node, "has key \(key)")
        guard nodes[node].replica != nil else { return }
        nodes[node].end = .process
        die(node)
        if isCalm { start(node) }
    }
}
