import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Testing

@testable import Node

/// A recovery was made from nodes that had fallen behind, while the quorum was there.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RecoveryForkNodeTests {
    /// Those who know more say so, keep the evidence, and go on.
    @Test func whoeverKnowsMoreSaysSo() async throws {
        let network = try TestNetwork(4, joiners: 2)
        var nodes: [HuijinNode] = []
        for index in 0..<4 { nodes.append(try await network.start(index)) }
        try await network.grow(nodes[0], to: 3)
        for node in nodes { await node.stop() }
        // What the two new seats' nodes go on from, and what was final after it.
        for index in [4, 5] {
            try FileManager.default.copyItem(
                atPath: "\(network.folder)/0", toPath: "\(network.folder)/\(index)")
        }
        let recovery = try network.signed(
            network.recovery(seating: [4, 5], left: [4, 5]), by: [0, 1])
        let end = recovery.last.header
        nodes = []
        for index in 0..<4 { nodes.append(try await network.start(index)) }
        try await network.grow(nodes[0], to: end.height + 2, from: 100)
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
}
