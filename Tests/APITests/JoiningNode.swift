import Foundation
import Ledger
import LedgerCrypto
import Records
import Testing
import Transport

@testable import Node

/// The keys and places of a node without a seat that is to join a market by its validator's snapshot.
struct Joiner: Sendable {
    static let snapshotEveryBlocks: UInt64 = 40
    private let transport: TransportIdentity
    private let votingKey = SigningKey.generate(.ed25519SHA256)
    private let validatorPort: Int
    private let port: Int
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    init() throws {
        transport = try Market1.transportIdentity()
        let ports = try FreePorts.find(2)
        (validatorPort, port) = (ports[0], ports[1])
        (changes, change) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Heights grow with what is submitted, and hardly without; few blocks are held.
    func edit(_ parameters: inout Parameters) {
        parameters.heartbeatMs = 5_000
        parameters.replayWindowBlocksMax = 16
    }

    /// The validator's, which then knows this node and makes snapshots.
    func edit(_ configuration: inout NodeConfiguration) {
        configuration.listen = HostPort(host: "127.0.0.1", port: validatorPort)
        configuration.peers = [
            PeerEndpoint(
                index: 1, name: "joiner", transportKey: transport.publicKey, host: "127.0.0.1",
                port: port)
        ]
        configuration.snapshots.everyBlocks = Joiner.snapshotEveryBlocks
        configuration.snapshots.joinAheadBlocks = 0
        let change = change
        configuration.onSnapshotChange = { change.yield() }
    }

    /// The suite's time limit ends a wait in vain.
    func waitForSnapshot(of node: HuijinNode) async {
        if !node.snapshots.offered.isEmpty { return }
        for await _ in changes where !node.snapshots.offered.isEmpty { return }
    }

    /// Runs `body` with the address of its API once it has joined, and ends the node afterwards.
    func join(
        _ market: Market1, _ body: (_ node: HuijinNode, _ base: String) async throws -> Void
    ) async throws {
        let validator = market.genesis.validators.validators[0]
        var configuration = NodeConfiguration(
            genesis: market.genesis, dataDirectory: market.folder.path + "/joined",
            bindingFolder: market.folder.path, seat: nil, votingKey: votingKey,
            transport: transport, listen: HostPort(host: "127.0.0.1", port: port),
            api: HostPort(host: "127.0.0.1", port: 0),
            peers: [
                PeerEndpoint(
                    index: 0, name: validator.member.text, transportKey: validator.transportKey,
                    host: "127.0.0.1", port: validatorPort)
            ])
        configuration.snapshots.everyBlocks = 0
        configuration.snapshots.joinAheadBlocks = 20
        // However long the validator takes to answer on a busy machine, blocks are not fetched instead.
        configuration.snapshots.fetching.collectMs = 3_600_000
        let node = try await HuijinNode.start(configuration, logger: Market1.silentLogger)
        let (port, serving) = try await Market1.serve(node)
        do {
            for await _ in node.heights() where node.status.firstHeight > 0 { break }
            try await body(node, "http://127.0.0.1:\(port)")
            await stop(node, serving)
        } catch {
            await stop(node, serving)
            throw error
        }
    }

    private func stop(_ node: HuijinNode, _ serving: Task<Void, any Error>) async {
        serving.cancel()
        _ = try? await serving.value
        await node.stop()
    }
}
