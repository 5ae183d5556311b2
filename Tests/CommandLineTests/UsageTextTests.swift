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
            if word.hasSuffix("天气") { throw ValidationError("not '\(word)'") }
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
        (["x", "-number"], "未知选项 -number，是否指 --number？；或 -number 中选项缺少值：-n <number>"),
        (["x", "---x"], "无效选项：---x"),
        (["plain"], "用法错误"),
        (["word 天气"], "用法错误"),
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

    @Test func completionScriptsAreOfThreeShells() {
        let error = #expect(throws: (any Error).self) {
            try Example.parseAsRoot(["--generate-completion-script", "csh"])
        }
        #expect(
            error.flatMap { Example.chineseUsage(for: $0) } == "没有 csh 的补全脚本，可选：zsh、bash、fish")
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

    @Test func jsonSaysItOnceInEachLanguage() throws {
        let bench = try Bench()
        let own = try bench.huijin(
            ["watch", "--trust", "t", "--interval-ms", "0", "--output", "json"], expect: 64
        ).json()
        #expect(own["message"]?.text == "--interval-ms is 100 at least / --interval-ms 不小于 100")
        let library = try bench.huijin(
            ["asset", "show", "--output", "json"], expect: 64
        ).json()
        #expect(library["message"]?.text == "Missing expected argument '<id>' / 缺少参数：<id>")
    }

    /// The first file that such a program opens must not get the number of a stream that it writes to.
    @Test func closedStreamsHarmNothing() throws {
        let bench = try Bench()
        _ = try bench.makeNetwork()
        try bench.shell("exec \"$PROGRAMS/huijind\" check -c none.json >&- 2>&-", expect: 78)
        try bench.shell("exec \"$PROGRAMS/huijin-sandboxd\" run -c none.json >&- 2>&-", expect: 66)
        let node = "net/nodes/node0"
        try bench.shell(
            """
            "$PROGRAMS/huijind" run -c \(node)/node.json <&- >&- 2>&- & node=$!
            tries=300
            until "$PROGRAMS/huijin" network status --identity net/members/governor >status; do
                tries=$((tries - 1)); [ $tries -gt 0 ] || { kill -KILL $node; exit 1; }
                sleep 0.1
            done
            kill $node; wait $node
            """)
        // Whatever had been written into the ledger's file would be found now.
        try bench.startNode()
        try bench.huijin(["network", "status"], as: "governor")
    }
}
