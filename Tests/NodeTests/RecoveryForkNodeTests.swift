import Foundation
import Ledger
import LedgerCrypto
import LightClient
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
        for node in nodes { await node.reached(height) }
        return (nodes, recovery)
    }

    /// Those who know more say so, keep the evidence, and go on.
    @Test func whoeverKnowsMoreSaysSo() async throws {
        let network = try TestNetwork(4, joiners: 2)
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

    /// One of them hears only those who hold nothing but what their snapshots of the recovered history brought. It takes none of them,
    /// and says why.
    @Test func noSnapshotTakesThePlaceOfTheOtherHistory() async throws {
        let network = try TestNetwork(4, joiners: 4) { $0.replayWindowBlocksMax = 16 }
        let (others, recovery) = try await Self.histories(of: network)
        for node in others { await node.stop() }
        let end = recovery.last.header
        let changes = NodeChanges()
        var nodes: [HuijinNode] = []
        for index in [4, 5] {
            nodes.append(
                try await network.start(index) {
                    $0.recovery = recovery
                    $0.snapshots = .small(every: 40, joinAhead: 0)
                    changes.note(in: &$0)
                })
        }
        try await network.grow(nodes[0], to: 42, from: 1_000)
        for index in [6, 7] {
            nodes.append(
                try await network.start(index) {
                    $0.snapshots = .small(every: 40, joinAhead: 20)
                    changes.note(in: &$0)
                })
        }
        await changes.wait {
            nodes[2...].allSatisfy {
                $0.status.firstHeight > 0 && !$0.snapshots.offered.isEmpty
            }
        }
        let height = others[3].status.height
        let behind = try await network.start(3) {
            $0.peers.removeAll { $0.index < 6 }
            $0.snapshots = .small(every: 0, joinAhead: 20)
            changes.note(in: &$0)
        }
        await changes.wait { behind.status.contradiction != nil }
        #expect(behind.status.contradiction == end && behind.snapshots.fetchedChunks > 0)
        #expect(behind.status.stopReason == nil)
        await behind.stop()
        #expect(behind.status.height == height && behind.status.firstHeight == 0)
        let evidence =
            "\(network.folder)/3/fork-\(end.digest(network.genesis.suite).hex).cbor"
        #expect(FileManager.default.fileExists(atPath: evidence))
        #expect(!FileManager.default.fileExists(atPath: "\(network.folder)/3/before-\(height)"))
        for node in nodes { await node.stop() }
    }
}
