import ArgumentParser
import Consensus
import Foundation
import Programs
import Simulator

/// Runs seeds of the simulator in processes of their own; exit code 1 with the least failing run at a violation.
@main
struct HuijinSim: Program {
    static let configuration = CommandConfiguration(
        commandName: "huijin-sim",
        abstract: "Run replicas and their stores under seeded faults / 在带种子的故障下仿真副本与存储",
        discussion: """
            Equal seeds give equal histories. docs/simulator.md says what is simulated and checked.
            相同的种子得到完全相同的历史。仿真与检查的内容见 docs/simulator.md。
            Exit codes: 0 no violation, 1 a violation, 64 wrong usage.
            退出码：0 无违例，1 有违例，64 用法错误。
            """)

    @Option(help: "How many seeds to run / 种子数量")
    var seeds: UInt64 = 100

    @Option(help: "The first seed / 起始种子")
    var first: UInt64 = 1

    @Option(help: "Processes at a time; by default one for each processor / 并行进程数，默认等于处理器数")
    var jobs: Int = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: "Switch a rule off, to see it noticed / 关闭一条规则以检验仿真器")
    var mutation: String?

    @Option(help: "Kinds of fault to leave out, with commas between / 排除的故障类型，以逗号分隔")
    var without: String = ""

    @Option(help: "Views after which the faults stop / 故障停止前的视图数")
    var views: UInt64 = Simulator.viewsStandard

    @Flag(help: "Print everything that happens, a column for each replica / 以每副本一列的图打印全过程")
    var transcript = false

    @Flag(help: "Leave out faults for as long as the seed still fails / 缩减仍失败的种子的故障")
    var shrink = false

    @Flag(help: "Every rule switched off in turn, up to so many seeds / 逐条关闭规则，至多运行所给种子数")
    var mutants = false

    @Flag(help: "Print one line for each seed / 每个种子打印一行")
    var verbose = false

    @Flag(help: .hidden)
    var worker = false

    func validate() throws {
        guard seeds >= 1 else { throw ValidationError("--seeds must be at least 1 / 至少为 1") }
        guard jobs >= 1 else { throw ValidationError("--jobs must be at least 1 / 至少为 1") }
        guard views >= 1 else { throw ValidationError("--views must be at least 1 / 至少为 1") }
        if let mutation, Mutation.named(mutation) == nil {
            let names = Mutation.names.map(\.name).joined(separator: ", ")
            throw ValidationError("--mutation is one of / 可选值: \(names)")
        }
        if FaultKinds(names: without) == nil {
            let names = FaultKinds.all.list
            throw ValidationError("--without is some of / 可选值: \(names)")
        }
    }

    func run() throws {
        if mutants { return try runMutants() }
        if worker || transcript || shrink { return try runHere() }
        let fleet = Fleet(jobs: jobs, options: options(mutation))
        let outcome = fleet.run(first: first, count: seeds) { record, total in
            if verbose {
                print(record.line)
            } else if total.seeds % max(1, seeds / 20) == 0 || total.seeds == seeds {
                print("\(total.seeds)/\(seeds) seeds, \(total.views) views / 个视图")
                fflush(nil)
            }
        }
        guard let failure = outcome.failure else { return outcome.totals.report() }
        print(failure.text)
        if failure.isCrash {
            print("again / 重现: huijin-sim --first \(failure.seed) --seeds 1 --transcript")
        } else {
            // In a process of its own, as every seed.
            fleet.show(seed: failure.seed)
        }
        throw ExitCode(1)
    }

    private func options(_ mutation: String?) -> [String] {
        var options = ["--views", "\(views)"]
        if let mutation { options += ["--mutation", mutation] }
        if !without.isEmpty { options += ["--without", without] }
        return options
    }

    // MARK: In this process

    private func runHere() throws {
        let rule = mutation.flatMap(Mutation.named) ?? []
        let left = FaultKinds(names: without) ?? []
        let simulator = Simulator()
        for index in 0..<seeds {
            let seed = first + index
            if shrink {
                try showLeast(seed, rule, simulator)
                continue
            }
            let result = simulator.run(
                seed: seed, mutation: rule, without: left, viewsMin: views,
                trace: transcript ? { print($0) } : nil)
            print(Record(result).coded)
            // A crash must not take what was printed before with it.
            fflush(nil)
            if worker, result.violation != nil { return }
        }
    }

    private func showLeast(_ seed: UInt64, _ rule: Mutation, _ simulator: Simulator) throws {
        guard let least = simulator.shrink(seed: seed, mutation: rule) else {
            return print("seed \(seed): no violation / 无违例")
        }
        var rows: [String] = []
        _ = simulator.run(
            seed: seed, mutation: rule, without: least.without, viewsMin: least.viewsMin,
            trace: { rows.append($0) })
        for row in rows.prefix(1) + rows.dropFirst().suffix(120) { print(row) }
        print("violation / 违例: \(least.result.violation?.description ?? "")")
        var again = "huijin-sim --first \(seed) --seeds 1 --views \(least.viewsMin)"
        if let mutation { again += " --mutation \(mutation)" }
        if !least.without.isEmpty { again += " --without \(least.without.list)" }
        print("again / 重现: \(again) --transcript")
    }

    // MARK: Mutants

    private func runMutants() throws {
        var survivors = 0
        for (name, _) in Mutation.names {
            let outcome = Fleet(jobs: jobs, options: options(name)).run(first: first, count: seeds)
            if let failure = outcome.failure {
                print("| `\(name)` | \(failure.seed) | \(failure.text) |")
            } else {
                survivors += 1
                print("| `\(name)` | — | not noticed in \(seeds) seeds / \(seeds) 个种子内未发现 |")
            }
            fflush(nil)
        }
        if survivors > 0 { throw ExitCode(1) }
    }
}
