import Records
import Testing

@testable import Sandbox

@Suite struct GateTests {
    private func code(_ sql: String, extremes: Bool = false) -> OutcomeCode {
        do {
            _ = try QueryGate.admit(sql, to: Shops.table, allowsExtremes: extremes)
            return .accepted
        } catch {
            return error.code
        }
    }

    @Test(arguments: [
        "SELECT COUNT(*) FROM sales",
        "select city, count(*) as n, avg(amount) from \"sales\" group by city order by n desc limit 3;",
        "SELECT city, month, 100.0 * SUM(amount * 2) / COUNT(*) FROM sales GROUP BY city, month",
        "SELECT COUNT(DISTINCT shop) FROM sales WHERE month BETWEEN 1 AND 3 AND NOT city LIKE 'x%'",
        "SELECT city, ROUND(AVG(score), 2) FROM sales WHERE month IN (1, 2, -3) OR secret IS NOT NULL GROUP BY city HAVING COUNT(*) > 3 ORDER BY 2",
        "SELECT city || '' FROM sales".replacingOccurrences(of: " || ''", with: ", COUNT(*)")
            + " GROUP BY city",
        "SELECT -SUM(-amount) FROM sales WHERE (amount > 1.5e1 OR amount <> 3) AND city = 'it''s'",
        "SELECT ROUND((SUM(2.5 * amount) / SUM(score / -4)) * 100, 1) FROM sales",
        "SELECT city, COUNT(amount) FROM sales GROUP BY city HAVING SUM(amount) / COUNT(*) > -1.5 AND NOT city IN ('a') ORDER BY AVG(score) / 2",
    ])
    func admitted(_ sql: String) {
        #expect(code(sql) == .accepted)
    }

    @Test(arguments: [
        "SELECT shop, amount FROM sales", "SELECT * FROM sales",
        "SELECT city FROM sales GROUP BY city",
        "SELECT amount, COUNT(*) FROM sales GROUP BY city", "SELECT secret, COUNT(*) FROM sales",
        "SELECT 1 FROM sales",
        "SELECT COUNT(*), * FROM sales", "SELECT shop FROM sales WHERE shop = 'S1' LIMIT 1",
    ])
    func rowLevel(_ sql: String) {
        #expect(code(sql) == .rowLevelOutput)
    }

    @Test(arguments: [
        "", ";", "SELECT", "PRAGMA table_info(t)", "ATTACH 'x' AS y", "DELETE FROM sales",
        "WITH x AS (SELECT 1) SELECT COUNT(*) FROM x", "SELECT COUNT(*) FROM sales, sales",
        "SELECT COUNT(*) FROM sales JOIN sales", "SELECT COUNT(*) FROM other",
        "SELECT COUNT(*) FROM sqlite_schema", "SELECT COUNT(*) FROM main.sales",
        "SELECT COUNT(*) FROM (SELECT * FROM sales)", "SELECT COUNT(*) FROM sales; SELECT 1",
        "SELECT COUNT(*) FROM sales WHERE amount IN (SELECT 1)",
        "SELECT (SELECT COUNT(*) FROM sales) FROM sales", "SELECT DISTINCT city FROM sales",
        "SELECT COUNT(*) FROM sales UNION SELECT 1", "SELECT GROUP_CONCAT(shop) FROM sales",
        "SELECT SUM(COUNT(*)) FROM sales", "SELECT COUNT(*) FROM sales WHERE COUNT(*) > 1",
        "SELECT COUNT(*) FROM sales -- x", "SELECT COUNT(*) /* x */ FROM sales",
        "SELECT COUNT(*) FROM sales WHERE rowid = 1", "SELECT COUNT(*) FROM sales WHERE ?",
        "SELECT COUNT(*) FROM sales WHERE city = 'open", "SELECT COUNT(*) FROM sales WHERE city",
        "SELECT SUM(amount = 3) FROM sales", "SELECT SUM(amount > 3 OR 1 = 1) FROM sales",
        "SELECT COUNT(*) FROM sales HAVING COUNT(*) > 1", "SELECT COUNT(*) FROM sales LIMIT -1",
        "SELECT COUNT(*) OVER () FROM sales", "SELECT CAST(COUNT(*) AS TEXT) FROM sales",
        "SELECT load_extension('x') FROM sales", "SELECT COUNT(*) FROM sales ORDER BY amount",
        "SELECT COUNT(*) FROM sales WHERE amount > 99999999999999999999",
        "SELECT MIN(amount) FROM sales",
        "SELECT city, MAX(amount) FROM sales GROUP BY city",
        "SELECT COUNT(*) FROM sales WHERE x'00' = 1",
        "SELECT SUM(amount) FILTER (WHERE city = 'a') FROM sales", "SELECT nothing FROM sales",
        "SELECT CASE WHEN 1 THEN COUNT(*) END FROM sales", "EXPLAIN SELECT COUNT(*) FROM sales",
        "SELECT ROUND(amount) FROM sales WHERE ROUND(amount) = 1",
        "SELECT COUNT(*) FROM sales WHERE 1 = 1 = 1", "SELECT city FROM sales GROUP BY city + 1",
    ])
    func refused(_ sql: String) {
        #expect(code(sql) == .sqlRefused, "\(sql)")
    }

