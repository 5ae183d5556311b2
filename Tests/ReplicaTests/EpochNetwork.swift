import Consensus
import Execution
import Ledger
import LedgerCrypto
import Market
import Policy
import Records

@testable import Replica
@testable import Simulator

/// Replicas in virtual time whose validator set keeps changing: joiners sync as guests, seats leave, keys are replaced, while
/// members submit. Every message takes 1 to 10 ms, and may be lost when asked for.
final class EpochNetwork {
    indirect enum Event {
        case deliver(to: Int, from: Int, PeerMessage)
        case input(Int, incarnation: Int, Input)
        case timer(Int, incarnation: Int, TimerID, generation: Int)
        case load
    }

    struct Node {
        let key: PublicKey
        let member: MemberID
        let disk: SimulatedDisk
        var replica: Replica<SimulatedDisk>
        var set: ValidatorSet
        var incarnation = 0
        var timers = [Int](repeating: 0, count: TimerID.allCases.count + 1)
        var isUp = true
    }

    let genesis: Genesis
    let chain: ChainID
    let suite = Suite.ed25519SHA256
    var dice: Randomness
    var nodes: [Node] = []
    var queue = EventQueue<Event>()
    var nowUs: UInt64 = 0
    /// How long a message takes, in microseconds.
    var delayUs: ClosedRange<UInt64> = 1_000...9_999
    /// Nodes that nobody's transactions reach until they are in a proposal: as leaders they leave them out.
    var deaf: Set<Int> = []
    /// Per mille of messages that are lost.
    var drop = 0
    /// How far all clocks are ahead of the virtual time.
    var clockAheadMs: UInt64 = 0
    /// Microseconds between two submissions.
    var loadUs: UInt64 = 25_000
    private let governor: SigningKey
    private let trader: SigningKey
    private var serial: UInt64 = 0
    private var checked: [Digest: Verified<SignedTransaction>] = [:]

    /// Headers by height, from 1, and when each was first final somewhere.
    var headers: [Digest] = []
    var finalUs: [UInt64] = []
    var outcomes: [Digest: UInt64] = [:]
    var faults: [String] = []
    /// Two histories of one height are no fault.
    var isForked = false
    /// Recoveries that nodes found to contradict what is final there.
    var contradictions: [(node: Int, header: Header, certificate: Certificate)] = []
    /// What each key signed: kind, epoch and view to the subject.
    private var signed: [String: VoteSubject?] = [:]

    /// Of the genesis' rule, two of three.
    private let recoveryKeys: [SigningKey]

    static let governorID = member(1)
    static let traderID = member(2)

    init(seed: UInt64, validators count: Int = 4) {
        dice = Randomness(seed: seed)
        recoveryKeys = (0..<3).map { Self.key("recovery \($0)") }
        governor = Self.key("governor")
        trader = Self.key("trader")
        var builder = GenesisBuilder(suite: suite)
        let founders: [(MemberID, Role, SigningKey)] =
            [(Self.governorID, .governor, governor), (Self.traderID, .buyer, trader)]
            + (0..<200).map { (Self.member(100 + $0), .validator, Self.key("member \($0)")) }
        for (id, role, key) in founders {
            try? builder.add(
                member: id, nameZh: "成员", nameEn: "member", roles: [role],
                keys: [.init(key.publicKey, person: "p")])
        }
        let seats = (0..<count).map { index in
            Validator(
                member: Self.member(100 + UInt32(index)), votingKey: Self.votingKey(index),
                transportKey: Self.transportKey(index))
        }
        genesis = builder.genesis(
            name: "epochs", timeMs: 1_700_000_000_000, parameters: Workload.parameters,
            validators: ValidatorSet(epoch: 0, validators: seats).unsafelyUnwrapped,
            recovery: RecoveryRule(threshold: 2, keys: recoveryKeys.map(\.publicKey)))
        chain = genesis.chain
        for _ in 0..<count { addNode() }
        queue.push(.load, atUs: 1_000)
    }

    static func member(_ serial: UInt32) -> MemberID {
        guard let code = SocialCreditCode.generate(serial: serial), let id = MemberID(code.text)
        else { preconditionFailure("a generated code is a member id") }
        return id
    }

    private static func key(_ name: String) -> SigningKey {
        let seed = Suite.ed25519SHA256.digest(Array(name.utf8)).bytes
        return (try? SigningKey(suite: .ed25519SHA256, secret: seed)).unsafelyUnwrapped
    }

