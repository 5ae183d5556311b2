import ArgumentParser
import Foundation
import Ledger
import LedgerCrypto

@main
struct HuijinBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "huijin-bench",
        abstract: "Real networks on this machine, measured and mistreated. / 本机真实网络的测量与故障注入",
        subcommands: [
            Bench.self, Chaos.self, DelayedLinks.self, Soak.self, StateSync.self, Verification.self,
        ],
        defaultSubcommand: Bench.self)
}

/// Measures a real network on this machine: four `huijind` processes, their disks and sockets, and a load that is
/// signed beforehand and posted from here. One JSON object a line on standard output, progress on standard error.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Measure the ledger. / 性能测量",
        discussion: """
            Parts: throughput, latency, disk, replay; all of them where none is named.
            项目:throughput 吞吐、latency 时延、disk 磁盘占用、replay 重放;不指定则全部测量。
            """)

    enum Part: String, ExpressibleByArgument, CaseIterable {
        case throughput
        case latency
        case disk
        case replay
    }

    @Argument(help: "What to measure. / 测量项") var parts: [Part] = []
    @Option(help: "ed25519 or sm2. / 密码套件") var suite = "ed25519"
    @Option(help: "Validators. / 记账节点数") var validators = 4
    @Option(help: "Seconds of each load. / 每段负载秒数") var seconds = 12.0
    @Option(help: "Seconds without load, for the growth of an idle day. / 空闲秒数") var idleSeconds =
        60.0
    @Option(help: "Requests of up to 100 transactions that are open at a time. / 并发请求数")
    var open: [Int] = [4, 8, 16]
    @Option(help: "Transactions under one signature, 1 to 1024. / 每个签名覆盖的交易数") var batch = 1

    func validate() throws {
        guard (1...LedgerLimits.batchSizes.upperBound).contains(batch) else {
            throw ValidationError("--batch is 1 to 1024 / --batch 取 1 至 1024")
        }
    }

    func run() async throws {
        let wanted = Set(parts.isEmpty ? Part.allCases : parts)
        let suite: Suite = suite == "sm2" ? .sm2SM3 : .ed25519SHA256
        Report.machine()
        let ceiling = Ceiling(suite: suite, validators: validators)
        let etcd = wanted.contains(.latency) ? try await Etcd.measure() : nil
        let network = try BenchNetwork(suite: self.suite, validators: validators)
        defer { network.remove() }
        try await network.start()
        let senders = try await Senders.enrol(16, on: network)
        if wanted.contains(.latency) {
            try await Latency(nodes: network.nodes, senders: senders).idle(comparedWith: etcd)
        }
        var best = 0.0
        if wanted.contains(.throughput) || wanted.contains(.replay) || wanted.contains(.disk) {
            let size = try await network.bytesInUse()
            var committed = 0
            for open in open {
                // The machine's speed drifts: each load is compared with readings right before and after it.
                let before = ceiling.measure()
                let figures = try await Load(
                    nodes: network.nodes, senders: senders, open: open, seconds: seconds,
                    batch: batch
                ).run()
                committed += figures.accepted
                best = max(best, figures.perSecond)
                Report.throughput(
                    figures, open: open, batch: batch, validators: validators,
                    ceiling: (before + ceiling.measure()) / 2, suite: suite)
            }
            Report.line(
                "disk-per-transaction",
                [
                    (
                        "bytes",
                        .real(
                            Double(try await network.bytesInUse() - size)
                                / Double(max(1, committed)))
                    ),
                    ("transactions", .unsigned(UInt64(committed))),
                    (
                        "envelopeBytes",
                        .unsigned(UInt64(senders.envelopeBytes(batch: batch)))
                    ),
                ])
        }
        if wanted.contains(.latency) {
            let half = best > 0 ? best / 2 : 1_000
            try await Latency(nodes: network.nodes, senders: senders).underLoad(perSecond: half)
        }
        if wanted.contains(.disk) { try await idleGrowth(network) }
        try network.stop()
        if wanted.contains(.replay) { try Replay(network: network, ceiling: ceiling).run() }
    }

    private func idleGrowth(_ network: BenchNetwork) async throws {
        let size = try await network.bytesInUse()
        try await Task.sleep(for: .seconds(idleSeconds))
        let grown = Double(try await network.bytesInUse() - size)
        Report.line(
            "disk-per-idle-day",
            [
                ("bytes", .real(grown * 86_400 / idleSeconds)),
                ("measuredSeconds", .real(idleSeconds)), ("measuredBytes", .real(grown)),
            ])
    }
}
