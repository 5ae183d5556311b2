import Client
import Foundation
import Ledger
import LedgerCrypto
import Synchronization

/// A closed loop: so many requests of 100 pre-signed transactions are open at a time, each answered when final.
struct Load: Sendable {
    let nodes: [String]
    let senders: Senders
    let open: Int
    let seconds: Double
    /// Transactions under one signature; 1 for a signature each.
    let batch: Int

    /// Envelopes in one request, at most.
    static let perRequest = 100
    /// Left out at the beginning.
    static let warmUpSeconds = 2.0

    struct Figures {
        var accepted = 0
        var refused = 0
        var seconds = 0.0
        var blocks: UInt64 = 0
        /// Of requests, from post to final.
        var latencies: [Double] = []
        var generatorCPUSeconds = 0.0

        var perSecond: Double { Double(accepted) / seconds }
    }

    /// More than can be posted a second: the load must not run out.
    private var perSecondMax: Double {
        switch (senders.genesis.suite, batch > 1) {
        case (.ed25519SHA256, false): 14_000
        case (.sm2SM3, false): 2_500
        case (_, true): 30_000
        }
    }

    /// Which request is posted next.
    private final class Turn: Sendable {
        let next = Atomic(0)
    }

    func run() async throws -> Figures {
        let client = try HuijinClient(nodes: nodes, genesis: senders.genesis)
        let start = try await client.status()["height"]?.unsigned ?? 0
        let expected = Int((seconds + Load.warmUpSeconds) * perSecondMax)
        Report.progress("signing \(expected) transactions")
        let requests = await senders.requests(
            expected, lastValidHeight: start + 60_000, batch: batch)
        let turn = Turn()
        let begin = ContinuousClock.now
        let from = begin + .seconds(Load.warmUpSeconds)
        let until = from + .seconds(seconds)
        Report.progress("\(open) requests open for \(Int(seconds + Load.warmUpSeconds)) s")
        async let generator = cpuSeconds(from: from, until: until)
        async let height = blocks(from: from, until: until)
        var figures = try await withThrowingTaskGroup(of: Figures.self) { group in
            for worker in 0..<open {
                let node = try HuijinClient(
                    nodes: [nodes[worker % nodes.count]], genesis: senders.genesis)
                group.addTask {
                    var own = Figures()
                    while ContinuousClock.now < until {
                        let index = turn.next.add(1, ordering: .relaxed).oldValue
                        guard index < requests.count else {
                            throw BenchNetwork.Failed(description: "the signed load ran out")
                        }
                        let posted = ContinuousClock.now
                        let answers = try await node.post(requests[index])
                        let done = ContinuousClock.now
                        guard done >= from, done < until else { continue }
                        let accepted = answers.count(where: \.isAccepted)
                        own.accepted += accepted
                        own.refused += answers.count - accepted
                        own.latencies.append((done - posted).milliseconds)
                    }
                    return own
                }
            }
            var total = Figures()
            for try await own in group {
                total.accepted += own.accepted
                total.refused += own.refused
                total.latencies += own.latencies
            }
            return total
        }
        figures.seconds = seconds
        figures.generatorCPUSeconds = try await generator
        figures.blocks = try await height
        return figures
    }

    private func cpuSeconds(
        from: ContinuousClock.Instant, until: ContinuousClock.Instant
    ) async throws -> Double {
        try await Task.sleep(until: from)
        let first = Load.usage()
        try await Task.sleep(until: until)
        return Load.usage() - first
    }

    private func blocks(
        from: ContinuousClock.Instant, until: ContinuousClock.Instant
    ) async throws -> UInt64 {
        let client = try HuijinClient(nodes: nodes, genesis: senders.genesis)
        try await Task.sleep(until: from)
        let first = try await client.status()["height"]?.unsigned ?? 0
        try await Task.sleep(until: until)
        return (try await client.status()["height"]?.unsigned ?? 0) - first
    }

    private static func usage() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        let micros = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
        return Double(seconds) + Double(micros) / 1e6
    }
}

extension Duration {
    var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }
}
