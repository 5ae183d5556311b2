import Simulator

/// One seed's result, as a worker prints it for the process that started it.
struct Record: Sendable {
    let seed: UInt64
    let trace: UInt64
    let validators: Int
    let views: UInt64
    let height: UInt64
    let transactions: Int
    let faults: FaultCounts
    let violation: String?

    init(_ result: SeedResult) {
        seed = result.seed
        trace = result.traceHash
        validators = result.validators
        views = result.views
        height = result.height
        transactions = result.transactions
        faults = result.faults
        violation = result.violation.map { "after \($0.atMs) ms: \($0.description)" }
    }

    private static let mark = "seed-result"

    var coded: String {
        let numbers = [
            seed, trace, UInt64(validators), views, height, UInt64(transactions),
        ].map { "\($0)" }
        let counts = faults.list.map { "\($0)" }.joined(separator: ",")
        return ([Record.mark] + numbers + [counts, violation ?? ""]).joined(separator: " ")
    }

    /// Nil for any other line.
    init?(coded line: Substring) {
        let parts = line.split(separator: " ", maxSplits: 8, omittingEmptySubsequences: false)
        guard parts.count == 9, parts[0] == Record.mark, let seed = UInt64(parts[1]),
            let trace = UInt64(parts[2]), let validators = Int(parts[3]),
            let views = UInt64(parts[4]), let height = UInt64(parts[5]),
            let transactions = Int(parts[6]),
            let faults = FaultCounts(list: parts[7].split(separator: ",").compactMap { Int($0) })
        else { return nil }
        self.seed = seed
        self.trace = trace
        self.validators = validators
        self.views = views
        self.height = height
        self.transactions = transactions
        self.faults = faults
        violation = parts[8].isEmpty ? nil : String(parts[8])
    }

    var line: String {
        "seed \(seed): n=\(validators) views=\(views) height=\(height) "
            + "transactions=\(transactions) faults=\(faults.faults) "
            + "trace=\(String(trace, radix: 16))"
    }
}

/// Sums over all seeds.
struct Totals: Sendable {
    private(set) var seeds: UInt64 = 0
    private(set) var views: UInt64 = 0
    private var viewsMin = UInt64.max
    private var faultsMin = Int.max
    private var blocks: UInt64 = 0
    private var transactions = 0
    private var faults = FaultCounts()
    /// Over all traces in order, so that two whole runs can be compared.
    private var trace: UInt64 = 0

    mutating func add(_ record: Record) {
        seeds += 1
        views += record.views
        viewsMin = min(viewsMin, record.views)
        faultsMin = min(faultsMin, record.faults.majorFaults)
        blocks += record.height
        transactions += record.transactions
        faults += record.faults
        trace = (trace ^ record.trace) &* 0x0000_0100_0000_01B3
    }

    func report() {
        print("no violation / 无违例: \(seeds) seeds")
        print("views / 视图: \(views), at least / 每个种子至少 \(viewsMin)")
        print("blocks / 区块: \(blocks)")
        print("transactions / 交易: \(transactions)")
        print("ends, cuts and disk faults in a seed, at least / 每个种子的中断、隔断与磁盘故障至少: \(faultsMin)")
        for kind in FaultCounts.Kind.allCases {
            print("\(kind.title.en) / \(kind.title.zh): \(faults[kind])")
        }
        print("trace / 轨迹: \(String(trace, radix: 16))")
    }
}
