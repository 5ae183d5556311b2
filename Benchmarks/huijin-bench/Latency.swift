import Client
import Foundation

/// From submit to final, one transaction at a time.
struct Latency: Sendable {
    let nodes: [String]
    let senders: Senders

    static let idleProbes = 200
    static let loadedSeconds = 12.0
    static let perRequest = 25

    /// - Parameter etcd: puts on etcd in the same run, where there were any.
    func idle(comparedWith etcd: [Double]?) async throws {
        let probes = try await probe { $0 < Latency.idleProbes }
        let ratios = [50, 99].compactMap { percent in
            etcd.map {
                (
                    "p\(percent)TimesEtcd",
                    JSONValue.real(probes.percentile(percent) / $0.percentile(percent))
                )
            }
        }
        report("latency-idle", probes, ratios)
    }

    /// With a paced load beside the probes.
    func underLoad(
        perSecond: Double, seconds loadedSeconds: Double = Latency.loadedSeconds,
        name: String = "latency-half-load"
    ) async throws {
        let client = try HuijinClient(nodes: nodes, genesis: senders.genesis)
        let start = try await client.status()["height"]?.unsigned ?? 0
        let requests = Int(perSecond * loadedSeconds) / Latency.perRequest
        let envelopes = await senders.envelopes(
            requests * Latency.perRequest, lastValidHeight: start + 60_000)
        let begin = ContinuousClock.now
        let pause = Duration.seconds(Double(Latency.perRequest) / perSecond)
        let load = Task {
            await withTaskGroup(of: Int.self) { group in
                for index in 0..<requests {
                    try? await Task.sleep(until: begin + pause * index)
                    let from = index * Latency.perRequest
                    let batch = Array(envelopes[from..<(from + Latency.perRequest)])
                    group.addTask {
                        let answers = try? await client.post(batch)
                        return answers?.count(where: \.isAccepted) ?? 0
                    }
                }
                return await group.reduce(0, +)
            }
        }
        let until = begin + .seconds(loadedSeconds)
        let probes = try await probe { _ in ContinuousClock.now < until }
        let seconds = (ContinuousClock.now - begin).milliseconds / 1e3
        let accepted = await load.value
        report(
            name, probes,
            [
                ("offeredPerSecond", .real(perSecond)),
                ("acceptedPerSecond", .real(Double(accepted) / seconds)),
            ])
    }

    /// Posts to one node after another while `isWanted`; milliseconds each.
    private func probe(_ isWanted: (Int) -> Bool) async throws -> [Double] {
        var clients: [HuijinClient] = []
        for node in nodes {
            clients.append(try HuijinClient(nodes: [node], genesis: senders.genesis))
        }
        let start = try await clients[0].status()["height"]?.unsigned ?? 0
        var milliseconds: [Double] = []
        while isWanted(milliseconds.count) {
            let count = milliseconds.count
            let envelope = senders.envelope(count, lastValidHeight: start + 60_000)
            let posted = ContinuousClock.now
            let answer = try await clients[count % clients.count].post([envelope])[0]
            guard answer.isAccepted else {
                throw BenchNetwork.Failed(description: "a probe ended as \(answer.code.name)")
            }
            milliseconds.append((ContinuousClock.now - posted).milliseconds)
        }
        return milliseconds
    }

    private func report(_ name: String, _ probes: [Double], _ more: [(String, JSONValue)]) {
        Report.line(
            name,
            [
                ("p50Ms", .real(probes.percentile(50))), ("p99Ms", .real(probes.percentile(99))),
                ("probes", .unsigned(UInt64(probes.count))),
            ] + more)
    }
}
