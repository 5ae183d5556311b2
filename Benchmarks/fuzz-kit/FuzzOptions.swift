import ArgumentParser

/// The options of a program that drives targets.
package struct FuzzOptions: ParsableArguments {
    @Option(help: "Seconds for each. / 每项秒数") var seconds = 10.0
    @Option(help: "Seed. / 随机种子") var seed: UInt64 = 1
    @Option(help: "First round, to repeat one. / 起始轮次") var first: UInt64 = 0
    @Option(help: "Only those whose name contains this. / 仅测试名称含此文本的项") var only = ""

    package init() {}

    /// Each target in turn, with the inputs that it starts from.
    ///
    /// - Throws: `ExitCode` after a fault.
    package func attack(_ targets: [(target: FuzzTarget, corpus: [[UInt8]])]) throws {
        let run = FuzzRun(seconds: seconds, seed: seed, first: first)
        let chosen = targets.filter { only.isEmpty || $0.target.name.contains(only) }
        let faults = chosen.reduce(0) { $0 + run.attack($1.target, corpus: $1.corpus) }
        guard faults == 0 else { throw ExitCode(1) }
        print("fuzz: ok, \(chosen.count) targets")
    }
}
