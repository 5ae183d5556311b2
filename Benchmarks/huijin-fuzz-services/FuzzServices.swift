import ArgumentParser
import FuzzKit

/// Input that nobody honest sends, to what needs files, HTTP or links: `huijin-fuzz` has the rest.
@main
struct FuzzServices: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "huijin-fuzz-services",
        abstract: "Mutated input for the services' readers. / 服务端读取器模糊测试")

    @OptionGroup var options: FuzzOptions

    func run() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let setting = try Setting(scratch)
        try options.attack(
            try TextTargets.all(setting) + SandboxTargets.all(setting) + LinkTargets.all(setting)
                + ConfigurationTargets.all(setting) + PortTargets.all(setting))
    }
}

/// A target and the inputs that it starts from. They are texts, and stand beside it where a person can read them.
typealias Subject = (target: FuzzTarget, corpus: [[UInt8]])

func subject(
    _ name: String, _ examples: [String], _ attempt: @escaping ([UInt8]) -> FuzzTarget.Verdict
) -> Subject {
    (FuzzTarget(name, attempt), examples.map { Array($0.utf8) })
}
