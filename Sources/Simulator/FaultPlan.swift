import Ledger
import SQLite

/// What is wrong with a validator for a whole seed. At most f of them have one: more is beyond what the
/// protocol promises to survive.
enum Ailment: Equatable {
    /// It lies, in these ways.
    case liar(FaultKinds)
    /// Its disk is lost in the common power cut, and it begins anew with an empty one.
    case lostDisk
    /// Its disk confirms syncs that it does not do.
    case lyingDisk
    /// Bits of what it stored turn.
    case bitRot
}

/// What goes wrong in a simulation, drawn from its seed before it begins: a random part of the kinds of fault, each
/// at a rate of its own ("swarm testing", Groce et al. 2012), because faults that are all there all the time hide one
/// another.
struct FaultPlan {
    var kinds: FaultKinds
    var validators = 4
    /// Per mille of messages.
    var drop: UInt64 = 0
    var duplicate: UInt64 = 0
    /// Messages that take up to `slowUs` longer.
    var slow: UInt64 = 0
    var slowUs: UInt64 = 0
    /// The usual delay of a message, 1 ms up to this.
    var delayUs: UInt64
    /// Crashes to come, by one of the replicas at a time of its own.
    var crashes: Int
    var commonPowerCuts = 0
    var cuts: Int
    var ailments: [Int: Ailment] = [:]
    /// Milliseconds that each clock is ahead (or behind).
    var skewMs: [Int64] = []
    /// Submissions in the faulty phase.
    var submissions: Int
    var sector: SimulatedDisk.Sector
    /// Few, so that logs are copied and rows written back within a seed.
    var logPagesMax: UInt32
    var journalRecordsMax: Int
    /// Every store is made under the faults instead of being a copy.
    var isFormattedUnderFaults = false
    /// Where bits turn: on the disk of a running node, or between two lives.
    var rots = 0
    /// Nodes without a seat, which follow and may be given one.
    var spares = 0
    /// Times at which somebody changes the seats, or tries again.
    var seatChanges = 0
    var losesQuorum = false
    /// Times at which somebody's clock is set to another time, up to this far off.
    var clockJumps = 0
    var clockJumpMsMax: UInt64

    static let sparesMax = 2

    /// - Parameter without: kinds that are left out, to shrink a failing seed; everything else is as it was.
    init(_ random: inout Randomness, parameters: Parameters, without: FaultKinds) {
        // Half of the kinds on average; seldom few of them, and seldom all.
        let share = random.between(300, 800)
        var drawn: FaultKinds = []
        for (_, kind) in FaultKinds.names where random.chance(perMille: share) {
            drawn.insert(kind)
        }
        // Something dies and something is cut in every seed.
        drawn.insert(random.chance(perMille: 500) ? .kill : .powerCut)
        drawn.insert(random.chance(perMille: 500) ? .partition : .oneWayCut)
        validators = random.chance(perMille: 80) ? 7 : 4
        let dropRate = random.between(5, 150)
        let duplicateRate = random.between(10, 150)
        let slowRate = random.between(10, 200)
        slowUs = random.between(20_000, 900_000)
        delayUs = random.between(2_000, 30_000)
        crashes = Int(random.between(5, 8))
        cuts = Int(random.between(2, 5))
        let ails = FaultPlan.ailments(drawn, validators, &random)
        if ails.values.contains(.lostDisk) { drawn.insert(.commonPowerCut) }
        let powerCuts = Int(random.between(1, 2))
        let drift = Int64(parameters.driftMs)
        let isSkewed = drawn.contains(.skew)
        for _ in 0..<validators + FaultPlan.sparesMax {
            let reach = isSkewed ? 2 * drift : drift / 4
            skewMs.append(Int64(random.below(UInt64(2 * reach + 1))) - reach)
        }
        submissions = Int(random.between(30, 120))
        sector = random.chance(perMille: 500) ? .bytes512 : .bytes4096
        logPagesMax = UInt32(random.between(8, 200))
        journalRecordsMax = Int(random.between(2, 60))
        isFormattedUnderFaults = random.chance(perMille: 50)
        rots = Int(random.between(1, 3))
        let spareNodes = Int(random.between(1, UInt64(FaultPlan.sparesMax)))
        let changes = Int(random.between(4, 14))
        // It ends what most other kinds need time for.
        let loses = random.chance(perMille: 350)
        let jumps = Int(random.between(1, 6))
        clockJumpMsMax = random.between(1, 20) * parameters.driftMs
        kinds = drawn.subtracting(without)
        if kinds.contains(.loss) { drop = dropRate }
        if kinds.contains(.duplication) { duplicate = duplicateRate }
        if kinds.contains(.delay) { slow = slowRate }
        if kinds.isDisjoint(with: [.kill, .powerCut, .halfStep]) { crashes = 0 }
        if kinds.isDisjoint(with: [.partition, .oneWayCut]) { cuts = 0 }
        if kinds.contains(.commonPowerCut) { commonPowerCuts = powerCuts }
        if kinds.contains(.seatChange) {
            spares = spareNodes
            seatChanges = changes
        }
        if kinds.contains(.clockJump) { clockJumps = jumps }
        losesQuorum = kinds.contains(.lostQuorum) && loses
        if !kinds.contains(.skew) { skewMs = skewMs.map { $0 % max(1, drift / 4) } }
        ailments = ails.compactMapValues { $0.without(without) }
    }

    private static func ailments(
        _ drawn: FaultKinds, _ validators: Int, _ random: inout Randomness
    ) -> [Int: Ailment] {
        var possible: [Ailment] = []
        let lies = drawn.intersection(.lies)
        // A liar finds more than a bad disk does.
        if !lies.isEmpty { possible += [.liar(lies), .liar(lies)] }
        if drawn.contains(.lostDisk) { possible.append(.lostDisk) }
        if drawn.contains(.lyingDisk) { possible.append(.lyingDisk) }
        if drawn.contains(.bitRot) { possible.append(.bitRot) }
        var ailments: [Int: Ailment] = [:]
        for _ in 0..<(validators - 1) / 3 where !possible.isEmpty {
            ailments[random.below(validators)] = possible[random.below(possible.count)]
        }
        return ailments
    }
}

extension Ailment {
    fileprivate func without(_ kinds: FaultKinds) -> Ailment? {
        switch self {
        case .liar(let lies):
            let rest = lies.subtracting(kinds)
            return rest.isEmpty ? nil : .liar(rest)
        case .lostDisk:
            return kinds.isDisjoint(with: [.lostDisk, .commonPowerCut]) ? self : nil
        case .lyingDisk: return kinds.contains(.lyingDisk) ? nil : self
        case .bitRot: return kinds.contains(.bitRot) ? nil : self
        }
    }
}
