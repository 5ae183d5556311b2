import Consensus
import Encoding
import Execution
import Ledger
import LedgerCrypto
import Mempool
import Replica
import SQLite
import Storage

/// One seed: some replicas with their stores and disks, a bad network, and a checker that sees everything.
///
/// The production `Replica` and the production `Storage` run unchanged. Simulated are the clock, the network, the
/// disk under SQLite, the votes' signatures (keyed digests), and the process, which may die between any two effects
/// and between any two writes. First comes a faulty phase of at least `viewsMin` views, then a calm one in which every
/// honest replica must make progress again.
final class Simulation {
    static let viewsMin: UInt64 = 100
    /// The faulty phase lasts at least this long, and planned faults fall into it. Virtual time.
    static let faultyUs: UInt64 = 12_000_000
    static let faultyUsMax: UInt64 = 400_000_000
    /// After the faults every honest replica has this much virtual time to commit what it is given.
    static let calmUsMax: UInt64 = 60_000_000
    static let blocksPerAnswer = 4

    /// Boxed, so that the queue moves references.
    indirect enum Event {
        case deliver(to: Int, from: Int, PeerMessage)
        case input(Int, incarnation: Int, Input)
        case timer(Int, incarnation: Int, TimerID, generation: Int)
        case submit
        case crash
        case powerCutOfAll
        case restart(Int)
        case cut(lasting: UInt64)
        case heal(Int)
        case rot(Int)
        case setClock
        case changeSeats
        /// More than can be faulty are lost for good.
        case loseQuorum
        /// The operators of those that are left make a recovery.
        case recover
        /// The operator starts a node with another voting key.
        case rekey(Int, key: Int)
        case inspect
    }

    /// What is called a seat elsewhere in the simulation is a node's number: its seat in genesis, and no seat of any
    /// epoch for the spare ones.
    struct Node {
        let seat: Int
        /// The number of its voting key.
        var key: Int
        /// The set of the epoch that it is in.
        var set: ValidatorSet
        /// Nodes by their seats in that set.
        var nodeBySeat: [Int]
        let disk: SimulatedDisk
        let executor: Executor<Store>
        var store: Store?
        var replica: Replica<Store>?
        var incarnation = 0
        /// Dies before so many more effects are performed.
        var effectsToLive: Int?
        /// Dies right after its next durable step.
        var diesWhenDurable = false
        /// How it dies then.
        var end = SimulatedDisk.End.process
        /// It never comes back.
        var isGone = false
        /// Its operator has stopped it until there is a recovery.
        var isStopped = false
        /// A restart is planned.
        var isDown = false
        /// What it knows to be final is not on its disk any more.
        var hasLostDisk = false
        /// The file beside its voting key, on another disk than its store.
        var binding = BindingFile.none
        /// Its key has signed something.
        var hasVoted = false
        /// The store that its key has voted from is gone.
        var hasLostVotes = false
        /// It was told of a vote that it has forgotten.
        var knowsItForgot = false
        /// It must not vote with its key, for whatever reason, and needs another.
        var needsKey = false
        /// Peers that answered this process, in this epoch, what they hold of its votes.
        var heard: Set<Int> = []
        /// They were enough.
        var hasCompared = false
        /// As of its last durable step, for when it is down.
        var height: UInt64 = 0
        var timers: [Int] = Array(repeating: 0, count: TimerID.allCases.count + 1)
        var skewMs: Int64
    }

    let seed: UInt64
    let workload: Workload
    let mutation: Mutation
    let viewsMin: UInt64
    let authority: VoteAuthority
    let plan: FaultPlan
    var random: Randomness
    var queue = EventQueue<Event>()
    var nodes: [Node] = []
    var nowUs: UInt64 = 0
    var isCalm = false
    var calmSinceUs: UInt64 = 0
    var calmHeight: UInt64 = 0
    /// How often the way from one seat to another is cut, by [from][to].
    var cuts: [[Int]]
    var openCuts: [[(from: Int, to: Int)]] = []
    var checker = Checker()
    var counts = FaultCounts()
    var fingerprint = Fingerprint()
    var violation: Violation?
    /// The highest view of each epoch that anybody was in.
    var viewsReached: [UInt64] = [0]
    var views: UInt64 { viewsReached.reduce(0, +) }
    /// By epoch, each with what ended the epoch before it; genesis' alone at first.
    var sets: [ValidatorSet]
    var epochEnds: [(header: Header, certificate: Certificate)] = []
    /// The last one that was made; nodes are started with it.
    var recovery: Recovery?
    /// The nodes that are left are stopped for one.
    var isRecovering = false
    /// The change of seats that was asked for last.
    var order: SeatOrder?
    var nextKey: Int
    /// Proofs against voting keys.
    var reports: [Int: EquivocationReport] = [:]
    /// Keys whose votes may contradict those of an earlier life.
    var amnesiacKeys: Set<Int> = []
    /// Orders made as the seed goes, by envelope.
    var ordersMade: [Digest: Workload.Item] = [:]
    let transcript: Transcript
    var submitted: [Int] = []
    var probes: [Digest] = []
    /// Requests from this one on are probes.
    var firstProbe = UInt64.max
    var nextRequest: UInt64 = 1
    /// What each view's leader proposed, or said that it did.
    var led: [EpochView: Set<Digest>] = [:]
    /// The liars' knowledge: blocks proposed in each view, and messages to say again.
    var seen: [EpochView: [VoteSubject]] = [:]
    var overheard: [PeerMessage] = []