    static func votingKey(_ index: Int) -> PublicKey { key("voting \(index)").publicKey }

    static func transportKey(_ index: Int) -> [UInt8] {
        var bytes = ValidatorJoin.example.transportKey
        bytes[90] = UInt8(index % 256)
        bytes[89] = UInt8(index / 256)
        return bytes
    }

    private static func signature(_ statement: VoteStatement, _ key: KeyID) -> [UInt8] {
        let suite = Suite.ed25519SHA256
        let half = suite.digest(statement.encoded + key.bytes).bytes
        return half + half
    }

    private var authority: VoteAuthority {
        VoteAuthority(chain: chain, validators: genesis.validators) { vote, set in
            vote.signature
                == Self.signature(vote.statement, set.validators[vote.validator].votingKey.keyID)
        }
    }

    // MARK: Nodes

    /// A node with an empty disk and a voting key of its own, with or without a seat.
    @discardableResult
    func addNode() -> Int {
        let index = nodes.count
        let disk = SimulatedDisk(genesis: genesis, state: GenesisState(genesis))
        nodes.append(
            Node(
                key: Self.votingKey(index), member: Self.member(100 + UInt32(index)), disk: disk,
                replica: replica(disk, Self.votingKey(index)), set: genesis.validators))
        start(index)
        return index
    }

    private func replica(
        _ disk: SimulatedDisk, _ key: PublicKey, incarnation: Int = 0
    ) -> Replica<SimulatedDisk> {
        Replica(
            genesis: genesis, base: disk, recovered: disk.recovered(), votingKey: key.keyID,
            question: UInt64(incarnation), authority: authority)
    }

    /// From what is durable, with nothing else kept.
    func restart(_ index: Int) {
        nodes[index].incarnation += 1
        nodes[index].isUp = true
        nodes[index].replica = replica(
            nodes[index].disk, nodes[index].key, incarnation: nodes[index].incarnation)
        start(index)
    }

    private func start(_ index: Int) {
        nodes[index].set = nodes[index].replica.simplex.validators
        give(.start, to: index)
        for other in nodes.indices where other != index && nodes[other].isUp {
            give(.connected(peer(other, seenBy: index)), to: index)
            give(.connected(peer(index, seenBy: other)), to: other)
        }
    }

    func stop(_ index: Int) {
        nodes[index].isUp = false
        nodes[index].incarnation += 1
    }

    private func peer(_ index: Int, seenBy observer: Int) -> PeerID {
        let seat = nodes[observer].set.index(ofKey: nodes[index].key.keyID)
        return PeerID(seat ?? PeerID.guestsFrom + index)
    }

    private func node(_ peer: PeerID, seenBy observer: Int) -> Int? {
        if peer.isGuest { return peer.seat - PeerID.guestsFrom }
        let key = nodes[observer].set.validators[peer.seat].votingKey
        return nodes.firstIndex { $0.key == key }
    }

    // MARK: Driving

    func give(_ input: Input, to index: Int) {
        guard nodes[index].isUp else { return }
        for effect in nodes[index].replica.handle(input, nowMs: nowMs) { perform(effect, index) }
    }

    private func perform(_ effect: Effect, _ index: Int) {
        switch effect {
        case .persist(let bodies, let votes, let certificates):
            nodes[index].disk.persist(bodies: bodies, votes: votes, certificates: certificates)
        case .sign(let statement): sign(statement, index)
        case .verify(let batch, let checks):
            later(.verified(batch, checks.map { verified($0) }), index)
        case .broadcast(let message):
            for other in nodes.indices where other != index { send(message, index, to: other) }
        case .send(let peer, let message):
            if let other = node(peer, seenBy: index) { send(message, index, to: other) }
        case .serveFinalBlocks(let peer, let height):
            let blocks = nodes[index].disk.finalBlocks(from: height, countMax: 16)
            if let other = node(peer, seenBy: index) {
                send(.finalBlocks(blocks), index, to: other)
            }
        case .serveEpochEnd(let peer, let epoch, let height):
            let end = nodes[index].disk.end(ofEpoch: epoch, upTo: height)
            if let end, let other = node(peer, seenBy: index) {
                send(.finalBlocks([end]), index, to: other)
            }
        case .setTimer(let timer, let afterMs):
            let slot = Int(timer.rawValue)
            nodes[index].timers[slot] += 1
            queue.push(
                .timer(
                    index, incarnation: nodes[index].incarnation, timer,
                    generation: nodes[index].timers[slot]), atUs: nowUs + afterMs * 1_000)
        case .cancelTimer(let timer): nodes[index].timers[Int(timer.rawValue)] += 1
        case .commit(let commit): committed(commit, index)
        case .reconfigure(let set, let seat):
            nodes[index].set = set
            if seat != set.index(ofKey: nodes[index].key.keyID) {
                faults.append("seat of \(index)")
            }
        case .answer: break
        case .evidence(let pair): faults.append("evidence against v\(pair.first.validator)")
        case .forgotten: faults.append("node \(index) has forgotten votes")
        case .cutOff(let peer, let offence):
            faults.append("node \(index) cuts off \(peer): \(offence)")
        case .contradicted(let header, let certificate):
            contradictions.append((index, header, certificate))
        case .halt(let fault): faults.append("node \(index) halts: \(fault.description)")
        }
    }

