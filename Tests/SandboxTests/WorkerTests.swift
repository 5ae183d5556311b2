import Encoding
import Foundation
import Policy
import Records
import SQLite
import Testing

@testable import Sandbox

@Suite struct WorkerTests {
    /// The worker's output equals what plain SQLite gives for the buyer's own text.
    @Test(arguments: [
        "SELECT city, COUNT(*), AVG(amount) FROM sales GROUP BY city ORDER BY city",
        "SELECT month, city, SUM(amount * 2.5), COUNT(DISTINCT shop) FROM sales WHERE amount > 110 GROUP BY month, city ORDER BY month, city",
        "SELECT COUNT(*), SUM(amount) / COUNT(*), ROUND(AVG(score), 3) FROM sales WHERE city IN ('city0', 'city2') AND NOT month = 4",
        "SELECT city, SUM(score) AS s FROM sales GROUP BY city HAVING SUM(score) > 1 ORDER BY s DESC, city LIMIT 2",
        "SELECT COUNT(secret), -SUM(amount) FROM sales WHERE secret LIKE 'secret-%' AND month BETWEEN 2 AND 3 AND score IS NOT NULL",
    ])
    func sameAsSQLite(_ sql: String) throws {
        let bench = try Bench()
        guard case .output(let output) = try bench.answer(sql) else {
            Issue.record("refused: \(try bench.answer(sql))")
            return
        }
        let plain = try Database(path: bench.file, access: .readOnly)
        let statement = try plain.prepare(
            sql.replacingOccurrences(of: "FROM sales", with: "FROM t"))
        var rows: [CBORValue] = []
        while try statement.step() {
            let values: [CBORValue] = try (0..<statement.columnCount).map { column in
                switch try statement.value(column) {
                case .null: .null
                case .integer(let number): CBORValue(number)
                case .real(let number): .text("\(number)")
                case .text(let text): .text(text)
                case .blob(let bytes): .bytes(bytes)
                }
            }
            rows.append(.array(values))
        }
        let decoded = try CBORValue.decode(output.bytes)
        guard case .array(let parts) = decoded, parts.count == 2 else {
            Issue.record("not [headings, rows]")
            return
        }
        #expect(parts[1] == .array(rows))
        #expect(output.groups == UInt64(rows.count))
    }