    init(
        seed: UInt64, workload: Workload, formatted: SimulatedDisk, plan: FaultPlan,
        random: Randomness, mutation: Mutation, viewsMin: UInt64, trace: ((String) -> Void)?
    ) {
        self.seed = seed
        self.workload = workload
        self.plan = plan
        self.random = random
        self.mutation = mutation
        self.viewsMin = viewsMin
        let genesis = workload.genesis.validators
        let count = plan.validators + plan.spares
        transcript = Transcript(seats: count, print: trace)
        cuts = Array(repeating: Array(repeating: 0, count: count), count: count)
        sets = [genesis]
        nextKey = plan.validators + plan.spares
        authority = VoteAuthority(chain: workload.chain, validators: genesis) { vote, set in
            let key = set.validators[vote.validator].votingKey.keyID
            guard let number = workload.votingKeyNumbers[key] else { return false }
            return vote.signature
                == Simulation.signature(
                    workload.voteSecrets[number], vote.statement, workload.genesis.suite)
        }
        for seat in 0..<count {
            let disk = SimulatedDisk(seed: self.random.next(), sector: plan.sector)
            if !plan.isFormattedUnderFaults { disk.copy(formatted) }
            disk.setLying(plan.ailments[seat] == .lyingDisk)
            nodes.append(
                Node(
                    seat: seat, key: seat, set: genesis, nodeBySeat: Array(0..<plan.validators),
                    disk: disk, executor: Executor(genesis: workload.genesis),
                    skewMs: plan.skewMs[seat]))
        }
        if plan.skewMs.contains(where: { $0.magnitude > workload.genesis.parameters.driftMs }) {
            counts[.skewedClocks] += 1
        }
    }

    static func signature(_ secret: Digest, _ statement: VoteStatement, _ suite: Suite) -> [UInt8] {
        let half = suite.nodeDigest(secret, suite.digest(statement.encoded)).bytes
        return half + half
    }

    /// With the node's key, for its seat in the set that it knows.
    func sign(_ statement: VoteStatement, by seat: Int) -> Vote {
        Vote(
            statement: statement, validator: epochSeat(of: seat) ?? 0,
            signature: Simulation.signature(
                workload.voteSecrets[nodes[seat].key], statement, workload.genesis.suite))
    }

    /// Its words are its replica's.
    func isHonest(_ seat: Int) -> Bool {
        if case .liar = plan.ailments[seat] { false } else { true }
    }

    /// It keeps what it promised, too: its disk is as good as a disk can be, and it is not lost.
    func isSound(_ seat: Int) -> Bool { plan.ailments[seat] == nil && !nodes[seat].isGone }

    // MARK: The run

    func run() {
        SimulatedDisk.seedSQLite(seed)
        schedulePlan()
        for seat in nodes.indices { start(seat) }
        while violation == nil, let entry = queue.pop() {
            nowUs = entry.atUs
            handle(entry.event)
            if isCalm, isDone { break }
        }
        if violation == nil { checkEnd() }
        for node in nodes {
            let disk = node.disk.counts
            counts[.lostWrites] += Int(disk.lostWrites)
            counts[.tornWrites] += Int(disk.tornWrites)
            counts[.unsyncedSyncs] += Int(disk.unsyncedSyncs)
            fingerprint.mix(disk.writes)
            fingerprint.mix(disk.syncs)
            // Open files end with their process, not by SQLite's tidy way.
            node.disk.end(.process)
        }
    }

    private func schedulePlan() {
        let whole = Simulation.faultyUs
        for _ in 0..<plan.submissions { queue.push(.submit, atUs: random.below(whole)) }
        for _ in 0..<plan.crashes { queue.push(.crash, atUs: random.below(whole)) }
        for _ in 0..<plan.commonPowerCuts {
            queue.push(.powerCutOfAll, atUs: random.below(whole))
        }
        for _ in 0..<plan.cuts {
            queue.push(
                .cut(lasting: random.between(200_000, 3_000_000)), atUs: random.below(whole))
        }
        for _ in 0..<plan.seatChanges { queue.push(.changeSeats, atUs: random.below(whole)) }
        for _ in 0..<plan.clockJumps { queue.push(.setClock, atUs: random.below(whole)) }
        if plan.losesQuorum { queue.push(.loseQuorum, atUs: random.below(whole)) }
        for seat in nodes.indices where plan.ailments[seat] == .bitRot {
            for _ in 0..<plan.rots { queue.push(.rot(seat), atUs: random.below(whole)) }
        }
        queue.push(.inspect, atUs: whole)
    }

