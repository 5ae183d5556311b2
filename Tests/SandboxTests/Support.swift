import Foundation
import LedgerCrypto
import Policy
import Records
import SQLite

@testable import Sandbox

/// A folder that goes when the test is over.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/huijin-sandbox-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    /// A database that is just being closed takes its log away itself, which ends a removal that was about to: then it goes on.
    deinit {
        for _ in 0..<10 where FileManager.default.fileExists(atPath: path) {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    func write(_ text: String, _ name: String = "table.csv") throws -> String {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(filePath: file))
        return file
    }
}

/// SplitMix64: the same numbers from the same seed on every machine.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// 120 rows: 30 shops in 3 cities over 4 months, each row with a text that no other row has.
enum Shops {
    static let header = "shop,city,month,amount,score,secret"
    static let table = GateTable(
        name: "sales", columns: ["shop", "city", "month", "amount", "score", "secret"],
        entityKey: "shop", scope: ["amount", "city", "month", "score", "secret", "shop"])

    static var csv: String {
        var lines = [header]
        for shop in 0..<30 {
            for month in 1...4 {
                let amount = 100 + (shop * 37 + month * 11) % 53
                let score = Double((shop * 7 + month) % 10) / 4
                lines.append(
                    "S\(shop),city\(shop % 3),\(month),\(amount),\(score),secret-\(shop)-\(month)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    static func load(_ folder: TemporaryFolder) throws -> (SandboxFolder, LoadedTable) {
        let data = try SandboxFolder(folder.path + "/data")
        let loader = TableLoader(folder: data, suite: .ed25519SHA256)
        return (data, try loader.load(try folder.write(csv), as: "sales", entityKey: "shop").table)
    }
}

/// 20 shops in 2 cities; one has nearly all of `skew`, three have a `rare`, and `huge` adds up to more than 64 bits.
enum Skewed {
    static let table = GateTable(
        name: "sales", columns: ["shop", "city", "month", "amount", "skew", "rare", "huge"],
        entityKey: "shop",
        scope: ["amount", "city", "huge", "month", "rare", "shop", "skew"])

    static var csv: String {
        var lines = ["shop,city,month,amount,skew,rare,huge"]
        for shop in 0..<20 {
            let skew = shop < 2 ? 1_000_000 : 1
            let rare = shop < 3 ? "7" : ""
            lines.append(
                "S\(shop),city\(shop % 2),3,\(100 + shop),\(skew * (shop + 1) * (shop + 1) * (shop + 1)),\(rare),4000000000000000000"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// A year of months, one row for every second hour of ten days each.
enum Weather {
    static let table = GateTable(
        name: "observations", columns: ["month", "hour", "temp", "time_hour"], entityKey: nil,
        scope: ["hour", "month", "temp", "time_hour"])

    static var csv: String {
        var lines = ["month,hour,temp,time_hour"]
        for month in 1...12 {
            for day in 1...10 {
                for hour in stride(from: 0, to: 24, by: 2) {
                    lines.append(
                        "\(month),\(hour),\(30 + (month * 7 + day + hour) % 40).5,2013-\(month)-\(day)T\(hour)"
                    )
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// Runs a gated query in this process, without isolation.
struct Bench {
    let folder = try? TemporaryFolder()
    let file: String
    var limits = WorkerLimits()

    init(csv: String = Shops.csv, entityKey: String? = "shop") throws {
        guard let folder else { throw CocoaError(.fileNoSuchFile) }
        let data = try SandboxFolder(folder.path + "/data")
        let loader = TableLoader(folder: data, suite: .ed25519SHA256)
        let table = try loader.load(try folder.write(csv), as: "bench", entityKey: entityKey).table
        file = data.path(of: table)
    }

    func answer(
        _ sql: String, table: GateTable = Shops.table, minimum: UInt64 = 5, dominance: UInt64 = 80
    ) throws -> WorkerAnswer {
        let query = try QueryGate.admit(sql, to: table)
        guard let rules = DisclosureRules(groupMinimum: minimum, dominancePercent: dominance)
        else { throw CocoaError(.coderInvalidValue) }
        return QueryRun(
            job: WorkerJob(tablePath: file, query: query, rules: rules, limits: limits)
        ).answer()
    }

    func code(
        _ sql: String, table: GateTable = Shops.table, minimum: UInt64 = 5, dominance: UInt64 = 80
    ) throws -> OutcomeCode {
        switch try answer(sql, table: table, minimum: minimum, dominance: dominance) {
        case .refused(let code, _, _): code
        case .output, .selfTest: .accepted
        }
    }
}
