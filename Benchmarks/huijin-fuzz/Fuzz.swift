import ArgumentParser
import FuzzKit

/// Input that nobody honest sends.
@main
struct Fuzz: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "huijin-fuzz", abstract: "Hostile input. / 敌意输入",
        subcommands: [Decoders.self, Bundles.self, Liars.self, WriteCorpus.self],
        defaultSubcommand: Decoders.self)
}

struct Decoders: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decoders",
        abstract: "Mutated input for every decoder and verifier. / 模糊测试")

    @Option(help: "Seconds for each. / 每项秒数") var seconds = 10.0
    @Option(help: "Seed. / 随机种子") var seed: UInt64 = 1
    @Option(help: "First round, to repeat one. / 起始轮次") var first: UInt64 = 0
    @Option(help: "Only those whose name contains this. / 仅测试名称含此文本的项") var only = ""
    @Option(help: "What it starts from. / 语料文件") var corpus = WriteCorpus.file

    func run() throws {
        let corpus = try Corpus(file: corpus)
        let run = FuzzRun(seconds: seconds, seed: seed, first: first)
        let targets = Targets.all(corpus).filter { only.isEmpty || $0.name.contains(only) }
        let faults = targets.reduce(0) { $0 + run.attack($1, corpus: corpus[$1]) }
        guard faults == 0 else { throw ExitCode(1) }
        print("fuzz: ok, \(targets.count) targets")
    }
}

struct WriteCorpus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "corpus",
        abstract: "Write what fuzzing starts from, after a change of format. / 重写语料")

    static let file = "Benchmarks/huijin-fuzz/corpus.hex"

    @Option(help: "Golden vectors. / 黄金向量文件夹") var vectors = "Tests/Vectors"
    @Option(help: "The file to write. / 输出文件") var out = WriteCorpus.file

    func run() throws {
        let examples = try CorpusExamples(vectors: vectors)
        try examples.corpus.write(to: out, for: Targets.all(Corpus()))
    }
}