    /// Arithmetic that would hide single values, or whom a sum is about, from the disclosure rules.
    @Test(arguments: [
        // A constant that drowns a value's share, taken off again outside.
        "SELECT SUM(amount * (1 / (1 + (month - 7) * (month - 7))) + 1000000) - 1000000 * COUNT(amount) FROM sales",
        "SELECT SUM(amount + 1000000) FROM sales", "SELECT SUM(amount) - 1000000 FROM sales",
        "SELECT SUM(amount) - SUM(score) FROM sales", "SELECT SUM(amount) * COUNT(*) FROM sales",
        "SELECT SUM(amount) / COUNT(*) / COUNT(*) FROM sales",
        // Null but for one row.
        "SELECT COUNT(1 / (1 / (1 + (month - 3) * (month - 3)))) AS one, COUNT(*) FROM sales",
        "SELECT COUNT(DISTINCT amount / (month - 3)) FROM sales",
        "SELECT COUNT(amount / 2) FROM sales",
        "SELECT COUNT(1) FROM sales", "SELECT COUNT(DISTINCT amount / 100) FROM sales",
        "SELECT SUM(amount * score) FROM sales", "SELECT SUM(amount / score) FROM sales",
        "SELECT SUM(2 / amount) FROM sales", "SELECT SUM((amount)) FROM sales",
        "SELECT SUM(amount * 2 * 2) FROM sales", "SELECT SUM(2 * amount / 3) FROM sales",
        // Products cut off at 0 or infinity are comparisons.
        "SELECT SUM(amount * 1e-320) FROM sales", "SELECT SUM(amount / 1e307) FROM sales",
        "SELECT SUM(amount * 0) FROM sales", "SELECT SUM(1e308 * amount) FROM sales",
        "SELECT COUNT(*) FROM sales WHERE amount + 0 > 1",
        "SELECT COUNT(*) FROM sales WHERE amount > month",
        "SELECT COUNT(*) FROM sales WHERE 1 / (amount - 105) IS NULL",
        "SELECT COUNT(*) FROM sales WHERE amount BETWEEN month AND 3",
        "SELECT COUNT(*) FROM sales WHERE -amount < 3",
        "SELECT COUNT(*) FROM sales WHERE amount > 1 + 1",
        "SELECT COUNT(*) FROM sales WHERE 1 = 1",
        "SELECT COUNT(*) FROM sales WHERE ROUND(amount) = 1",
        "SELECT COUNT(*) FROM sales GROUP BY city HAVING SUM(1 / (1 + (amount - 105) * (amount - 105))) > 0",
        "SELECT COUNT(*) FROM sales GROUP BY city HAVING SUM(amount) > SUM(score)",
        "SELECT COUNT(*) FROM sales GROUP BY city ORDER BY AVG(1 / (1 + (amount - 105) * (amount - 105)))",
        "SELECT month * 2, COUNT(*) FROM sales GROUP BY month",
        "SELECT amount + COUNT(*) FROM sales",
        "SELECT -month, COUNT(*) FROM sales GROUP BY month",
    ])
    func arithmetic(_ sql: String) {
        let refusal = #expect(throws: GateRefusal.self, "\(sql)") {
            try QueryGate.admit(sql, to: Shops.table)
        }
        #expect(refusal?.code == .sqlRefused, "\(sql)")
        #expect((refusal?.position ?? 0) > 1, "\(sql)")
    }

    @Test func refusalsSayWhere() throws {
        let refusal = #expect(throws: GateRefusal.self) {
            try QueryGate.admit("SELECT COUNT(*) FROM sales JOIN x", to: Shops.table)
        }
        #expect(refusal?.position == 28)
        #expect(refusal?.english.contains("GROUP BY") == true)
    }

    @Test func extremesNeedThePolicy() {
        #expect(code("SELECT MAX(amount) FROM sales", extremes: true) == .accepted)
    }

    @Test func columnsOutsideTheLicence() {
        let narrow = GateTable(
            name: "sales", columns: Shops.table.columns, entityKey: "shop", scope: ["city"])
        for sql in [
            "SELECT AVG(amount) FROM sales", "SELECT COUNT(*) FROM sales WHERE Amount > 1",
            "SELECT COUNT(*) FROM sales GROUP BY month",
            "SELECT COUNT(*) FROM sales ORDER BY SUM(score)",
        ] {
            let refusal = #expect(throws: GateRefusal.self) {
                try QueryGate.admit(sql, to: narrow)
            }
            #expect(refusal?.code == .scopeNotPermitted)
        }
        #expect(throws: Never.self) {
            try QueryGate.admit("SELECT city, COUNT(*) FROM sales GROUP BY city", to: narrow)
        }
    }

    @Test func depthAndLengthAreBounded() {
        let deep = String(repeating: "(", count: 5_000) + "1" + String(repeating: ")", count: 5_000)
        #expect(code("SELECT COUNT(*) FROM sales WHERE \(deep) = 1") == .sqlRefused)
        let minus = String(repeating: "- ", count: 3_000)
        #expect(code("SELECT SUM(\(minus)amount) FROM sales") == .sqlRefused)
        let sum = Array(repeating: "amount", count: 1_500).joined(separator: "+")
        #expect(code("SELECT SUM(\(sum)) FROM sales") == .sqlRefused)
        let not = String(repeating: "NOT ", count: 3_000)
        #expect(code("SELECT COUNT(*) FROM sales WHERE \(not)city = 'a'") == .sqlRefused)
        let many = Array(repeating: "city = 'a'", count: 1_000).joined(separator: " OR ")
        #expect(code("SELECT COUNT(*) FROM sales WHERE \(many)") == .sqlRefused)
    }
}