    private func sign(_ statement: VoteStatement, _ index: Int) {
        let set = nodes[index].set
        guard statement.epoch == set.epoch, let seat = set.index(ofKey: nodes[index].key.keyID)
        else { return faults.append("node \(index) signs for an epoch without a seat") }
        let name = "\(index) \(statement.kind) \(statement.epoch) \(statement.view)"
        if let before = signed[name], before != statement.subject {
            faults.append("two votes: \(name)")
        }
        signed[name] = statement.subject
        let vote = Vote(
            statement: statement, validator: seat,
            signature: Self.signature(statement, nodes[index].key.keyID))
        later(.signed(Verified(assumingValid: vote)), index)
    }

    private func committed(_ commit: Commit, _ index: Int) {
        nodes[index].disk.commit(commit)
        for block in commit.blocks {
            let place = Int(block.height) - 1
            if place < headers.count {
                if headers[place] != block.headerDigest, !isForked {
                    faults.append("fork at \(block.height)")
                }
                continue
            }
            headers.append(block.headerDigest)
            finalUs.append(nowUs)
            for (outcome, transaction) in zip(block.outcomes, block.transactions) {
                if let transaction { outcomes[transaction.id] = outcome.code }
            }
        }
        if nodes[index].disk.stateRoot != commit.header.stateRoot { faults.append("state root") }
    }

    private func verified(_ check: SignatureCheck) -> Verified<SignedTransaction>? {
        let digest = check.envelope.digest
        if let known = checked[digest] { return known }
        checked[digest] = check.envelope.verified(by: check.key)
        return checked[digest]
    }

    private func later(_ input: Input, _ index: Int) {
        queue.push(
            .input(index, incarnation: nodes[index].incarnation, input),
            atUs: nowUs + UInt64(dice.below(1_000)))
    }

    private func send(_ message: PeerMessage, _ from: Int, to: Int) {
        guard nodes[to].isUp, dice.below(1_000) >= drop else { return }
        queue.push(
            .deliver(to: to, from: from, message),
            atUs: nowUs + dice.between(delayUs.lowerBound, delayUs.upperBound))
    }

    // MARK: Time

    /// Runs until the condition holds.
    ///
    /// - Returns: whether it came to hold within that many seconds of virtual time.
    func run(untilSeconds seconds: UInt64, _ condition: () -> Bool) -> Bool {
        let endUs = nowUs + seconds * 1_000_000
        while faults.isEmpty, nowUs < endUs, !condition(), let entry = queue.pop() {
            nowUs = entry.atUs
            switch entry.event {
            case .deliver(let to, let from, let message): deliver(message, to, from)
            case .input(let index, let incarnation, let input):
                if nodes[index].incarnation == incarnation { give(input, to: index) }
            case .timer(let index, let incarnation, let timer, let generation):
                if nodes[index].incarnation == incarnation,
                    nodes[index].timers[Int(timer.rawValue)] == generation
                {
                    give(.timer(timer), to: index)
                }
            case .load:
                _ = submit(
                    RecordEvidence(
                        commitment: suite.digest(serial.encoded), mediaType: "text/plain", note: ""),
                    by: Self.traderID, with: trader)
                queue.push(.load, atUs: nowUs + loadUs)
            }
        }
        return faults.isEmpty && condition()
    }

