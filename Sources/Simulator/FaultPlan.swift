import Ledger

/// What goes wrong in a simulation, drawn from its seed before it begins.
struct FaultPlan {
    var validators = 4
    /// Per mille of messages.
    var drop: UInt64 = 0
    var duplicate: UInt64 = 0
    /// Messages that take up to `slowUs` longer.
    var slow: UInt64 = 0
    var slowUs: UInt64 = 0
    /// The usual delay of a message, 1 ms up to this.
    var delayUs: UInt64 = 8_000
    /// Crashes to come, by one of the replicas at a time of its own.
    var crashes = 0
    /// Of every effect performed, on a chosen replica.
    var crashAllOnce = false
    var partitions = 0
    /// A validator that lies.
    var liar: Int?
    /// Milliseconds that each clock is ahead (or behind).
    var skewMs: [Int64] = []
    /// Submissions in the faulty phase.
    var submissions = 60

    init(_ random: inout Randomness, parameters: Parameters) {
        validators = random.chance(perMille: 120) ? 7 : 4
        if random.chance(perMille: 700) { drop = random.between(5, 150) }
        if random.chance(perMille: 600) { duplicate = random.between(10, 150) }
        if random.chance(perMille: 600) {
            slow = random.between(10, 200)
            slowUs = random.between(20_000, 900_000)
        }
        delayUs = random.between(2_000, 30_000)
        if random.chance(perMille: 700) { crashes = Int(random.between(1, 5)) }
        crashAllOnce = random.chance(perMille: 250)
        if random.chance(perMille: 500) { partitions = Int(random.between(1, 3)) }
        if random.chance(perMille: 450) { liar = random.below(validators) }
        let drift = Int64(parameters.driftMs)
        let isSkewed = random.chance(perMille: 300)
        for _ in 0..<validators {
            let reach = isSkewed ? 2 * drift : drift / 4
            skewMs.append(Int64(random.below(UInt64(2 * reach + 1))) - reach)
        }
        submissions = Int(random.between(30, 120))
    }
}

/// How often each kind of fault happened, over one or many seeds.
public struct FaultCounts: Sendable, Equatable {
    public var dropped = 0
    public var duplicated = 0
    public var delayed = 0
    public var partitioned = 0
    public var partitions = 0
    public var crashes = 0
    public var restarts = 0
    public var lies = 0
    public var skewedClocks = 0
    public var equivocationsSeen = 0

    public init() {}

    public static func += (left: inout FaultCounts, right: FaultCounts) {
        left.dropped += right.dropped
        left.duplicated += right.duplicated
        left.delayed += right.delayed
        left.partitioned += right.partitioned
        left.partitions += right.partitions
        left.crashes += right.crashes
        left.restarts += right.restarts
        left.lies += right.lies
        left.skewedClocks += right.skewedClocks
        left.equivocationsSeen += right.equivocationsSeen
    }

    /// English and Chinese name of each count, in a fixed order.
    public var named: [(en: String, zh: String, count: Int)] {
        [
            ("messages dropped", "丢弃消息", dropped),
            ("messages duplicated", "重复消息", duplicated),
            ("messages delayed", "延迟消息", delayed),
            ("messages cut off", "分区隔断消息", partitioned),
            ("partitions", "网络分区", partitions), ("crashes", "崩溃", crashes),
            ("restarts", "重启", restarts), ("lies", "恶意行为", lies),
            ("skewed clocks", "时钟偏移", skewedClocks),
            ("equivocations noticed", "发现双签", equivocationsSeen),
        ]
    }
}
