import ArgumentParser
import Testing

@testable import Programs

private enum Colour: String, ExpressibleByArgument, CaseIterable {
    case red, green
}

private enum Letter: String, ExpressibleByArgument, CaseIterable {
    case a, b, c, d, e, f
}

private enum Way: String, EnumerableFlag {
    case there, back
}

private struct Example: Program {
    static let configuration = CommandConfiguration(subcommands: [Inner.self])

    struct Inner: ParsableCommand {
        @Option(name: [.short, .long]) var number = 1
        @Option var colour = Colour.red
        @Option var letter = Letter.a
        @Flag var isLoud = false
        @Flag var way = Way.there
        @Argument var word: String

        func validate() throws {
            if word == "both" { throw ValidationError("not both / 不可兼有") }
            if word == "plain" { throw ValidationError("not plain") }
        }
    }
}

/// What the library says today; a version that words it otherwise fails here.
@Suite struct UsageTextTests {
    @Test(arguments: [
        (["x", "--nmber", "2"], "未知选项 --nmber，是否指 --number？"),
        (["x", "--quite-another"], "未知选项 --quite-another"),
        (["x", "--it's"], "未知选项 --it's"),
        (["x", "-z"], "未知选项 -z"),
        (["x", "--number"], "选项缺少值：--number <number>"),
        (["x", "--is-loud=yes"], "选项 --is-loud 不带值，却给出了 yes"),
        (["x", "y\nz"], "多余的参数：y\nz"),
        (["x", "y", "天气"], "多余的 2 个参数：'y', '天气'"),
        ([], "缺少参数：<word>"),
        (["x", "--there", "--back"], "--back 与先前的 --there 冲突"),
        (["x", "--number", "two"], "--number <number> 的值 two 无效"),
        (["x", "--colour", "blue"], "--colour <colour> 的值 blue 无效，可选：red、green"),
        (["x", "--letter", "z"], "--letter <letter> 的值 z 无效，可选：a、b、c、d、e、f"),
        (["plain"], "用法错误"),
    ])
    func whatIsWrongIsSaidInChinese(_ words: [String], _ chinese: String) {
        let error = #expect(throws: (any Error).self) {
            try Example.parseAsRoot(["inner"] + words)
        }
        #expect(error.flatMap { Example.chineseUsage(for: $0) } == chinese)
    }

    @Test func whatHasChineseIsNotSaidTwice() {
        let error = #expect(throws: (any Error).self) {
            try Example.parseAsRoot(["inner", "both"])
        }
        #expect(error.flatMap { Example.chineseUsage(for: $0) } == nil)
        #expect(Example.chineseUsage(for: CleanExit.helpRequest()) == nil)
    }

    @Test(arguments: ["huijin", "huijind", "huijin-sandboxd", "huijin-sim"])
    func everyProgramSaysItInBothLanguages(_ name: String) throws {
        let bench = try Bench()
        let option = try bench.run(name, ["--nothing"], expect: 64)
        #expect(option.complaint.contains("Unknown option '--nothing'"))
        #expect(option.complaint.contains("错误：未知选项 --nothing"))
        guard name != "huijin-sim" else { return }
        let group = try bench.run(name, [], expect: 64)
        #expect(group.complaint.contains("\(name) needs a subcommand"))
        #expect(group.complaint.contains("\(name) 须给出子命令") && group.output.isEmpty)
    }
}