    private func deliver(_ message: PeerMessage, _ to: Int, _ from: Int) {
        guard nodes[to].isUp else { return }
        let peer = peer(from, seenBy: to)
        let bytes: [[UInt8]]
        switch message {
        case .transactions where deaf.contains(to): return
        case .transactions(let envelopes), .requestedTransactions(let envelopes): bytes = envelopes
        case .proposal, .votes, .certificates, .finalBlocksRequest, .finalBlocks, .blockRequest,
            .block, .status, .heldVotesRequest, .heldVotes, .transactionsRequest:
            return give(.message(from: peer, message), to: to)
        }
        let envelopes = bytes.compactMap { try? Envelope(bytes: $0, chain: chain, suite: suite) }
        give(.gossiped(from: peer, envelopes), to: to)
    }

    // MARK: Submitting

    /// - Returns: the transaction's id.
    func govern<Body: TransactionBody>(_ body: Body) -> Digest {
        submit(body, by: Self.governorID, with: governor)
    }

    func envelope<Body: TransactionBody>(
        _ body: Body, by member: MemberID, with key: SigningKey
    ) -> Envelope {
        serial += 1
        let nonce = Array(suite.digest(serial.encoded).bytes.prefix(LedgerLimits.nonceBytes))
        let transaction = Transaction(
            kind: Body.kind.rawValue, nonce: nonce,
            lastValidHeight: UInt64(headers.count) + 1_000, member: member, body: body.encoded)
        let bytes = Envelope.sign(transaction, chain: chain, with: key)
        guard let envelope = try? Envelope(bytes: bytes, chain: chain, suite: suite) else {
            preconditionFailure("what was just signed decodes")
        }
        return envelope
    }

    private func submit<Body: TransactionBody>(
        _ body: Body, by member: MemberID, with key: SigningKey
    ) -> Digest {
        let envelope = envelope(body, by: member, with: key)
        // To two that may propose it: one of them may lose it in a crash before anybody else has it.
        let up = seated().filter { nodes[$0].isUp && !deaf.contains($0) }
        let first = dice.below(up.count)
        for turn in 0..<min(2, up.count) {
            give(.submitted(RequestID(serial), [envelope]), to: up[(first + turn) % up.count])
        }
        return envelope.id
    }

    func join(_ index: Int) -> Digest {
        govern(
            ValidatorJoin(
                member: nodes[index].member, votingKey: nodes[index].key,
                transportKey: Self.transportKey(index)))
    }

    func leave(_ index: Int) -> Digest {
        govern(ValidatorLeave(votingKey: nodes[index].key.keyID))
    }

    /// Gives the seat of one node to another key, which a second node holds.
    func replace(_ index: Int, by successor: Int) -> Digest {
        govern(
            ValidatorReplace(
                replacedKey: nodes[index].key.keyID, votingKey: nodes[successor].key,
                transportKey: Self.transportKey(successor)))
    }

    func refusal(of recovery: Recovery, at index: Int) -> RecoveryRefusal? {
        nodes[index].replica.refusal(of: recovery, nowMs: nowMs)
    }

    private var nowMs: UInt64 { genesis.timeMs + 10_000 + nowUs / 1_000 + clockAheadMs }

    /// A recovery that goes on from what that node holds and seats these; the trader writes it down.
    func recovery(from index: Int, seating seats: [Int]) throws(RecoveryRefusal) -> Recovery {
        let body = ValidatorRecover(
            seats: seats.map {
                Validator(
                    member: nodes[$0].member, votingKey: nodes[$0].key,
                    transportKey: Self.transportKey($0))
            })
        return try nodes[index].replica.makeRecovery(
            envelope(body, by: Self.traderID, with: trader),
            nowMs: nowMs)
    }

    func signed(_ recovery: Recovery, by signers: [Int]) -> Recovery {
        signers.reduce(recovery) { recovery, index in
            let signature = RecoveryRule.sign(
                recovery.certificate.statement, at: index, with: recoveryKeys[index], chain: chain)
            return recovery.adding(signature, under: genesis.recovery.unsafelyUnwrapped)
                .unsafelyUnwrapped
        }
    }

    /// The newest epoch and its set, at whoever is furthest.
    var newest: ValidatorSet {
        nodes.map(\.set).max { $0.epoch < $1.epoch } ?? genesis.validators
    }

    func seated() -> [Int] {
        let set = newest
        return nodes.indices.filter { set.index(ofKey: nodes[$0].key.keyID) != nil }
    }

    /// The longest time between two final blocks, in microseconds.
    var longestGapUs: UInt64 {
        zip(finalUs, finalUs.dropFirst()).map { $1 - $0 }.max() ?? 0
    }
}
