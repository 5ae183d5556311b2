import ArgumentParser
import Consensus
import Simulator

/// Runs seeds of the simulator; exit code 1 with seed and transcript at the first violation.
@main
struct HuijinSim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "huijin-sim",
        abstract: "Run the replica under seeded faults / 在带种子的故障下仿真副本",
        discussion: """
            Equal seeds give equal histories. 相同的种子得到完全相同的历史。
            Exit codes: 0 no violation, 1 a violation, 64 wrong usage.
            退出码：0 无违例，1 有违例，64 用法错误。
            """)

    @Option(help: "How many seeds to run / 种子数量")
    var seeds: UInt64 = 100

    @Option(help: "The first seed / 起始种子")
    var first: UInt64 = 1

    @Option(help: "Switch a voting rule off, to see it noticed / 关闭一条投票规则以验证仿真器")
    var mutation: String?

    @Flag(help: "Print one line for each seed / 每个种子打印一行")
    var verbose = false

    func validate() throws {
        guard seeds >= 1 else { throw ValidationError("--seeds must be at least 1 / 至少为 1") }
        if let mutation, Mutation.named(mutation) == nil {
            let names = Mutation.names.map(\.name).joined(separator: ", ")
            throw ValidationError("--mutation is one of / 可选值: \(names)")
        }
    }

    func run() throws {
        let rule = mutation.flatMap(Mutation.named) ?? []
        let simulator = Simulator()
        var totals = Totals()
        let step = max(1, seeds / 20)
        for index in 0..<seeds {
            let result = simulator.run(seed: first + index, mutation: rule)
            totals.add(result)
            if verbose { print(line(result)) }
            if result.violation != nil {
                report(simulator.run(seed: result.seed, mutation: rule, isTracing: true))
                throw ExitCode(1)
            }
            if !verbose, (index + 1) % step == 0 || index + 1 == seeds {
                print("\(index + 1)/\(seeds) seeds, \(totals.views) views / 个视图")
            }
        }
        totals.report()
    }

    private func line(_ result: SeedResult) -> String {
        "seed \(result.seed): n=\(result.validators) views=\(result.views) "
            + "height=\(result.height) transactions=\(result.transactions) "
            + "trace=\(String(result.traceHash, radix: 16))"
    }

    private func report(_ result: SeedResult) {
        for event in result.transcript.suffix(80) { print(event) }
        print(line(result))
        print("violation / 违例: \(result.violation?.description ?? "")")
        print("again / 重现: huijin-sim --first \(result.seed) --seeds 1 --verbose")
    }
}

/// Sums over all seeds.
private struct Totals {
    var seeds: UInt64 = 0
    var views: UInt64 = 0
    var blocks: UInt64 = 0
    var transactions = 0
    var faults = FaultCounts()
    /// Over all traces in order, so that two whole runs can be compared.
    var trace: UInt64 = 0

    mutating func add(_ result: SeedResult) {
        seeds += 1
        views += result.views
        blocks += result.height
        transactions += result.transactions
        faults += result.faults
        trace = (trace ^ result.traceHash) &* 0x0000_0100_0000_01B3
    }

    func report() {
        print("no violation / 无违例: \(seeds) seeds")
        print("views / 视图: \(views)")
        print("blocks / 区块: \(blocks)")
        print("transactions / 交易: \(transactions)")
        for fault in faults.named { print("\(fault.en) / \(fault.zh): \(fault.count)") }
        print("trace / 轨迹: \(String(trace, radix: 16))")
    }
}
