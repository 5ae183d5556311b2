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

    @OptionGroup var options: FuzzOptions
    @Option(help: "What it starts from. / 语料文件") var corpus = WriteCorpus.file

    func run() throws {
        let corpus = try Corpus(file: corpus)
        try options.attack(Targets.all(corpus).map { ($0, corpus[$0]) })
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
