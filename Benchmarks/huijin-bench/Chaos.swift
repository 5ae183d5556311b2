import ArgumentParser
import Client
import Foundation
import Ledger
import LedgerCrypto
import NIOCore
import NIOPosix

/// Real processes under faults and load. Nothing acknowledged may be lost, no two nodes may differ, and the network must
/// go on, or, with two of four nodes away, stand still unharmed.
///
/// One JSON object a line for each round; the exit code is 1 when a promise was broken.
struct Chaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Kill, pause and cut off nodes under load. / 负载下的故障注入",
        discussion: """
            Every round one node of four, drawn by the seed, is killed (SIGKILL), paused (SIGSTOP) or cut off from its
            peers, and comes back. Then two nodes are taken away, then all are killed at once and one loses its disk. What the system's cache
            holds stays: `make sim` is what cuts power.
            每轮随机强制终止、暂停或隔离一个节点;随后停两个节点,最后同时杀掉全部进程并毁掉一块磁盘。系统缓存保留,真正断电由 make sim 模拟。
            """)

    @Option(help: "Rounds with one fault each. / 轮数") var rounds = 50
    @Option(help: "How long a fault lasts. / 每次故障秒数") var faultSeconds = 60.0
    @Option(help: "Pause between faults. / 两次故障间隔秒数") var calmSeconds = 5.0
    @Option(help: "Draws faults and nodes. / 随机种子") var seed: UInt64 = 1
    @Option(help: "ed25519 or sm2. / 密码套件") var suite = "ed25519"
    @Option(help: "Requests of 25 transactions open at a time. / 并发请求数") var open = 4

    /// Acknowledged transactions per second, against those before the fault, that count as recovered.
    static let recoveredShare = 0.7
    static let recoverySecondsMax = 60.0
    static let levelSecondsMax = 300.0
    /// Blocks by which a node that keeps up may be behind at the moment of asking.
    static let levelBlocks: UInt64 = 20
    static let statusTimeoutMs: UInt64 = 500

    enum Fault: String, CaseIterable {
        case kill
        case pause
        case cut
    }

    func validate() throws {
        guard (0...1_000).contains(rounds), (0...3_600).contains(faultSeconds),
            (1...600).contains(calmSeconds), (1...64).contains(open)
        else {
            throw ValidationError(
                "rounds 0…1000, fault-seconds 0…3600, calm-seconds 1…600, open 1…64 / 参数超出范围")
        }
    }

    func run() async throws {
        let network = try BenchNetwork(suite: suite, validators: 4)
        defer { network.remove() }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let links = Links(loop: group.next())
        try await network.reroute(links.address)
        try await network.start()
        let senders = try await Senders.enrol(16, on: network)
        let load = try ChaosLoad(nodes: network.nodes, senders: senders, open: open)
        let running = Task { await load.run() }
        try await Task.sleep(for: .seconds(calmSeconds))
        var random = SeededGenerator(seed: seed)
        var problems: [String] = []
        for round in 0..<rounds {
            problems += try await self.round(
                round, fault: Fault.allCases.randomElement(using: &random) ?? .kill,
                node: Int.random(in: 0..<4, using: &random), network, links, load)
        }
        problems += try await twoAway(network, load)
        problems += try await powerCut(network, load)
        load.stop()
        await running.value
        problems += try await ChaosVerdict(network: network, load: load).problems()
        Report.line(
            "chaos",
            [
                ("rounds", .unsigned(UInt64(rounds))),
                ("acknowledged", .unsigned(UInt64(load.acknowledged.count))),
                ("problems", .list(problems.map { .text($0) })),
            ])
        await links.stop()
        try await group.shutdownGracefully()
        if !problems.isEmpty { throw ExitCode(1) }
    }

    /// One fault, how long after its end the load is back, and how long until the node has what it missed: another fault
    /// before that would be one of two nodes at a time.
    private func round(
        _ round: Int, fault: Fault, node: Int, _ network: BenchNetwork, _ links: Links,
        _ load: ChaosLoad
    ) async throws -> [String] {
        let before = load.rate(overSeconds: calmSeconds)
        let begin = ContinuousClock.now
        switch fault {
        case .kill: network.kill(node)
        case .pause: network.pause(node)
        case .cut: try await links.set(isCut: true, node: node)
        }
        try await Task.sleep(for: .seconds(faultSeconds))
        let during = load.rate(overSeconds: faultSeconds)
        switch fault {
        case .kill: try await network.launch(node)
        case .pause: network.resume(node)
        case .cut: try await links.set(isCut: false, node: node)
        }
        let healed = ContinuousClock.now
        let recovered = try await recovery(of: load, to: before, from: healed)
        let level = try await self.level(node, of: network, since: healed)
        let stall = load.longestStall(from: begin, to: .now)
        Report.line(
            "chaos-round",
            [
                ("round", .unsigned(UInt64(round))), ("fault", .text(fault.rawValue)),
                ("node", .unsigned(UInt64(node))), ("perSecondBefore", .real(before)),
                ("perSecondDuring", .real(during)), ("longestStallSeconds", .real(stall)),
                ("recoverySeconds", recovered.map { .real($0) } ?? .null),
                ("levelSeconds", level.map { .real($0) } ?? .null),
            ])
        try await Task.sleep(for: .seconds(calmSeconds))
        return
            (recovered != nil
            ? [] : ["round \(round): the load was not back \(Chaos.recoverySecondsMax) s after"])
            + (level != nil
                ? [] : ["round \(round): node \(node) lags \(Chaos.levelSecondsMax) s after"])
    }

    private func level(
        _ node: Int, of network: BenchNetwork, since healed: ContinuousClock.Instant
    ) async throws -> Double? {
        let all = try client(of: network.nodes, network)
        while true {
            let heights = await heights(of: all)
            let seconds = (ContinuousClock.now - healed).milliseconds / 1e3
            if let height = heights[node], let highest = heights.compactMap(\.self).max(),
                height + Chaos.levelBlocks >= highest
            {
                return seconds
            }
            if seconds > Chaos.levelSecondsMax { return nil }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func recovery(
        of load: ChaosLoad, to before: Double, from healed: ContinuousClock.Instant
    ) async throws -> Double? {
        while true {
            try await Task.sleep(for: .milliseconds(200))
            let seconds = (ContinuousClock.now - healed).milliseconds / 1e3
            if seconds >= 1, load.rate(overSeconds: 1) >= before * Chaos.recoveredShare {
                return max(0, seconds - 1)
            }
            if seconds > Chaos.recoverySecondsMax { return nil }
        }
    }

    /// Without a quorum nothing becomes final; with it again, everything goes on.
    private func twoAway(_ network: BenchNetwork, _ load: ChaosLoad) async throws -> [String] {
        network.kill(0)
        network.kill(1)
        // What was certified before still reaches the others.
        try await Task.sleep(for: .seconds(3))
        let count = load.acknowledged.count
        try await Task.sleep(for: .seconds(10))
        let progress = load.acknowledged.count - count
        try await network.launch(0)
        let healed = ContinuousClock.now
        while load.acknowledged.count == count + progress,
            (ContinuousClock.now - healed) < .seconds(Chaos.recoverySecondsMax)
        {
            try await Task.sleep(for: .milliseconds(50))
        }
        let isBack = load.acknowledged.count > count + progress
        let seconds = (ContinuousClock.now - healed).milliseconds / 1e3
        try await network.launch(1)
        Report.line(
            "chaos-two-away",
            [
                ("acknowledgedMeanwhile", .unsigned(UInt64(progress))),
                ("secondsToProgress", isBack ? .real(seconds) : .null),
            ])
        try await Task.sleep(for: .seconds(calmSeconds))
        return (progress == 0 ? [] : ["two of four nodes acknowledged \(progress) transactions"])
            + (isBack ? [] : ["no progress although three of four nodes are back"])
    }

    /// All four at once, and one disk with them. The nodes are asked for their height too: a client may wait at the node that
    /// has to fetch the whole chain first.
    private func powerCut(_ network: BenchNetwork, _ load: ChaosLoad) async throws -> [String] {
        let lost = Int(seed % 4)
        let others = try client(
            of: network.nodes.indices.filter { $0 != lost }.map { network.nodes[$0] }, network)
        let height = await highest(of: others)
        for index in 0..<4 { network.kill(index) }
        let count = load.acknowledged.count
        try FileManager.default.removeItem(at: network.data(of: lost))
        let begin = ContinuousClock.now
        for index in 0..<4 { try await network.launch(index) }
        let launched = ContinuousClock.now
        var grown: ContinuousClock.Instant?
        // A store's state is read before its node is ready, which takes time with the records that it holds.
        while load.acknowledged.count == count || grown == nil,
            (ContinuousClock.now - launched) < .seconds(Chaos.recoverySecondsMax)
        {
            if grown == nil, await highest(of: others) > height { grown = .now }
            try await Task.sleep(for: .milliseconds(50))
        }
        let isBack = load.acknowledged.count > count && grown != nil
        Report.line(
            "chaos-power-cut",
            [
                ("diskLost", .unsigned(UInt64(lost))),
                ("secondsToLaunch", .real((launched - begin).milliseconds / 1e3)),
                (
                    "secondsToNewBlock",
                    grown.map { .real(($0 - begin).milliseconds / 1e3) } ?? .null
                ),
                (
                    "secondsToProgress",
                    isBack ? .real((ContinuousClock.now - begin).milliseconds / 1e3) : .null
                ),
            ])
        try await Task.sleep(for: .seconds(calmSeconds))
        return isBack ? [] : ["no progress after all were killed"]
    }

    private func client(of nodes: [String], _ network: BenchNetwork) throws -> HuijinClient {
        var limits = HuijinClient.Limits()
        limits.timeoutMs = Chaos.statusTimeoutMs
        return try HuijinClient(nodes: nodes, genesis: network.genesis, limits: limits)
    }

    /// In the order of the client's nodes; nil for one that does not answer.
    private func heights(of client: HuijinClient) async -> [UInt64?] {
        await client.statusOfAll().map { try? $0.status.get()["height"]?.unsigned }
    }

    private func highest(of client: HuijinClient) async -> UInt64 {
        await heights(of: client).compactMap(\.self).max() ?? 0
    }
}

/// The relays of every link, by who dials whom.
final class Links {
    private let loop: any EventLoop
    private var relays: [(from: Int, to: Int, relay: Relay)] = []
    private let delayMs: Int64

    init(loop: any EventLoop, delayMs: Int64 = 0) {
        self.loop = loop
        self.delayMs = delayMs
    }

    func address(from: Int, to: Int, port: Int) async throws -> Int {
        let relay = Relay(loop: loop, target: port, delayMs: delayMs)
        let address = try await relay.start()
        relays.append((from, to, relay))
        return address
    }

    /// Both directions of every link of one node.
    func set(isCut: Bool, node: Int) async throws {
        for link in relays where link.from == node || link.to == node {
            try await link.relay.set(isCut: isCut)
        }
    }

    func stop() async {
        for link in relays { await link.relay.stop() }
    }
}

/// SplitMix64, so that a seed names one run's faults.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
