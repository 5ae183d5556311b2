import ArgumentParser
import Client
import Foundation
import NIOPosix

/// How many one-way delays a block takes from its proposal until it is final and durable, with slow links.
struct DelayedLinks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delay",
        abstract: "Finality over slow links, in one-way delays. / 高时延链路下的终局时间")

    @Option(help: "One-way delay of every link, milliseconds. / 单向时延（毫秒）") var delayMs: Int64 = 50
    @Option(help: "ed25519 or sm2. / 密码套件") var suite = "ed25519"
    @Option(help: "Validators. / 记账节点数") var validators = 4
    @Option(help: "Seconds of load. / 负载秒数") var seconds = 20.0
    @Option(help: "Transactions per second, in requests of 25. / 每秒交易数") var perSecond = 250.0

    func validate() throws {
        guard (0...2_000).contains(delayMs), (1...3_600).contains(seconds),
            (25...10_000).contains(perSecond)
        else {
            throw ValidationError(
                "delay-ms 0…2000, seconds 1…3600, per-second 25…10000 / 参数超出范围")
        }
    }

    func run() async throws {
        let network = try BenchNetwork(suite: suite, validators: validators)
        defer { network.remove() }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let links = Links(loop: group.next(), delayMs: delayMs)
        try await network.reroute(links.address)
        try await network.start()
        let senders = try await Senders.enrol(16, on: network)
        let latency = Latency(nodes: network.nodes, senders: senders)
        let before = try await readings(network)
        try await latency.underLoad(
            perSecond: perSecond, seconds: seconds, name: "latency-slow-links")
        let after = try await readings(network)
        let means = zip(before, after).map { first, last in
            Double(last.milliseconds - first.milliseconds)
                / Double(max(1, last.commits - first.commits))
        }
        let worst = means.max() ?? 0
        Report.line(
            "finality-slow-links",
            [
                ("oneWayDelayMs", .unsigned(UInt64(delayMs))),
                ("validators", .unsigned(UInt64(validators))),
                ("meanMsOfTheSlowestNode", .real(worst)),
                ("oneWayDelays", .real(worst / Double(max(1, delayMs)))),
                ("blocks", .unsigned((after[0].commits - before[0].commits))),
            ])
        await links.stop()
        try await group.shutdownGracefully()
    }

    /// Sums that every node keeps: commits, and the time from a block's own time to its commit.
    private func readings(
        _ network: BenchNetwork
    ) async throws -> [(commits: UInt64, milliseconds: UInt64)] {
        var readings: [(commits: UInt64, milliseconds: UInt64)] = []
        for node in network.nodes {
            let metrics = try await Metrics(node: node)
            readings.append(
                (
                    metrics["huijin_commits_total"],
                    metrics["huijin_final_delay_milliseconds_total"]
                ))
        }
        return readings
    }
}
