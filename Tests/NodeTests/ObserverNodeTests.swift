import Consensus
import Ledger
import LedgerCrypto
import Logging
import Market
import Testing
import Transport

@testable import Node

/// Nodes that follow and serve without a vote, over real sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ObserverNodeTests {
    /// Four validators of which the first two admit the fifth node.
    private func start(_ network: TestNetwork) async throws -> [HuijinNode] {
        var nodes: [HuijinNode] = []
        for index in 0..<4 {
            nodes.append(
                try await network.start(index) { configuration in
                    configuration.peers.removeAll { $0.index == 4 }
                    if index < 2 { configuration.peers.append(observer(network)) }
                })
        }
        return nodes
    }

    private func observer(_ network: TestNetwork) -> PeerEndpoint {
        PeerEndpoint(
            index: 4, name: "watch", transportKeys: [network.transports[4].identity.publicKey],
            address: nil)
    }

    private func startObserver(
        _ network: TestNetwork, following: [Int]
    ) async throws -> HuijinNode {
        try await network.start(4) { configuration in
            configuration.votingKey = nil
            configuration.listen = nil
            configuration.peers.removeAll { !following.contains($0.index) }
        }
    }

    @Test func itFollowsServesAndPassesOn() async throws {
        let network = try TestNetwork(4, joiners: 1)
        let nodes = try await start(network)
        let first = await nodes[3].submit(
            [network.evidence(0)], wait: .final, timeoutMs: 60_000)
        let watch = try await startObserver(network, following: [0, 1])
        let height = try #require(first[0].height)
        #expect(try await watch.stateRoot(at: height) == nodes[3].stateRoot(at: height))
        #expect(watch.status.seat == nil && watch.port == 0)
        try await watch.reached(nodes[3].status.height)
        // What a client gives it becomes final, through those that it follows, and it says so.
        for number in 1...3 {
            let passed = await watch.submit(
                [network.evidence(number)], wait: .final, timeoutMs: 60_000)
            #expect(passed[0].status == .final && passed[0].code == .accepted)
        }
        // Through a change of the epoch too; and when one of the two is gone.
        await nodes[0].stop()
        let renewed = try TestNetwork.makeTransport()
        let replaced = await watch.submit(
            [
                network.sign(
                    ValidatorReplace(
                        replacedKey: network.votingKeys[0].publicKey.keyID,
                        votingKey: network.votingKeys[0].publicKey,
                        transportKey: renewed.identity.publicKey))
            ], wait: .final, timeoutMs: 60_000)
        #expect(replaced[0].code == .accepted)
        let last = await watch.submit(
            [network.evidence(4)], wait: .final, timeoutMs: 60_000)
        #expect(last[0].status == .final && watch.status.epoch == 1)
        let end = try #require(last[0].height)
        #expect(try await watch.stateRoot(at: end) == nodes[2].stateRoot(at: end))
        #expect(nodes[1].offences.isEmpty && watch.offences.isEmpty)
        await nodes[1].stop()
        for node in [nodes[2], nodes[3], watch] { await node.stop() }
    }

    /// Nobody would ever order what it took.
    @Test func withoutALinkItTakesNothing() async throws {
        let network = try TestNetwork(4, joiners: 1)
        let watch = try await startObserver(network, following: [0])
        let refused = await watch.submit(
            [network.evidence(1)], wait: .final, timeoutMs: 60_000)
        #expect(refused[0].status == .refused && refused[0].code == .unavailable)
        await watch.stop()
    }

    /// What an observer has no business to send ends its connection; the validators live on.
    @Test(arguments: [0, 1, 2])
    func itMayNotSpeakAsAValidator(_ kind: Int) async throws {
        let network = try TestNetwork(4, joiners: 1)
        let nodes = try await start(network)
        let statement = VoteStatement.nullify(epoch: 0, view: 1)
        let vote = Vote(
            statement: statement, validator: 0, signature: [UInt8](repeating: 0, count: 64))
        let (payload, problem): ([UInt8], NetworkProblem) =
            switch kind {
            case 0: (PeerMessage.votes([vote]).encoded, .notPermitted)
            case 1: (PeerMessage.finalBlocks([]).encoded, .notPermitted)
            default: ([0xff, 1, 2], .undecodable)
            }
        let links = AsyncStream.makeStream(of: Bool.self)
        var logger = Logger(label: "fake")
        logger.logLevel = .critical
        let fake = try PeerNetwork(
            NetworkConfiguration(
                identity: network.transports[4].identity, chain: network.genesis.chain,
                listen: nil, peers: network.configuration(4).peers.filter { $0.index == 0 },
                logger: logger), onFrame: { _, _ in .continue },
            onPeerChange: { _, isUp in links.continuation.yield(isUp) })
        try await fake.start()
        for await isUp in links.stream {
            guard isUp else { break }
            fake.send(to: 0, priority: .vote, payload)
        }
        #expect(nodes[0].offences == [problem: 1])
        let results = await nodes[0].submit(
            [network.evidence(1)], wait: .final, timeoutMs: 60_000)
        #expect(results[0].status == .final)
        await fake.stop()
        for node in nodes { await node.stop() }
    }
}
