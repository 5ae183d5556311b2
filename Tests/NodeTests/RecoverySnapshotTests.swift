import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Storage
import Testing

@testable import Node

/// A newcomer joins a ledger that went on by a recovery, and takes nobody's word for it.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RecoverySnapshotTests {
    /// Those seated after the recovery.
    private static let seats = [0, 1, 4, 5]
    private static let joiner = 6

    /// The ledger of four nodes of which two were lost, at this height, and what ended its first epoch.
    private static func recovered(
        to height: UInt64, snapshotsEvery every: UInt64, changes: NodeChanges
    ) async throws -> (network: TestNetwork, nodes: [HuijinNode], recovery: Recovery) {
        let network = try TestNetwork(4, joiners: 3) {
            $0.replayWindowBlocksMax = 16
            // Heights grow with the load and hardly without.
            $0.heartbeatMs = 2_000
        }
        var nodes: [HuijinNode] = []
        for index in 0..<4 { nodes.append(try await network.start(index)) }
        try await network.grow(nodes[0], to: 5)
        for node in nodes { await node.stop() }
        let recovery = try network.signed(network.recovery(seating: seats), by: [0, 2])
        nodes = []
        for index in seats {
            nodes.append(
                try await network.start(index) {
                    if index < 2 { $0.recovery = recovery }
                    $0.snapshots = .small(every: every, joinAhead: 0)
                    changes.note(in: &$0)
                })
        }
        try await network.grow(nodes[0], to: height, from: 1_000, beside: nodes)
        try await changes.wait { nodes.allSatisfy { $0.snapshots.offered == [every] } }
        return (network, nodes, recovery)
    }

    /// With a snapshot whose blocks hold the recovery, and with one that begins above it.
    @Test(arguments: [20, 40] as [UInt64])
    func aFreshNodeJoinsAfterARecovery(at height: UInt64) async throws {
        let changes = NodeChanges()
        let (network, nodes, recovery) = try await Self.recovered(
            to: height + 2, snapshotsEvery: height, changes: changes)
        let end = recovery.last.header
        let joining = try await network.start(Self.joiner) {
            $0.snapshots = .small(every: 0, joinAhead: 10)
            changes.note(in: &$0)
        }
        try await changes.wait { joining.status.firstHeight > 0 }
        let first = joining.status.firstHeight
        #expect(first == height - 16 && (first <= end.height) == (height == 20))
        #expect(joining.snapshots.liars == 0 && joining.status.epoch == 1)
        // It goes on under the recovered set, and what it gives to others rests on the recovery.
        try await network.grow(nodes[3], to: height + 5, from: 2_000)
        let root = try await joining.stateRoot(at: height + 5)
        #expect(try await nodes[0].stateRoot(at: height + 5) == root)
        let held = try await joining.history { try $0.reader.epochChanges(before: 1) }
        #expect(
            held == [
                EpochChange(header: end, certificate: recovery.certificate, next: recovery.next)
            ])
        let results = await joining.submit(
            [network.evidence(3_000, lastValidHeight: height + 15)], wait: .final,
            timeoutMs: 60_000)
        #expect(results[0].status == .final)
        for node in nodes + [joining] { await node.stop() }
    }

    /// Three of the four give a recovery that the rule's keys did not sign; the newcomer names them, and holds nothing until somebody
    /// gives the true one.
    @Test func aForgedRecoveryIsNotJoined() async throws {
        let changes = NodeChanges()
        let (network, nodes, recovery) = try await Self.recovered(
            to: 22, snapshotsEvery: 20, changes: changes)
        func manifest(_ index: Int) -> URL {
            URL(filePath: "\(network.folder)/\(index)/snapshots/20/manifest")
        }
        let statement = recovery.certificate.statement
        let (keys, chain) = (network.recoveryKeys, network.genesis.chain)
        // Too few of the keys; voting keys of the very epoch; and one key in two places.
        let forgeries: [(node: Int, signers: [SigningKey])] = [
            (0, [keys[0]]), (1, Array(network.votingKeys.prefix(3))), (4, [keys[0], keys[0]]),
        ]
        for (node, signers) in forgeries {
            let certificate = Certificate(
                statement: statement,
                signatures: signers.enumerated().map {
                    RecoveryRule.sign(statement, at: $0, with: $1, chain: chain)
                })
            let genuine = Array(try Data(contentsOf: manifest(node)))
            let place = try #require(
                genuine.firstRange(of: recovery.certificate.encoded)?.lowerBound)
            let forged =
                genuine[..<place] + certificate.encoded
                + genuine[(place + recovery.certificate.encoded.count)...]
            try Data(forged).write(to: manifest(node))
        }
        let genuine = try Data(contentsOf: manifest(5))
        try FileManager.default.removeItem(at: manifest(5))
        let joining = try await network.start(Self.joiner) {
            $0.snapshots = .small(every: 0, joinAhead: 10)
            changes.note(in: &$0)
        }
        try await changes.wait { joining.snapshots.liars == 3 }
        #expect(joining.snapshots.fetchedChunks == 0 && joining.status.height == 0)
        try genuine.write(to: manifest(5))
        // By that snapshot, or by the blocks themselves where those came sooner: nothing is left of the forgeries either way.
        let height = nodes[0].status.height
        try await joining.reached(height)
        #expect([0, 4].contains(joining.status.firstHeight) && joining.snapshots.liars == 3)
        let root = try await joining.stateRoot(at: height)
        #expect(try await nodes[0].stateRoot(at: height) == root)
        for node in nodes + [joining] { await node.stop() }
    }
}
