import Client
import Foundation
import LedgerCrypto

/// One JSON object a line on standard output.
enum Report {
    static func line(_ name: String, _ fields: [(String, JSONValue)]) {
        let head = [JSONValue.JSONMember("bench", .text(name))]
        let object = JSONValue.object(head + fields.map { .init($0.0, $0.1) })
        try? FileHandle.standardOutput.write(contentsOf: Data((object.encodedText + "\n").utf8))
    }

    static func progress(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }

    static func machine() {
        let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
        line(
            "machine",
            [
                ("cores", .unsigned(UInt64(ProcessInfo.processInfo.activeProcessorCount))),
                (
                    "processor",
                    .text(model.map { String($0.drop { $0 != ":" }.dropFirst(2)) } ?? "")
                ),
                ("date", .text(ISO8601DateFormatter().string(from: Date()))),
            ])
    }

    /// - Parameter ceiling: of individually signed transactions, which batches may exceed.
    static func throughput(
        _ figures: Load.Figures, open: Int, batch: Int, validators: Int, ceiling: Double,
        suite: Suite
    ) {
        line(
            batch > 1 ? "throughput-batch" : "throughput",
            [
                ("suite", .text(suite.name)),
                ("validators", .unsigned(UInt64(validators))),
                ("openRequests", .unsigned(UInt64(open))),
                ("batch", .unsigned(UInt64(batch))),
                ("transactionsPerSecond", .real(figures.perSecond)),
                ("verificationCeiling", .real(ceiling)),
                ("shareOfCeiling", .real(figures.perSecond / ceiling)),
                ("p50Ms", .real(figures.latencies.percentile(50))),
                ("p99Ms", .real(figures.latencies.percentile(99))),
                ("seconds", .real(figures.seconds)),
                ("accepted", .unsigned(UInt64(figures.accepted))),
                ("refused", .unsigned(UInt64(figures.refused))),
                ("blocks", .unsigned(figures.blocks)),
                ("generatorCores", .real(figures.generatorCPUSeconds / figures.seconds)),
            ])
    }
}

extension [Double] {
    /// Nearest rank; 0 of nothing.
    func percentile(_ percent: Int) -> Double {
        guard !isEmpty else { return 0 }
        return sorted()[Swift.min(count - 1, count * percent / 100)]
    }
}
