/// How often each kind of fault happened, over one or many seeds.
public struct FaultCounts: Sendable, Equatable {
    public enum Kind: Int, CaseIterable, Sendable {
        case dropped, duplicated, delayed, cutOff, partitions, oneWayCuts, skewedClocks, clockJumps
        case kills, powerCuts, commonPowerCuts, halfSteps, restarts, formats
        case lostWrites, tornWrites, unsyncedSyncs, turnedBits, damageFound, emptiedFolders,
            lostDisks
        case equivocations, withheld, replayed, forged, syncLies, pestered
        case seatChanges, epochs, convictions, lostQuorums, recoveries
        case equivocationsSeen, culprits, amnesiacVotes, barred, silenced, lightClientChecks,
            lightClientRefusals

        /// Whether it is a fault, not what came of one.
        var isFault: Bool {
            switch self {
            case .restarts, .damageFound, .seatChanges, .epochs, .convictions, .recoveries,
                .equivocationsSeen, .culprits,
                .amnesiacVotes, .barred, .silenced,
                .formats,
                .lightClientChecks, .lightClientRefusals, .emptiedFolders, .cutOff:
                false
            case .dropped, .duplicated, .delayed, .partitions, .oneWayCuts, .skewedClocks,
                .clockJumps, .kills, .powerCuts, .commonPowerCuts, .halfSteps, .lostWrites,
                .tornWrites, .unsyncedSyncs,
                .turnedBits, .lostDisks, .lostQuorums, .equivocations, .withheld, .replayed,
                .forged, .syncLies, .pestered:
                true
            }
        }

        /// English and Chinese.
        public var title: (en: String, zh: String) {
            switch self {
            case .dropped: ("messages dropped", "丢弃消息")
            case .duplicated: ("messages duplicated", "重复消息")
            case .delayed: ("messages delayed", "延迟消息")
            case .cutOff: ("messages cut off", "分区隔断消息")
            case .partitions: ("partitions", "网络分区")
            case .oneWayCuts: ("one-way cuts", "单向隔断")
            case .skewedClocks: ("skewed clocks", "时钟偏移")
            case .clockJumps: ("clocks set while running", "运行中时钟跳变")
            case .kills: ("processes killed", "进程被杀")
            case .powerCuts: ("power cuts of one", "单机断电")
            case .commonPowerCuts: ("power cuts of all", "全体断电")
            case .halfSteps: ("ends within a durable step", "落盘中途中断")
            case .restarts: ("restarts", "重启")
            case .formats: ("stores made", "新建存储")
            case .lostWrites: ("unsynced writes lost", "丢失未同步写入")
            case .tornWrites: ("unsynced writes torn", "撕裂写入")
            case .unsyncedSyncs: ("syncs confirmed, not done", "虚假同步")
            case .turnedBits: ("bits turned", "位翻转")
            case .damageFound: ("damage noticed", "发现损坏")
            case .emptiedFolders: ("folders emptied by the operator", "运维清空文件夹")
            case .lostDisks: ("disks lost", "磁盘丢失")
            case .equivocations: ("equivocations", "双签")
            case .withheld: ("messages withheld", "扣留消息")
            case .replayed: ("messages replayed", "重放消息")
            case .forged: ("forgeries", "伪造")
            case .syncLies: ("lies in catch-up", "同步谎言")
            case .pestered: ("things said that nobody asked for", "无人请求的虚假消息")
            case .seatChanges: ("changes of seats", "席位变更")
            case .epochs: ("epochs begun", "已开始的届数")
            case .convictions: ("validators convicted", "认定双签的记账节点")
            case .lostQuorums: ("quorums lost for good", "永久失去法定多数")
            case .recoveries: ("recoveries under the genesis' rule", "依创世规则恢复")
            case .equivocationsSeen: ("equivocations noticed", "发现双签")
            case .culprits: ("forgers cut off", "断开伪造者")
            case .amnesiacVotes: ("contradictions after a lost, lying or rotten disk", "失忆矛盾投票")
            case .barred:
                ("starts without a vote, the key bound to another store", "密钥绑定于另一存储而不投票的启动")
            case .silenced: ("validators that learnt of a vote they had forgotten", "得知遗忘投票而停投")
            case .lightClientChecks: ("truths the light client took", "轻客户端接受真实证据")
            case .lightClientRefusals: ("lies the light client refused", "轻客户端拒绝谎言")
            }
        }
    }

    private var counts = [Int](repeating: 0, count: Kind.allCases.count)

    public init() {}

    public subscript(_ kind: Kind) -> Int {
        get { counts[kind.rawValue] }
        set { counts[kind.rawValue] = newValue }
    }

    /// Of all kinds together, without what only came of them.
    public var faults: Int {
        Kind.allCases.filter(\.isFault).reduce(0) { $0 + self[$1] }
    }

    /// Ends of processes, cuts of the network and disks that fail: without single messages, clocks, lies and writes.
    public var majorFaults: Int {
        let kinds: [Kind] = [
            .partitions, .oneWayCuts, .kills, .powerCuts, .commonPowerCuts, .turnedBits,
            .lostDisks, .lostQuorums,
        ]
        return kinds.reduce(0) { $0 + self[$1] }
    }

    /// By `Kind`, in its order.
    public var list: [Int] { counts }

    /// Nil unless there is one number for each kind.
    public init?(list: [Int]) {
        guard list.count == counts.count else { return nil }
        counts = list
    }

    public static func += (left: inout FaultCounts, right: FaultCounts) {
        for index in left.counts.indices { left.counts[index] += right.counts[index] }
    }
}