    private func handle(_ event: Event) {
        switch event {
        case .deliver(let to, let from, let message): deliver(message, to: to, from: from)
        case .input(let seat, let incarnation, let input):
            if nodes[seat].incarnation == incarnation { give(input, to: seat) }
        case .timer(let seat, let incarnation, let timer, let generation):
            if nodes[seat].incarnation == incarnation,
                nodes[seat].timers[Int(timer.rawValue)] == generation
            {
                give(.timer(timer), to: seat)
            }
        case .submit: submit()
        case .crash: crash()
        case .powerCutOfAll: cutPowerOfAll()
        case .restart(let seat): start(seat)
        case .cut(let lasting): cut(lasting)
        case .heal(let index): heal(index)
        case .rot(let seat): rot(seat)
        case .setClock: setClock()
        case .changeSeats: changeSeats()
        case .loseQuorum: loseQuorum()
        case .recover: recover()
        case .rekey(let seat, let key):
            // A recovery may have seated it otherwise.
            if recovery == nil || newestSet.index(ofKey: workload.keyID(key)) != nil {
                rekey(seat, key)
            }
        case .inspect: inspect()
        }
    }

    /// Ends the faulty phase when it has seen enough, and the calm one when it takes too long.
    private func inspect() {
        if isCalm {
            if nowUs >= calmSinceUs + Simulation.calmUsMax { return fail(stuck) }
        } else if needsRecovery {
            stopForRecovery()
        } else if !isRecovering {
            if views >= viewsMin || nowUs >= Simulation.faultyUsMax { calm() }
        }
        queue.push(.inspect, atUs: nowUs + 500_000)
    }

    private var stuck: String {
        let heights = nodes.map {
            "v\($0.seat)@\($0.height)/\($0.set.epoch)/\($0.replica?.view ?? 0)"
        }
        let missing = probes.filter { !checker.isFinal($0) }.count
        return "liveness: no progress after the faults stopped at height \(calmHeight); "
            + "\(missing) probes not final; " + heights.joined(separator: " ")
    }

    private func calm() {
        isCalm = true
        calmSinceUs = nowUs
        // What anybody acknowledged, everybody must come to hold.
        calmHeight = checker.height
        for from in nodes.indices { for to in nodes.indices { cuts[from][to] = 0 } }
        for seat in nodes.indices {
            nodes[seat].effectsToLive = nil
            nodes[seat].diesWhenDurable = false
            nodes[seat].disk.cancelFailure()
            nodes[seat].skewMs = nodes[seat].skewMs % 10
            if nodes[seat].replica == nil { start(seat) }
        }
        transcript.note(nowUs, "— calm —")
        firstProbe = nextRequest
        for seat in nodes.indices where isHonest(seat) && nodes[seat].replica != nil {
            let probe = workload.probes[seat]
            probes.append(probe.envelope.id)
            give(.submitted(request(), [probe.envelope]), to: seat)
        }
    }

    /// Every honest replica has got on, and holds what it was given after the faults.
    private var isDone: Bool {
        guard views >= viewsMin, probes.allSatisfy(checker.isFinal) else { return false }
        return nodes.allSatisfy {
            $0.isGone || !isHonest($0.seat) || $0.height >= calmHeight + 3
        }
    }

    func request() -> RequestID {
        defer { nextRequest += 1 }
        return RequestID(nextRequest)
    }

    func fail(_ description: String) {
        guard violation == nil else { return }
        violation = Violation(atMs: nowUs / 1_000, description: description)
        transcript.note(nowUs, "VIOLATION \(description)")
    }

    // MARK: Clients

    private func submit() {
        let count = Int(random.between(1, 8))
        var envelopes: [Envelope] = []
        for _ in 0..<count {
            let isOld = !submitted.isEmpty && random.chance(perMille: 200)
            let index =
                isOld
                ? submitted[random.below(submitted.count)] : random.below(workload.items.count)
            submitted.append(index)
            envelopes.append(workload.items[index].envelope)
        }
        // Sometimes the same ones to two replicas.
        let copies = random.chance(perMille: 200) ? 2 : 1
        for _ in 0..<copies {
            let seat = random.below(nodes.count)
            give(.submitted(request(), envelopes), to: seat)
        }
    }
}
