import ArgumentParser
import Dispatch
import Foundation
import LedgerCrypto
import LightClient
import Synchronization
import TestLedgers

/// Nodes that lie to whoever follows a ledger: what no quorum signed is not believed, no honest node accused, a fork found once
/// an honest node shows the other side.
struct Liars: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "liars", abstract: "Nodes that lie to a follower. / 说谎节点",
        discussion: """
            Each run is one follower among honest providers and one liar that tells one kind of lie. The table counts the runs of a kind by
            what was told of the liar at last.
            每次运行为一个跟随者、若干诚实节点与一个说谎节点；表中按说谎种类统计结果。
            """)

    @Option(help: "Runs of each kind. / 每种说谎的次数") var seeds: UInt64 = 200
    @Option(help: "First seed. / 起始种子") var first: UInt64 = 1
    @Option(help: "ed25519 or sm2. / 密码套件") var suite = "ed25519"
    @Option(help: "Only lies whose name contains this. / 仅名称含此文本的说谎种类") var only = ""
    @Flag(help: "What the follower was told. / 显示全部通知") var verbose = false

    struct Row {
        var counts: [LiarRun.Outcome: Int] = [:]
        var faults: [String] = []
        var looks = 0
        var roundsMost = 0

        mutating func add(_ run: LiarRun, seed: UInt64) {
            counts[run.outcome, default: 0] += 1
            faults += run.faults.map { "seed \(seed), \($0)" }
            looks += run.looks
            roundsMost = max(roundsMost, run.roundsMost)
        }
    }

    func run() throws {
        guard let suite = ["ed25519": Suite.ed25519SHA256, "sm2": .sm2SM3][suite] else {
            throw ValidationError("--suite is ed25519 or sm2 / --suite 可取 ed25519 或 sm2")
        }
        var total = Row()
        let outcomes = LiarRun.Outcome.allCases
        print(pad("lie", 40) + outcomes.map { pad($0.rawValue, 16) }.joined())
        for lie in Lie.allCases where only.isEmpty || lie.rawValue.contains(only) {
            let row = try attack(lie, suite)
            let cells = outcomes.map { pad(row.counts[$0].map(String.init) ?? ".", 16) }
            print(pad(lie.rawValue, 40) + cells.joined())
            for fault in row.faults { print("  FAULT \(fault)") }
            fflush(nil)
            total.counts.merge(row.counts, uniquingKeysWith: +)
            total.faults += row.faults
            total.looks += row.looks
            total.roundsMost = max(total.roundsMost, row.roundsMost)
        }
        let runs = total.counts.values.reduce(0, +)
        print(
            "\(runs) runs, \(total.looks) looks, at most \(total.roundsMost) rounds in one, \(total.faults.count) faults"
        )
        guard total.faults.isEmpty else { throw ExitCode(1) }
        print("liars: ok")
    }

    private func attack(_ lie: Lie, _ suite: Suite) throws -> Row {
        let lanes = max(1, ProcessInfo.processInfo.activeProcessorCount)
        let (seeds, first, verbose) = (seeds, first, verbose)
        let total = Mutex(Row())
        DispatchQueue.concurrentPerform(iterations: lanes) { lane in
            for seed in first..<first + seeds where seed % UInt64(lanes) == UInt64(lane) {
                do throws(EvidenceProblem) {
                    let run = try LiarRun(lie, seed: seed, suite: suite)
                    if verbose {
                        print(run.transcript.map { "  \(seed), \($0)" }.joined(separator: "\n"))
                    }
                    total.withLock { $0.add(run, seed: seed) }
                } catch {
                    total.withLock { $0.faults.append("seed \(seed): \(error.description)") }
                }
            }
        }
        return total.withLock { $0 }
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
