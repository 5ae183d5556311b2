import Client
import Foundation
import Ledger
import LedgerCrypto
import Storage
import Synchronization

/// A closed loop that goes on whatever happens to nodes, and remembers what it was told is final.
final class ChaosLoad: Sendable {
    struct Acknowledged: Sendable {
        let id: Digest
        let height: UInt64
    }

    private struct State {
        var acknowledged: [Acknowledged] = []
        /// When, and how many had been acknowledged by then.
        var marks: [(at: ContinuousClock.Instant, count: Int)] = []
        var isStopped = false
        /// How many workers are at each node.
        var workers: [Int]
    }

    private let clients: [HuijinClient]
    private let senders: Senders
    private let open: Int
    private let state: Mutex<State>

    static let perRequest = 25
    /// Answers take longer than this only where a node is away; then the next one is asked.
    static let timeoutMs: UInt64 = 4_000

    init(nodes: [String], senders: Senders, open: Int) throws {
        var limits = HuijinClient.Limits()
        limits.timeoutMs = ChaosLoad.timeoutMs
        clients = try nodes.map {
            try HuijinClient(nodes: [$0], genesis: senders.genesis, limits: limits)
        }
        self.senders = senders
        self.open = open
        state = Mutex(State(workers: Array(repeating: 0, count: nodes.count)))
    }

    var acknowledged: [Acknowledged] { state.withLock { $0.acknowledged } }

    func stop() { state.withLock { $0.isStopped = true } }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<open { group.addTask { await self.work(worker) } }
        }
    }

    private func work(_ worker: Int) async {
        var node = worker % clients.count
        state.withLock { $0.workers[node] += 1 }
        var number = worker
        var height: UInt64 = 0
        while !state.withLock({ $0.isStopped }) {
            let envelopes = (0..<ChaosLoad.perRequest).map { _ in
                number += open
                return senders.envelope(number, lastValidHeight: height + 60_000)
            }
            do {
                let answers = try await clients[node].post(envelopes)
                let final = answers.filter(\.isAccepted)
                let now = ContinuousClock.now
                state.withLock { state in
                    for answer in final {
                        guard let id = answer.id, let height = answer.height else { continue }
                        state.acknowledged.append(Acknowledged(id: id, height: height))
                    }
                    if !final.isEmpty { state.marks.append((now, state.acknowledged.count)) }
                }
                height = max(height, final.compactMap(\.height).max() ?? 0)
                // A node that is paused or cut off answers, if at all, without anything final.
                if final.isEmpty { node = moved(from: node) }
            } catch {
                node = moved(from: node)
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// To the node with the fewest workers: if all waited at the one that is away, nothing would be asked of those that go on.
    private func moved(from node: Int) -> Int {
        state.withLock { state in
            let others = (1..<clients.count).map { (node + $0) % clients.count }
            let next = others.min { state.workers[$0] < state.workers[$1] } ?? node
            state.workers[node] -= 1
            state.workers[next] += 1
            return next
        }
    }

    /// Acknowledged a second, lately.
    func rate(overSeconds seconds: Double) -> Double {
        let from = ContinuousClock.now - .seconds(seconds)
        return state.withLock { state in
            let earlier = state.marks.last { $0.at <= from }?.count ?? 0
            return Double(state.acknowledged.count - earlier) / seconds
        }
    }

    /// The longest time, in seconds, in which nothing was acknowledged.
    func longestStall(
        from begin: ContinuousClock.Instant, to end: ContinuousClock.Instant
    ) -> Double {
        let times = state.withLock { $0.marks.map(\.at) }.filter { $0 >= begin && $0 <= end }
        let all = [begin] + times + [end]
        return zip(all, all.dropFirst()).map { ($1 - $0).milliseconds / 1e3 }.max() ?? 0
    }
}

/// What the disks say afterwards, with every node stopped.
struct ChaosVerdict {
    let network: BenchNetwork
    let load: ChaosLoad

    /// The node whose disk was lost fetches the chain of the whole run: an hour's, on a busy machine.
    static let settleSecondsMax = 3_600.0

    func problems() async throws -> [String] {
        guard let height = try await settled() else {
            if let node = network.endedNode { return ["node \(node) has ended by itself"] }
            return [
                "the nodes are not at one height \(ChaosVerdict.settleSecondsMax) s after the load"
            ]
        }
        try network.stop()
        let stores = try network.nodes.indices.map {
            try Store(folder: network.data(of: $0).path, genesis: network.genesis)
        }
        var problems: [String] = []
        let heights = stores.map(\.watermark.height)
        if let lowest = heights.min(), lowest < height {
            problems.append("a node lost final blocks: \(heights), before \(height)")
        }
        problems += try forks(stores, upTo: heights.min() ?? 0)
        for (index, store) in stores.enumerated() {
            let missing = try self.missing(in: store)
            if missing > 0 {
                problems.append("node \(index) lacks \(missing) acknowledged transactions")
            }
        }
        return problems
    }

    /// The height at which every node stands, once the load has ended.
    private func settled() async throws -> UInt64? {
        let begin = ContinuousClock.now
        let client = try HuijinClient(nodes: network.nodes, genesis: network.genesis)
        while network.endedNode == nil,
            (ContinuousClock.now - begin) < .seconds(ChaosVerdict.settleSecondsMax)
        {
            let heights = await client.statusOfAll().compactMap {
                try? $0.status.get()["height"]?.unsigned
            }
            let acknowledged = load.acknowledged.map(\.height).max() ?? 0
            // Empty blocks go on, so nodes that keep up may be one apart.
            if heights.count == network.nodes.count, let low = heights.min(),
                let high = heights.max(),
                high - low <= 1, low >= acknowledged
            {
                return low
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        return nil
    }

    /// A node that joined by a snapshot holds the blocks from some height on; what was before is in its newest header's log.
    private func forks(_ stores: [Store], upTo height: UInt64) throws -> [String] {
        guard height > 0 else { return ["there are no blocks"] }
        guard stores.allSatisfy({ $0.firstHeight <= height }) else {
            return ["a node holds no block up to height \(height)"]
        }
        for height in 1...height {
            let holding = stores.filter { $0.firstHeight <= height }
            let headers = try holding.map { try $0.header(height) }
            guard let first = headers.first ?? nil, headers.allSatisfy({ $0 == first }) else {
                return ["the nodes differ at height \(height)"]
            }
        }
        return []
    }

    private func missing(in store: Store) throws -> Int {
        var byHeight: [UInt64: Set<Digest>] = [:]
        for acknowledged in load.acknowledged {
            byHeight[acknowledged.height, default: []].insert(acknowledged.id)
        }
        var missing = 0
        for (height, ids) in byHeight where height >= store.firstHeight {
            var found: Set<Digest> = []
            for case .envelope(let bytes)? in try store.block(height)?.block.entries ?? [] {
                found.insert(
                    try Envelope(
                        bytes: bytes, chain: network.genesis.chain, suite: network.genesis.suite
                    ).id)
            }
            missing += ids.subtracting(found).count
        }
        return missing
    }
}
