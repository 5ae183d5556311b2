import Client
import Foundation
import Ledger
import Synchronization

/// So many transactions a second in requests of 25, signed on the way, for as long as wanted.
final class PacedLoad: Sendable {
    private let nodes: [String]
    private let senders: Senders
    private let perSecond: Double
    private let count = Atomic(0)
    private let open = Atomic(0)

    static let perRequest = 25
    /// How long a transaction may wait, as of a network's standard window: every node keeps the ids of that many blocks.
    private static let validBlocks = Parameters().replayWindowBlocksMax
    /// Requests that may wait for their answers; beyond this some are left out.
    private static let openMax = 256

    init(nodes: [String], senders: Senders, perSecond: Double) {
        self.nodes = nodes
        self.senders = senders
        self.perSecond = max(1, perSecond)
    }

    /// Transactions that were accepted so far.
    var accepted: Int { count.load(ordering: .relaxed) }

    func run(seconds: Double) async {
        let begin = ContinuousClock.now
        let pause = Duration.seconds(Double(PacedLoad.perRequest) / perSecond)
        let clients = nodes.compactMap { try? HuijinClient(nodes: [$0], genesis: senders.genesis) }
        var height: UInt64 = 0
        await withDiscardingTaskGroup { group in
            for number in 0... {
                try? await Task.sleep(until: begin + pause * number)
                guard ContinuousClock.now - begin < .seconds(seconds) else { break }
                let client = clients[number % clients.count]
                if number % 1_000 == 0, let status = try? await client.status() {
                    height = status["height"]?.unsigned ?? height
                }
                guard open.load(ordering: .relaxed) < PacedLoad.openMax else { continue }
                let envelopes = (0..<PacedLoad.perRequest).map {
                    senders.envelope(
                        number * PacedLoad.perRequest + $0,
                        lastValidHeight: height + PacedLoad.validBlocks)
                }
                open.add(1, ordering: .relaxed)
                group.addTask {
                    let answers = (try? await client.post(envelopes)) ?? []
                    self.count.add(answers.count(where: \.isAccepted), ordering: .relaxed)
                    self.open.subtract(1, ordering: .relaxed)
                }
            }
        }
    }
}

/// One reading of a node's `/metrics`.
struct Metrics {
    private let text: String

    init(node: String) async throws {
        let answer = try await NetworkTransport().perform(HTTPCall(base: node, path: "/metrics"))
        text = String(decoding: answer.body, as: UTF8.self)
    }

    /// 0 where there is no such number.
    subscript(_ name: String) -> UInt64 {
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line?.split(separator: " ").last.flatMap { UInt64($0) } ?? 0
    }
}
