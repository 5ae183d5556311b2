import ArgumentParser
import Consensus
import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records

/// Input that nobody honest sends.
@main
struct Fuzz: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "huijin-fuzz", abstract: "Hostile input. / 敌意输入",
        subcommands: [Decoders.self, Bundles.self], defaultSubcommand: Decoders.self)
}

/// Feeds mutated and random bytes to every decoder and to the verifier. A decoder that accepts must give the same bytes
/// back, since there is one encoding for each value; anything else is reported, and a trap ends the process with the
/// seed and round on the last line, which `--seed` and `--first` repeat.
struct Decoders: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decoders", abstract: "Random input for every decoder. / 模糊测试")

    @Option(help: "Seconds for each decoder. / 每个解码器的秒数") var seconds = 10.0
    @Option(help: "Seed. / 随机种子") var seed: UInt64 = 1
    @Option(help: "First round, to repeat one. / 起始轮次") var first: UInt64 = 0
    @Option(help: "Only decoders whose name contains this. / 仅测试名称含此文本的解码器") var only = ""

    static let roundsPerLine: UInt64 = 20_000

    func run() throws {
        var faults = 0
        for target in Target.all where only.isEmpty || target.name.contains(only) {
            faults += attack(target)
        }
        guard faults == 0 else { throw ExitCode(1) }
        print("fuzz: ok")
    }

    private func attack(_ target: Target) -> Int {
        let end = ContinuousClock.now + .seconds(seconds)
        var round = first
        var accepted = 0
        var faults = 0
        while ContinuousClock.now < end {
            print("\(target.name) --seed \(seed) --first \(round)")
            for _ in 0..<Decoders.roundsPerLine {
                var random = Randomness(seed: seed, round: round)
                let input = Mutation.input(from: target.examples, &random)
                switch target.attempt(input) {
                case .refused: break
                case .same: accepted += 1
                case .different:
                    faults += 1
                    print("not the only encoding: \(target.name) \(Hex.encode(input))")
                }
                round += 1
            }
        }
        print("\(target.name): \(round - first) inputs, \(accepted) accepted, \(faults) faults")
        return faults
    }
}
