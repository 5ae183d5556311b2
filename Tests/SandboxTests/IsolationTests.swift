import Foundation
import Policy
import Records
import Testing

@testable import Sandbox

@Suite struct IsolationTests {
    /// The built program beside the test bundle.
    private static let program: String? = {
        let places = CommandLine.arguments.filter { $0.contains(".xctest") } + ["/proc/self/exe"]
        for place in places {
            let bundle = URL(filePath: place).resolvingSymlinksInPath().path
            let cut = bundle.range(of: ".xctest")?.upperBound ?? bundle.endIndex
            let folder = (String(bundle[..<cut]) as NSString).deletingLastPathComponent
            let program = folder + "/huijin-sandboxd"
            if FileManager.default.isExecutableFile(atPath: program) { return program }
        }
        return nil
    }()

    private func isolation() throws -> Isolation {
        let program: String = try #require(IsolationTests.program)
        return try Isolation(program: program)
    }

    @Test func aWorkerReachesNothing() throws {
        let folder = try TemporaryFolder()
        let ours = try folder.write("ours")
        try isolation().check(files: [ours, folder.path, "/etc/hostname", "/proc/1/environ"])
    }

    /// The same program without bubblewrap does reach things: the self-test can fail.
    @Test func theSelfTestNotices() throws {
        let folder = try TemporaryFolder()
        let ours = try folder.write("ours")
        let request = WorkerRequest.selfTest(port: 1, files: [ours], process: 0)
        let result = try ChildProcess.run(
            try #require(IsolationTests.program), ["worker"], input: request.encoded,
            timeoutMs: 20_000, outputBytesMax: 65_536)
        guard case .selfTest(let reached) = try WorkerAnswer.decode(result.output) else {
            Issue.record("not a self-test")
            return
        }
        #expect(reached.contains("file \(ours)"))
    }

    @Test func noBubblewrapNoSandbox() {
        #expect(throws: IsolationError.noBubblewrap) {
            try Isolation(bubblewrap: "/nonexistent/bwrap")
        }
    }

    @Test func runsAQueryAndKillsARunaway() throws {
        let folder = try TemporaryFolder()
        let (data, table) = try Shops.load(folder)
        let rules = try #require(DisclosureRules(groupMinimum: 5, dominancePercent: 80))
        let query = try QueryGate.admit(
            "SELECT city, COUNT(*), SUM(amount) FROM sales GROUP BY city", to: Shops.table)
        let isolation = try isolation()
        let output = try isolation.run(
            query, table: data.path(of: table), rules: rules, limits: WorkerLimits())
        #expect(output.groups == 3 && output.rowsRead == 120)
        let small = try QueryGate.admit(
            "SELECT shop, COUNT(*) FROM sales GROUP BY shop", to: Shops.table)
        let refusal = #expect(throws: GateRefusal.self) {
            try isolation.run(
                small, table: data.path(of: table), rules: rules, limits: WorkerLimits())
        }
        #expect(refusal?.code == .groupTooSmall)
        // Statements that no gate writes: the worker's own guards hold without it.
        func forged(_ sql: String) -> GatedQuery {
            GatedQuery(
                headings: ["x"], columns: [], columnsRead: ["shop"], sql: sql,
                groupSQL: "SELECT 100, 100", contributionSQL: [])
        }
        for sql in [
            "SELECT COUNT(*) FROM sqlite_schema", "SELECT amount FROM t",
            "SELECT load_extension('x')", "ATTACH '/table.db' AS x", "PRAGMA query_only = 0",
            "DELETE FROM t",
            "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x FROM r) SELECT x FROM r",
        ] {
            let refusal = #expect(throws: GateRefusal.self, "\(sql)") {
                try isolation.run(
                    forged(sql), table: data.path(of: table), rules: rules, limits: WorkerLimits())
            }
            #expect(refusal?.code == .sqlRefused, "\(sql)")
        }
        var limits = WorkerLimits()
        limits.wallMsMax = 1_000
        limits.stepsMax = 1_000_000_000_000
        let runaway = forged(
            "SELECT COUNT(*) FROM t a, t b, t c, t d, t e, t f WHERE a.shop < b.shop")
        let ended = #expect(throws: GateRefusal.self) {
            try isolation.run(
                runaway, table: data.path(of: table), rules: rules, limits: limits)
        }
        #expect(ended?.code == .resourceLimit)
    }
}
