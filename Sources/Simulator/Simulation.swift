import Consensus
import Encoding
import Execution
import Ledger
import LedgerCrypto
import Mempool
import Replica

/// One seed: some replicas, their disks, a bad network, and a checker that sees everything.
///
/// The production `Replica` runs unchanged. Simulated are the clock, the network, the disk's durability, the votes'
/// signatures (keyed digests), and the process, which may die between any two effects. First comes a faulty
/// phase of at least `viewsMin` views, then a calm one in which every honest replica must make progress again.
final class Simulation {
    static let viewsMin: UInt64 = 50
    /// The faulty phase lasts at least this long, and planned faults fall into it. Virtual time.
    static let faultyUs: UInt64 = 8_000_000
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
        case crash(Int)
        case restart(Int)
        case partition(lasting: UInt64)
        case heal
        case inspect
    }

    struct Node {
        let seat: Int
        let disk: SimulatedDisk
        let executor: Executor<SimulatedDisk>
        var replica: Replica<SimulatedDisk>?
        var incarnation = 0
        /// Dies before so many more effects are performed.
        var effectsToLive: Int?
        /// Dies right after its next durable step.
        var diesWhenDurable = false
        /// Cut off from everybody until then.
        var isolatedUntilUs: UInt64 = 0
        var timers: [Int] = Array(repeating: 0, count: TimerID.allCases.count + 1)
        var skewMs: Int64
    }

    let seed: UInt64
    let workload: Workload
    let mutation: Mutation
    let authority: VoteAuthority
    let plan: FaultPlan
    var random: Randomness
    var queue = EventQueue<Event>()
    var nodes: [Node] = []
    var nowUs: UInt64 = 0
    var isCalm = false
    var calmSinceUs: UInt64 = 0
    var calmHeight: UInt64 = 0
    /// Which side of a partition each seat is on.
    var sides: [Int]
    var checker = Checker()
    var counts = FaultCounts()
    var fingerprint = Fingerprint()
    var violation: Violation?
    /// Newest lines, only when asked for.
    var transcript: [String] = []
    let isTracing: Bool
    var submitted: [Int] = []
    var probes: [Digest] = []
    /// Requests from this one on are probes.
    var firstProbe = UInt64.max
    var nextRequest: UInt64 = 1
    /// The liar's knowledge: blocks proposed in each view.
    var seen: [UInt64: [VoteSubject]] = [:]

    init(
        seed: UInt64, workload: Workload, plan: FaultPlan, random: Randomness, mutation: Mutation,
        isTracing: Bool
    ) {
        self.seed = seed
        self.workload = workload
        self.plan = plan
        self.random = random
        self.mutation = mutation
        self.isTracing = isTracing
        sides = Array(repeating: 0, count: plan.validators)
        let secrets = workload.voteSecrets
        let suite = workload.genesis.suite
        authority = VoteAuthority(chain: workload.chain, validators: workload.genesis.validators) {
            $0.signature == Simulation.signature(secrets[$0.validator], $0.statement, suite)
        }
        let state = GenesisState(workload.genesis)
        for seat in 0..<plan.validators {
            nodes.append(
                Node(
                    seat: seat, disk: SimulatedDisk(genesis: workload.genesis, state: state),
                    executor: Executor(genesis: workload.genesis), skewMs: plan.skewMs[seat]))
        }
        if plan.skewMs.contains(where: { $0.magnitude > workload.genesis.parameters.driftMs }) {
            counts.skewedClocks += 1
        }
    }

    static func signature(_ secret: Digest, _ statement: VoteStatement, _ suite: Suite) -> [UInt8] {
        let half = suite.nodeDigest(secret, suite.digest(statement.encoded)).bytes
        return half + half
    }

    func sign(_ statement: VoteStatement, by seat: Int) -> Vote {
        Vote(
            statement: statement, validator: seat,
            signature: Simulation.signature(
                workload.voteSecrets[seat], statement, workload.genesis.suite))
    }

    func isHonest(_ seat: Int) -> Bool { seat != plan.liar }

    // MARK: The run

    func run() {
        schedulePlan()
        for seat in nodes.indices { start(seat) }
        while violation == nil, let entry = queue.pop() {
            nowUs = entry.atUs
            handle(entry.event)
            if isCalm, isDone { break }
        }
        guard violation == nil else { return }
        for node in nodes where isHonest(node.seat) {
            if let fault = checker.check(node.disk, seat: node.seat) { return fail(fault) }
        }
    }

    private func schedulePlan() {
        for _ in 0..<plan.submissions {
            queue.push(.submit, atUs: random.below(Simulation.faultyUs))
        }
        for _ in 0..<plan.crashes {
            queue.push(
                .crash(random.below(nodes.count)), atUs: random.below(Simulation.faultyUs))
        }
        if plan.crashAllOnce {
            let atUs = random.below(Simulation.faultyUs)
            for seat in nodes.indices { queue.push(.crash(seat), atUs: atUs) }
        }
        for _ in 0..<plan.partitions {
            queue.push(
                .partition(lasting: random.between(200_000, 3_000_000)),
                atUs: random.below(Simulation.faultyUs))
        }
        queue.push(.inspect, atUs: Simulation.faultyUs)
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
        case .crash(let seat):
            if nodes[seat].replica != nil, !isCalm {
                // Anywhere, or where a half-done vote or commit is most likely.
                nodes[seat].diesWhenDurable = random.chance(perMille: 500)
                if !nodes[seat].diesWhenDurable { nodes[seat].effectsToLive = random.below(8) }
            }
        case .restart(let seat):
            if !isCalm, random.chance(perMille: 250) {
                nodes[seat].isolatedUntilUs = nowUs + random.between(100_000, 1_500_000)
            }
            start(seat)
        case .partition(let lasting): split(lasting)
        case .heal: sides = Array(repeating: 0, count: nodes.count)
        case .inspect: inspect()
        }
    }

    /// Ends the faulty phase when it has seen enough, and the calm one when it takes too long.
    private func inspect() {
        if isCalm {
            if nowUs >= calmSinceUs + Simulation.calmUsMax { return fail(stuck) }
        } else {
            let view = nodes.compactMap { $0.replica?.view }.max() ?? 0
            if view >= Simulation.viewsMin || nowUs >= Simulation.faultyUsMax { calm() }
        }
        queue.push(.inspect, atUs: nowUs + 500_000)
    }

    private var stuck: String {
        let heights = nodes.map { "v\($0.seat)@\($0.disk.height)/\($0.replica?.view ?? 0)" }
        let missing = probes.filter { !checker.isFinal($0) }.count
        return "liveness: no progress after the faults stopped at height \(calmHeight); "
            + "\(missing) probes not final; " + heights.joined(separator: " ")
    }

    private func calm() {
        isCalm = true
        calmSinceUs = nowUs
        calmHeight = nodes.map(\.disk.height).max() ?? 0
        sides = Array(repeating: 0, count: nodes.count)
        for seat in nodes.indices {
            nodes[seat].effectsToLive = nil
            nodes[seat].diesWhenDurable = false
            nodes[seat].skewMs = nodes[seat].skewMs % 10
            if nodes[seat].replica == nil { start(seat) }
        }
        note("— calm —")
        firstProbe = nextRequest
        for seat in nodes.indices where isHonest(seat) {
            let probe = workload.probes[seat]
            probes.append(probe.envelope.id)
            give(.submitted(request(), [probe.envelope]), to: seat)
        }
    }

    /// Every honest replica has got on, and holds what it was given after the faults.
    private var isDone: Bool {
        let view = nodes.compactMap { $0.replica?.view }.max() ?? 0
        guard view >= Simulation.viewsMin, probes.allSatisfy(checker.isFinal) else { return false }
        return nodes.allSatisfy { !isHonest($0.seat) || $0.disk.height >= calmHeight + 3 }
    }

    func request() -> RequestID {
        defer { nextRequest += 1 }
        return RequestID(nextRequest)
    }

    func fail(_ description: String) {
        guard violation == nil else { return }
        violation = Violation(atMs: nowUs / 1_000, description: description)
        note("VIOLATION \(description)")
    }

    static let transcriptMax = 120

    func note(_ line: @autoclosure () -> String) {
        guard isTracing else { return }
        if transcript.count >= 2 * Simulation.transcriptMax {
            transcript.removeFirst(Simulation.transcriptMax)
        }
        transcript.append("\(nowUs / 1_000) ms  \(line())")
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
