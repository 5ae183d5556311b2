import Encoding
import Foundation
import FuzzKit
import LedgerCrypto
import Policy
import Sandbox

/// What providers load, buyers ask, and a worker is told and tells.
enum SandboxTargets {
    static func all(_ setting: Setting) throws -> [Subject] {
        let (file, shops) = try shops(setting)
        return [csv, table(setting), query(file, shops)] + worker(file, shops)
    }

    /// 12 shops in 2 cities, so that some groups are large enough and some are not.
    private static func shops(_ setting: Setting) throws -> (file: String, table: GateTable) {
        var text = "shop,city,month,amount,note\n"
        for number in 0..<72 {
            text +=
                "S\(number % 12),city\(number % 2),\(number / 12),\(100 + number % 53),n\(number % 3)\n"
        }
        let file = try setting.scratch.write("shops.csv", Array(text.utf8))
        let folder = try SandboxFolder(try setting.scratch.folder("shops"))
        let loaded = try TableLoader(folder: folder, suite: .ed25519SHA256)
            .load(file, as: "sales", entityKey: "shop").table
        let columns = loaded.columns.map(\.name)
        let table = GateTable(name: "sales", columns: columns, entityKey: "shop", scope: columns)
        return (folder.path(of: loaded), table)
    }

    // MARK: Tables

    private static let tables = [
        "name,city,数量,price\r\n\"a \"\"b\"\", c\",Wien,1,1.5\r\nd,,NA,2\r\n",
        "\u{FEFF}a,a,A,rowid,\"line\nbreak\"\n1,2,3,4,5\n-1,007,1e5,NULL,\\N\n\n6,7,8,9,\"\"\n",
    ]

    /// The same rows, whatever pieces the file comes in.
    private static var csv: Subject {
        subject("csv", tables) { input in
            let whole = rows(input, piece: input.count + 1)
            guard rows(input, piece: 1 + input.count % 5) == whole else { return .different }
            return whole.contains { $0.hasPrefix("bad") } ? .refused : .same
        }
    }

    private static func rows(_ input: [UInt8], piece: Int) -> [String] {
        var rest = input[...]
        var reader = CSVReader(limits: CSVLimits()) {
            defer { rest = rest.dropFirst(piece) }
            return Array(rest.prefix(piece))
        }
        var found: [String] = []
        while true {
            do {
                guard let row = try reader.next() else { return found }
                found.append("\(row.line) \(row.fields)")
            } catch {
                found.append("bad \(error)")
            }
        }
    }

    /// What is loaded is loaded once: a second time it is the same table. Nothing fails but for what the file says.
    private static func table(_ setting: Setting) -> Subject {
        let path = setting.scratch.path + "/tables"
        let file = setting.scratch.path + "/table.csv"
        var loads = 0
        func load() throws -> LoadResult {
            var loader = TableLoader(folder: try SandboxFolder(path), suite: .ed25519SHA256)
            loader.skipsBadRows = true
            return try loader.load(file, as: "t1")
        }
        return subject("table", tables) { input in
            do {
                if loads % 256 == 0 { try? FileManager.default.removeItem(atPath: path) }
                loads += 1
                try Data(input).write(to: URL(filePath: file))
                let (first, second) = (try load(), try load())
                return !second.isNew && second.table == first.table ? .same : .different
            } catch LoadError.noHeader, LoadError.noRows, LoadError.badRows, LoadError.noEntityKey {
                return .refused
            } catch {
                return .different
            }
        }
    }

    // MARK: Queries

    private static let queries = [
        "SELECT city, COUNT(*) AS n, AVG(amount) FROM sales WHERE month >= 1 GROUP BY city ORDER BY n DESC LIMIT 3;",
        "select COUNT(DISTINCT shop), -SUM(-amount / 2.5), round(100 * SUM(amount) / COUNT(*), 2) FROM \"sales\" WHERE NOT city LIKE 'x%' AND (note IN ('n1', 'it''s', -3) OR amount BETWEEN -1 AND 1.5e3 OR note IS NOT NULL)",
        "SELECT month, city, MAX(amount) FROM sales GROUP BY month, city HAVING COUNT(*) > 3 AND SUM(amount) / COUNT(note) > -1.5 ORDER BY 2, AVG(amount) / 2",
        // U+0600 and the mark behind it are one `Character`, which once was not doubled.
        "SELECT COUNT(amount) FROM sales WHERE city = '\u{600}'') OR amount > 1 --'",
    ]

    /// Whatever the gate lets through the database can run: what is written is one statement of ours, with the buyer's texts in
    /// it as texts.
    private static func query(_ file: String, _ table: GateTable) -> Subject {
        subject("query", queries) { input in
            guard let sql = String(validating: input, as: UTF8.self),
                let job = try? job(sql, file, table)
            else { return .refused }
            switch QueryRun(job: job).answer() {
            case .output: return .same
            case .refused(let code, _, _): return code == .sqlRefused ? .different : .same
            case .selfTest: return .different
            }
        }
    }

    private static func job(
        _ sql: String, _ file: String, _ table: GateTable
    ) throws -> WorkerJob {
        guard let rules = DisclosureRules(groupMinimum: 2, dominancePercent: 100) else {
            preconditionFailure("the least minimum is one")
        }
        let query = try QueryGate.admit(sql, to: table, allowsExtremes: true)
        return WorkerJob(tablePath: file, query: query, rules: rules, limits: WorkerLimits())
    }

    // MARK: Worker

    private static func worker(_ file: String, _ table: GateTable) -> [Subject] {
        let jobs = queries.compactMap { try? job($0, file, table) }
        let requests: [WorkerRequest] =
            jobs.map { .run($0) } + [.selfTest(port: 9, files: ["/etc/shadow"], process: 7)]
        let answers: [WorkerAnswer] =
            jobs.map { QueryRun(job: $0).answer() } + [.selfTest(reached: ["network"])]
        return [
            (
                .decoder("worker request", WorkerRequest.self, limits: WorkerRequest.limits),
                requests.map(\.encoded)
            ),
            (
                .decoder(
                    "worker answer", WorkerAnswer.self,
                    limits: WorkerAnswer.limits(outputBytesMax: WorkerLimits().outputBytesMax)),
                answers.map(\.encoded)
            ),
        ]
    }
}
