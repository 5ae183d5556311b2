import ArgumentParser

/// The options of a program that drives targets.
package struct FuzzOptions: ParsableArguments {
    @Option(help: "CPU seconds for each. / 每项的 CPU 秒数") var seconds = 10.0
    @Option(help: "Seed. / 随机种子") var seed: UInt64 = 1
    @Option(help: "First round, to repeat one. / 起始轮次") var first: UInt64 = 0
    @Option(help: "The one of this name, or those whose name contains it. / 仅测试此名称的项，或名称含此文本的项")
    var only = ""
    @Flag(help: "Print the names and end. / 仅列出名称") var list = false

    package init() {}

    /// Each chosen target in turn, with the inputs that it starts from; or their names alone.
    ///
    /// - Throws: `ExitCode` after a fault, `ValidationError` where nothing is chosen.
    package func attack(_ targets: [(target: FuzzTarget, corpus: [[UInt8]])]) throws {
        let named = targets.filter { $0.target.name == only }
        let chosen =
            named.isEmpty
            ? targets.filter { only.isEmpty || $0.target.name.contains(only) } : named
        guard !list else {
            for (target, _) in chosen { print(target.name) }
            return
        }
        guard !chosen.isEmpty else {
            throw ValidationError("no target's name contains \(only) / 没有名称含 \(only) 的项")
        }
        let run = FuzzRun(seconds: seconds, seed: seed, first: first)
        let faults = chosen.reduce(0) { $0 + run.attack($1.target, corpus: $1.corpus) }
        guard faults == 0 else { throw ExitCode(1) }
        print("fuzz: ok, \(chosen.count) targets")
    }
}
