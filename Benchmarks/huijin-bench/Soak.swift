import ArgumentParser
import Client
import Foundation

/// Memory of each node over time, at half of the load that the network can take, perhaps with a peer that misbehaves.
///
/// One JSON object a line: samples on the way, then each node's verdict. The exit code is 1 when a node's memory grew.
struct Soak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Memory of every node over time at half load. / 半负载下各节点内存随时间变化",
        discussion: """
            With --flood a peer with a registered transport key sends as fast as it can: garbage, or valid messages. As an
            observer it has a key of its own that the first validator admits; as a validator it has the key and the place of
            the last one, which is stopped.
            --flood 让持有已登记传输密钥的对端全速发送垃圾数据或有效消息;--flood-as 选择其身份。
            """)

    enum Flood: String, ExpressibleByArgument, CaseIterable {
        case none
        case garbage
        case valid
    }

    enum Role: String, ExpressibleByArgument, CaseIterable {
        case observer
        case validator
    }

    @Option(help: "How long. / 秒数") var seconds = 3_600.0
    @Option(help: "none, garbage or valid. / 洪泛内容") var flood = Flood.none
    @Option(help: "observer or validator. / 洪泛者身份") var floodAs = Role.observer
    @Option(help: "Transactions per second; half of what is measured first where absent. / 每秒交易数")
    var perSecond: Double?
    @Option(help: "ed25519 or sm2. / 密码套件") var suite = "ed25519"
    @Option(help: "Validators. / 记账节点数") var validators = 4

    static let samplesMax = 240
    /// What a node may have more in the last third than in the second: a share, and some pages that come and go.
    static let growthMax = 1.15
    static let slackBytes = 8.0 * 1_048_576

    func validate() throws {
        guard (30...86_400).contains(seconds), (4...16).contains(validators) else {
            throw ValidationError("seconds 30…86400, validators 4…16 / 参数超出范围")
        }
    }

    func run() async throws {
        Report.machine()
        let network = try BenchNetwork(suite: suite, validators: validators)
        defer { network.remove() }
        let observer = flood != .none && floodAs == .observer ? try network.admitObserver() : nil
        try await network.start()
        let senders = try await Senders.enrol(16, on: network)
        var rate = perSecond ?? 0
        if perSecond == nil {
            rate =
                try await Load(
                    nodes: network.nodes, senders: senders, open: 8, seconds: 6, batch: 1
                ).run().perSecond / 2
        }
        var nodes = Array(network.nodes.indices)
        var flooder: Flooder?
        if flood != .none {
            let last = validators - 1
            if floodAs == .validator {
                network.kill(last)
                nodes.removeLast()
            }
            flooder = try await Flooder(
                identity: observer ?? network.transportIdentity(of: last),
                targets: floodAs == .observer ? [0] : nodes, network: network, senders: senders,
                isGarbage: flood == .garbage)
        }
        let load = PacedLoad(
            nodes: nodes.map { network.nodes[$0] }, senders: senders, perSecond: rate)
        let loading = Task { await load.run(seconds: seconds) }
        let flooding = flooder.map { flooder in Task { await flooder.run() } }
        let samples = try await sample(network, nodes)
        flooding?.cancel()
        await flooding?.value
        await loading.value
        let isBounded = verdicts(samples, nodes)
        Report.line(
            "soak",
            [
                ("seconds", .real(seconds)), ("flood", .text(flood.rawValue)),
                ("floodAs", .text(flood == .none ? "" : floodAs.rawValue)),
                ("offeredPerSecond", .real(rate)),
                ("acceptedPerSecond", .real(Double(load.accepted) / seconds)),
                ("floodFrames", .unsigned(flooder?.sentFrames ?? 0)),
                ("floodBytes", .unsigned(flooder?.sentBytes ?? 0)),
                ("offences", .unsigned(try await offences(network, nodes))),
                ("isBounded", .bool(isBounded)),
            ])
        await flooder?.stop()
        if !isBounded { throw ExitCode(1) }
    }

    /// Resident bytes of each node, in rounds.
    private func sample(_ network: BenchNetwork, _ nodes: [Int]) async throws -> [[Double]] {
        let pause = max(1, seconds / Double(Soak.samplesMax))
        let begin = ContinuousClock.now
        var rounds: [[Double]] = []
        while ContinuousClock.now - begin < .seconds(seconds) {
            try await Task.sleep(for: .seconds(pause))
            let bytes = nodes.map { Double(network.residentBytes(of: $0)) }
            rounds.append(bytes)
            Report.line(
                "soak-sample",
                [
                    ("second", .real((ContinuousClock.now - begin).milliseconds / 1e3)),
                    ("residentMiB", .list(bytes.map { .real($0 / 1_048_576) })),
                ])
        }
        return rounds
    }

    private func verdicts(_ rounds: [[Double]], _ nodes: [Int]) -> Bool {
        var isBounded = true
        for (place, node) in nodes.enumerated() {
            let series = rounds.map { $0[place] }
            let third = series.count / 3
            let second = Array(series[third..<(2 * third)]).percentile(50)
            let last = Array(series[(2 * third)...]).percentile(50)
            let isOwn =
                second > 0
                && (last <= second * Soak.growthMax || last <= second + Soak.slackBytes)
            isBounded = isBounded && isOwn
            Report.line(
                "soak-node",
                [
                    ("node", .unsigned(UInt64(node))),
                    ("minMiB", .real((series.min() ?? 0) / 1_048_576)),
                    ("medianMiB", .real(series.percentile(50) / 1_048_576)),
                    ("maxMiB", .real((series.max() ?? 0) / 1_048_576)),
                    ("secondThirdMiB", .real(second / 1_048_576)),
                    ("lastThirdMiB", .real(last / 1_048_576)), ("isBounded", .bool(isOwn)),
                ])
        }
        return isBounded
    }

    private func offences(_ network: BenchNetwork, _ nodes: [Int]) async throws -> UInt64 {
        var sum: UInt64 = 0
        for node in nodes {
            sum += try await Metrics(node: network.nodes[node])["huijin_peer_offences_total"]
        }
        return sum
    }
}
