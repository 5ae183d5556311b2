import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Market
import Testing

@testable import Node

/// A recovery was made from nodes that had fallen behind, while the quorum was there.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RecoveryForkNodeTests {
    /// The four validators, with blocks final after the one from which their recovery, which they do not know, goes on. Nodes 4 and 5
    /// are seated by it, and stopped where it begins.
    private static func histories(
        of network: TestNetwork
    ) async throws -> (nodes: [HuijinNode], recovery: Recovery) {
        var nodes: [HuijinNode] = []
        for index in 0..<4 { nodes.append(try await network.start(index)) }
        try await network.grow(nodes[0], to: 3)
        for node in nodes { await node.stop() }
        for index in [4, 5] {
            try FileManager.default.copyItem(
                atPath: "\(network.folder)/0", toPath: "\(network.folder)/\(index)")
        }
        let recovery = try network.signed(
            network.recovery(seating: [4, 5], left: [4, 5]), by: [0, 1])
        nodes = []
        for index in 0..<4 { nodes.append(try await network.start(index)) }
        let height = recovery.last.header.height + 2
        try await network.grow(nodes[0], to: height, from: 100)
        for node in nodes { try await node.reached(height) }
        return (nodes, recovery)
    }

    /// Those who know more say so, keep the evidence, and go on.
    @Test func whoeverKnowsMoreSaysSo() async throws {
        let network = try TestNetwork(4, joiners: 2) { $0.heartbeatMs = 2_000 }
        var (nodes, recovery) = try await Self.histories(of: network)
        let end = recovery.last.header
        #expect(nodes.allSatisfy { $0.status.contradiction == nil })
        for index in [4, 5] {
            nodes.append(try await network.start(index) { $0.recovery = recovery })
        }
        let recovered = await nodes[4].submit(
            [network.evidence(200)], wait: .final, timeoutMs: 60_000)
        #expect(recovered[0].status == .final)
        for node in nodes[..<4] {
            // One that has stopped gives no more heights.
            for await _ in node.heights() where node.status.contradiction != nil { break }
            #expect(node.status.contradiction == end && node.status.stopReason == nil)
        }
        let results = await nodes[1].submit(
            [network.evidence(300)], wait: .final, timeoutMs: 60_000)
        #expect(results[0].status == .final && nodes[1].status.epoch == 0)
        #expect(nodes[4...].allSatisfy { $0.status.contradiction == nil })
        for node in nodes { await node.stop() }
        for index in 0..<4 {
            let path =
                "\(network.folder)/\(index)/fork-\(end.digest(network.genesis.suite).hex).cbor"
            let file = Array(try Data(contentsOf: URL(filePath: path)))
            let proven = try LightClient.Verifier(genesis: network.genesis).verifyFork(file)
            #expect(proven.missing == .recovery(epoch: 0) && proven.doubleSigners.isEmpty)
            #expect(proven.lower.header == end || proven.higher.header == end)
        }
    }

    /// A node of either history hears only those who hold nothing but what their snapshots of the other one brought. It takes none of
    /// them, and says why.
    @Test(arguments: [false, true])
    func noSnapshotTakesThePlaceOfTheOtherHistory(isRecovered: Bool) async throws {
        let network = try TestNetwork(4, joiners: 4) {
            $0.replayWindowBlocksMax = 16
            // No transaction runs out of its ten blocks.
            $0.heartbeatMs = 2_000
        }
        let (validators, recovery) = try await Self.histories(of: network)
        for node in validators { await node.stop() }
        let changes = NodeChanges()
        func start(_ index: Int, joinAhead: UInt64) async throws -> HuijinNode {
            try await network.start(index) {
                $0.recovery = [4, 5].contains(index) ? recovery : nil
                $0.snapshots = .small(every: 40, joinAhead: joinAhead)
                changes.note(in: &$0)
            }
        }
        // Of the recovered ones, this one has taken the recovery and no block more.
        let index = isRecovered ? 4 : 3
        var height = validators[3].status.height
        if isRecovered {
            let taking = try await start(index, joinAhead: 0)
            try await taking.reached(recovery.last.header.height)
            await taking.stop()
            height = taking.status.height
        }
        var nodes: [HuijinNode] = []
        for index in isRecovered ? 0..<4 : 4..<6 {
            nodes.append(try await start(index, joinAhead: 0))
        }
        try await network.grow(nodes[0], to: 42, from: 1_000)
        try await changes.wait { nodes.allSatisfy { !$0.snapshots.offered.isEmpty } }
        for index in [6, 7] { nodes.append(try await start(index, joinAhead: 20)) }
        try await changes.wait {
            nodes.suffix(2).allSatisfy {
                $0.status.firstHeight > 0 && !$0.snapshots.offered.isEmpty
            }
        }
        if isRecovered {
            // They are in an epoch that is not known here, and their snapshot is of one that is over here.
            var key = network.votingKeys[3].publicKey
            for epoch: UInt64 in 1...2 {
                let next = SigningKey.generate(network.genesis.suite).publicKey
                let replace = ValidatorReplace(
                    replacedKey: key.keyID, votingKey: next,
                    transportKey: network.transports[3].identity.publicKey)
                let lastValidHeight = nodes[0].status.height + 10
                let results = await nodes[0].submit(
                    [network.sign(replace, lastValidHeight: lastValidHeight)], wait: .final,
                    timeoutMs: 60_000)
                #expect(results[0].code == .accepted && nodes[0].status.epoch == epoch)
                key = next
            }
            for node in nodes.suffix(2) { try await node.reached(nodes[0].status.height) }
        }
        let behind = try await network.start(index) {
            $0.peers.removeAll { $0.index < 6 }
            $0.snapshots = .small(every: 0, joinAhead: 20)
            changes.note(in: &$0)
        }
        try await changes.wait { behind.status.contradiction != nil }
        let other = try #require(behind.status.contradiction)
        #expect(behind.snapshots.fetchedChunks > 0 && behind.status.stopReason == nil)
        if isRecovered {
            #expect(other.height >= 40 && other.epoch == 0)
        } else {
            #expect(other == recovery.last.header)
        }
        await behind.stop()
        #expect(behind.status.height == height && behind.status.firstHeight == 0)
        let names = try FileManager.default.contentsOfDirectory(
            atPath: "\(network.folder)/\(index)")
        #expect(names.contains("fork-\(other.digest(network.genesis.suite).hex).cbor"))
        #expect(!names.contains { $0.hasPrefix("before-") })
        for node in nodes { await node.stop() }
    }
}