    @Test func groupsBelowTheMinimumRefuseTheWholeJob() throws {
        let bench = try Bench()
        let byShop = "SELECT shop, COUNT(*) FROM sales GROUP BY shop"
        #expect(try bench.code(byShop) == .groupTooSmall)
        // Ten shops in each city.
        let byCity = "SELECT city, COUNT(*) FROM sales GROUP BY city"
        #expect(try bench.code(byCity, minimum: 10) == .accepted)
        #expect(try bench.code(byCity, minimum: 11) == .groupTooSmall)
        // Neither HAVING nor LIMIT hides a small group, and no group at all is one of nobody.
        #expect(
            try bench.code(byShop + " HAVING COUNT(*) > 100") == .groupTooSmall)
        #expect(try bench.code(byShop + " LIMIT 0") == .groupTooSmall)
        #expect(
            try bench.code("SELECT COUNT(*) FROM sales WHERE city = 'nowhere'") == .groupTooSmall)
        #expect(
            try bench.code("SELECT city, COUNT(*) FROM sales WHERE city = 'x' GROUP BY city")
                == .groupTooSmall)
    }

    /// Small groups, none, a dominating entity, too few values and overflow: the same answer to the last byte.
    @Test(arguments: [
        "SELECT shop, COUNT(*) FROM sales GROUP BY shop",
        "SELECT COUNT(*) FROM sales WHERE shop = 'S1' AND month = 3 AND amount = 105",
        "SELECT COUNT(*) FROM sales WHERE city = 'nowhere'",
        "SELECT city, COUNT(*) FROM sales WHERE city = 'x' GROUP BY city",
        "SELECT city, COUNT(*) FROM sales WHERE shop IN ('S0', 'S3', 'S1') GROUP BY city",
        "SELECT SUM(skew) FROM sales", "SELECT AVG(skew * 2) FROM sales",
        "SELECT city, COUNT(*) FROM sales GROUP BY city HAVING SUM(skew) > 0",
        "SELECT city, COUNT(*) FROM sales GROUP BY city ORDER BY AVG(skew)",
        "SELECT COUNT(rare), COUNT(*) FROM sales", "SELECT COUNT(DISTINCT rare) FROM sales",
        "SELECT SUM(rare) FROM sales", "SELECT COUNT(*) / COUNT(rare) FROM sales",
        "SELECT COUNT(rare) FROM sales WHERE rare IS NULL",
        "SELECT city, COUNT(*) FROM sales GROUP BY city HAVING COUNT(rare) > 0",
        "SELECT city, COUNT(*) FROM sales GROUP BY city ORDER BY COUNT(rare)",
        "SELECT SUM(huge) FROM sales",
    ])
    func oneAnswerToAllThatIsWithheld(_ sql: String) throws {
        #expect(try Bench(csv: Skewed.csv).answer(sql, table: Skewed.table) == QueryRun.withheld)
    }

    /// The same table, with nothing to withhold.
    @Test(arguments: [
        "SELECT COUNT(amount), COUNT(*), AVG(amount / 2) FROM sales",
        "SELECT city, COUNT(DISTINCT shop) FROM sales GROUP BY city HAVING COUNT(amount) > 1 ORDER BY SUM(amount)",
        "SELECT AVG(huge) FROM sales", "SELECT COUNT(skew) FROM sales",
    ])
    func releasedFromTheSameTable(_ sql: String) throws {
        guard case .output = try Bench(csv: Skewed.csv).answer(sql, table: Skewed.table) else {
            Issue.record("refused: \(sql)")
            return
        }
    }

    /// Every pattern that the gate lets in runs: one that failed when a row meets it would show that there is such a row.
    @Test func patternsAreBoundedBeforeTheyRun() throws {
        let bench = try Bench()
        func query(_ bytes: Int) -> String {
            let pattern = String(repeating: "%", count: bytes)
            return
                "SELECT COUNT(*) FROM sales WHERE shop = 'S1' AND city LIKE '\(pattern)' OR month > 1"
        }
        #expect(try bench.code(query(Lexer.textBytesMax)) == .accepted)
        let refusal = #expect(throws: GateRefusal.self) {
            try bench.answer(query(Lexer.textBytesMax + 1))
        }
        #expect(refusal?.code == .sqlRefused)
    }

    /// U+0600 and what follows it are one `Character`, and so are a mark and the U+0301 behind it: the text stays one text, and
    /// nothing in it is run, such as a question about a single row.
    @Test(arguments: ["\u{600}''", "''\u{301}"])
    func aTextEndsWhereItsMarkIs(_ mark: String) throws {
        let query =
            "SELECT COUNT(amount), COUNT(month) FROM sales WHERE city = "
            + "'\(mark)) OR (SELECT amount FROM t WHERE month = 1) > 99 --'"
        #expect(try Bench().answer(query) == QueryRun.withheld)
    }

    /// Whole numbers are not cut off by a divisor: the sum would be about the values above it alone.
    @Test func divisorsAreReal() throws {
        guard
            case .output(let output) = try Bench().answer("SELECT SUM(month / 4) FROM sales"),
            case .array(let parts) = try CBORValue.decode(output.bytes)
        else {
            Issue.record("refused")
            return
        }
        // 30 shops, months 1 to 4.
        #expect(parts[1] == .array([.array([.text("75.0")])]))
    }

    /// The queries of the demonstration: hourly weather of a year, each row an entity of its own.
    @Test func demonstration() throws {
        let bench = try Bench(csv: Weather.csv, entityKey: nil)
        #expect(
            try bench.code(
                "SELECT \"month\", COUNT(*) AS n, AVG(\"temp\") AS average FROM \"observations\" GROUP BY \"month\" ORDER BY \"month\"",
                table: Weather.table) == .accepted)
        #expect(
            try bench.code(
                "SELECT \"time_hour\", COUNT(*) AS n FROM \"observations\" GROUP BY \"time_hour\"",
                table: Weather.table) == .groupTooSmall)
        for (sql, code) in [
            (
                "SELECT \"month\", \"hour\", \"temp\" FROM \"observations\"",
                OutcomeCode.rowLevelOutput
            ),
            (
                "SELECT COUNT(1/(1/(1+(month-3)*(month-3)))) AS one, COUNT(*) FROM observations",
                .sqlRefused
            ),
            (
                "SELECT SUM(temp*(1/(1+(hour-7)*(hour-7)))+1000000)-1000000*COUNT(temp) FROM observations",
                .sqlRefused
            ),
        ] {
            let refusal = #expect(throws: GateRefusal.self) {
                try QueryGate.admit(sql, to: Weather.table)
            }
            #expect(refusal?.code == code, "\(sql)")
        }
    }

    @Test func infinityCountsAsDominated() {
        let (total, largest) = QueryRun.scaled(total: .infinity, largest: 1)
        #expect(total == largest && total > 0)
        #expect(QueryRun.scaled(total: 0, largest: 0) == (0, 0))
        let (all, half) = QueryRun.scaled(total: 10, largest: 5)
        #expect(half * 2 == all)
    }

    @Test func budgetsStopARunawayQuery() throws {
        var bench = try Bench()
        bench.limits.stepsMax = 1_000
        let sql = "SELECT city, SUM(amount) FROM sales GROUP BY city"
        #expect(try bench.code(sql) == .resourceLimit)
        bench.limits.stepsMax = 10_000_000
        #expect(try bench.code(sql) == .accepted)
        bench.limits.outputBytesMax = 20
        #expect(try bench.code(sql) == .outputTooLarge)
    }

    /// Queries of random words: the gate and the worker never crash, and no row's own text ever leaves.
    @Test func randomQueries() throws {
        var random = Seeded(state: 0xC0FFEE)
        let words = [
            "SELECT", "FROM", "WHERE", "GROUP", "BY", "HAVING", "ORDER", "LIMIT", "AND", "OR",
            "NOT",
            "IN", "BETWEEN", "LIKE", "IS", "NULL", "AS", "DESC", "COUNT", "SUM", "AVG", "MIN",
            "MAX",
            "ROUND", "DISTINCT", "(", ")", ",", "*", "+", "-", "/", "=", "<", ">", "<>", ";", ".",
            "1", "2.5", "'city0'", "sales", "shop", "city", "month", "amount", "score", "secret",
            "\"secret\"", "n", "rowid", "UNION", "'", "\"", "\u{4E2D}", "\u{0}", "--",
        ]
        let bench = try Bench()
        var released = 0
        for _ in 0..<3_000 {
            var sql = ""
            if Bool.random(using: &random) {
                // Of the grammar's shape, so that many get through.
                func pick(_ list: [String]) -> String { list.randomElement(using: &random) ?? "" }
                let columns = ["shop", "city", "month", "amount", "score", "secret"]
                let group = pick(columns)
                let aggregate = {
                    pick([
                        "COUNT(*)", "SUM(\(pick(columns)))", "AVG(\(pick(columns)) * 2)", "secret",
                    ])
                }
                sql =
                    "SELECT \(pick([group, pick(columns), aggregate()])), \(aggregate()) FROM sales"
                if Bool.random(using: &random) {
                    sql += " WHERE \(pick(columns)) > '\(pick(["a", "1"]))'"
                }
                if Bool.random(using: &random) { sql += " GROUP BY \(group)" }
                if Bool.random(using: &random) { sql += " ORDER BY \(aggregate()) LIMIT 5" }
            } else {
                for _ in 0..<Int.random(in: 1...24, using: &random) {
                    sql += (words.randomElement(using: &random) ?? "") + " "
                }
                if Bool.random(using: &random) { sql = "SELECT COUNT(*) FROM sales " + sql }
            }
            guard let answer = try? bench.answer(sql, minimum: 3) else { continue }
            if case .output(let output) = answer {
                released += 1
                // Headings repeat the query; the rows follow them.
                guard case .array(let parts) = try CBORValue.decode(output.bytes) else { continue }
                #expect(!parts[1].diagnostic.contains("secret-"), "\(sql)")
            }
        }
        #expect(released > 50)
    }

    @Test func messagesSurviveTheirEncoding() throws {
        let query = try QueryGate.admit(
            "SELECT city, SUM(amount) FROM sales GROUP BY city", to: Shops.table)
        let rules = try #require(DisclosureRules(groupMinimum: 5, dominancePercent: 80))
        let requests: [WorkerRequest] = [
            .selfTest(port: 80, files: ["/a", "/b"], process: 77),
            .run(WorkerJob(tablePath: "/t", query: query, rules: rules, limits: WorkerLimits())),
        ]
        for request in requests {
            let bytes = request.encoded
            #expect(try WorkerRequest.decode(bytes) == request)
            for cut in bytes.indices {
                #expect(throws: CBORError.self) {
                    try WorkerRequest.decode(Array(bytes[..<cut]))
                }
            }
        }
        // Limits beyond those with which a worker can reckon.
        var limits = WorkerLimits()
        limits.memoryBytesMax = .max
        let endless = WorkerJob(tablePath: "/t", query: query, rules: rules, limits: limits)
        #expect(throws: CBORError.self) {
            try WorkerRequest.decode(WorkerRequest.run(endless).encoded)
        }
        let answers: [WorkerAnswer] = [
            .selfTest(reached: ["x"]), .refused(.groupTooSmall, english: "e", chinese: "中"),
            .output(JobOutput(bytes: [1, 2], groups: 3, rowsRead: 4, operations: 5)),
        ]
        for answer in answers {
            let bytes = answer.encoded
            #expect(try WorkerAnswer.decode(bytes) == answer)
            #expect(throws: CBORError.self) { try WorkerAnswer.decode(bytes + [0]) }
            for cut in bytes.indices {
                #expect(throws: CBORError.self) { try WorkerAnswer.decode(Array(bytes[..<cut])) }
            }
        }
    }
}
