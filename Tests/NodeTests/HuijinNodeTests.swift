import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Records
import Storage
import Testing

@testable import Node

@Suite(.serialized, .timeLimit(.minutes(2))) struct HuijinNodeTests {
    @Test(arguments: LedgerCrypto.Suite.allCases)
    func fourNodesFinalizeTheSame(_ suite: LedgerCrypto.Suite) async throws {
        let network = try TestNetwork(4, suite: suite)
        let nodes = try await network.startAll()
        var height: UInt64 = 0
        for (index, node) in nodes.enumerated() {
            let envelopes = (0..<20).map { network.evidence(index * 100 + $0) }
            let results = await node.submit(envelopes, wait: .final, timeoutMs: 60_000)
            #expect(results.allSatisfy { $0.status == .final && $0.code == .accepted })
            height = max(height, results.compactMap(\.height).max() ?? 0)
            // Whoever was told finds it at once.
            let id = try #require(results[7].id)
            let found = try await node.history {
                try $0.reader.find(transaction: id, chain: $0.chain, in: $0.index)
            }
            #expect(found?.location.height == results[7].height)
            #expect(found?.entry == .envelope(envelopes[7]))
        }
        var roots: [Digest?] = []
        for node in nodes { roots.append(try await node.stateRoot(at: height)) }
        #expect(roots[0] != nil && Set(roots).count == 1)
        for node in nodes {
            let status = node.status
            let verified = status.finalization?.verified(
                chain: network.genesis.chain, validators: network.genesis.validators)
            #expect(verified?.value.statement.subject?.header == status.headerDigest)
            await node.stop()
        }
    }

    /// Three go on without the fourth, which catches up from its own disk and its peers.
    @Test func aRestartedNodeCatchesUp() async throws {
        let network = try TestNetwork(4)
        var nodes = try await network.startAll()
        let before = await nodes[0].submit([network.evidence(1)], wait: .final, timeoutMs: 60_000)
        #expect(before[0].status == .final)
        await nodes[3].stop()
        #expect(nodes[3].status.stopReason == .requested)
        let stoppedAt = nodes[3].status.height
        var last: UInt64 = 0
        for number in 2..<8 {
            let results = await nodes[number % 3].submit(
                [network.evidence(number)], wait: .final, timeoutMs: 60_000)
            #expect(results[0].status == .final)
            last = max(last, results[0].height ?? 0)
        }
        #expect(last > stoppedAt)
        // The views that it led were skipped, and who voted for that is kept; of the others the finalizations are.
        let views = nodes[0].status.view
        let genesis = network.genesis
        let held = try await nodes[0].history { view in
            try (1...views).flatMap { try view.reader.certificates(epoch: 0, view: $0) }
        }
        let skipped = held.filter { $0.kind == .nullify }
        #expect(skipped.contains { genesis.validators.leader(view: $0.view) == 3 })
        #expect(held.contains { $0.kind == .finalize })
        for certificate in held {
            #expect(certificate.votes.count >= 3)
            #expect(
                certificate.votes.allSatisfy {
                    $0.verified(chain: genesis.chain, validators: genesis.validators) != nil
                })
        }
        nodes[3] = try await network.start(3)
        #expect(nodes[3].status.height >= stoppedAt)
        let caughtUp = try await nodes[3].stateRoot(at: last)
        #expect(try await nodes[0].stateRoot(at: last) == caughtUp)
        try await nodes[3].reached(nodes[0].status.height)
        let after = await nodes[3].submit([network.evidence(9)], wait: .final, timeoutMs: 60_000)
        #expect(after[0].status == .final)
        for node in nodes { await node.stop() }
    }

    @Test func everyRefusalHasItsCode() async throws {
        let network = try TestNetwork(4)
        let nodes = try await network.startAll()
        let good = network.evidence(1)
        var badlySigned = network.evidence(2)
        badlySigned[badlySigned.count - 1] ^= 1
        let stranger = SigningKey.generate(.ed25519SHA256)
        let otherSuite = network.evidence(3, key: SigningKey.generate(.sm2SM3))
        let expected: [([UInt8], OutcomeCode)] = [
            ([1, 2, 3], .undecodable),
            ([UInt8](repeating: 0, count: 40_000), .tooLarge),
            (Array(good.dropLast()), .undecodable),
            (badlySigned, .badSignature),
            (network.evidence(4, key: stranger), .unknownKey),
            (network.evidence(5, chain: .zero), .wrongChain),
            (otherSuite, .wrongSuite),
            (network.evidence(6, lastValidHeight: 0), .expired),
            (network.evidence(7, lastValidHeight: 1_000_000), .tooFarAhead),
            (good, .accepted),
        ]
        let results = await nodes[0].submit(
            expected.map(\.0), wait: .final, timeoutMs: 60_000)
        #expect(results.map(\.code) == expected.map(\.1))
        #expect(results.dropLast().allSatisfy { $0.status == .refused })
        #expect(results.last?.status == .final)
        let again = await nodes[0].submit([good], wait: .final, timeoutMs: 60_000)
        #expect(again[0].status == .refused && again[0].code == .replayed)
        for node in nodes { await node.stop() }
        let afterwards = await nodes[0].submit([good], wait: .final, timeoutMs: 60_000)
        #expect(afterwards[0].code == .unavailable)
    }

    /// Without a quorum nothing becomes final, and whoever waits is told what is known.
    @Test func withoutAQuorumNothingIsAcknowledged() async throws {
        let network = try TestNetwork(4)
        let node = try await network.start(0)
        let results = await node.submit([network.evidence(1)], wait: .final, timeoutMs: 100)
        #expect(results[0].status == .received)
        let received = await node.submit([network.evidence(2)], wait: .received, timeoutMs: 60_000)
        #expect(received[0].status == .received && received[0].code == .accepted)
        #expect(node.status.height == 0)
        await node.stop()
        await #expect(throws: NodeError.self) { try await node.read { $0.height } }
        await #expect(throws: NodeError.self) { try await node.history { $0.chain } }
        #expect(await node.waitUntilStopped() == .requested)
    }

    /// A full disk stops one node with a reason; the others go on, and with room again it has lost nothing.
    @Test func aFullDiskStopsTheNodeCleanly() async throws {
        let network = try TestNetwork(4)
        var nodes: [HuijinNode] = []
        for index in 0..<3 { nodes.append(try await network.start(index)) }
        let small = try await network.start(3) { $0.storeOptions.pagesMax = 120 }
        let first = nodes[0]
        let feeder = Task {
            var number = 0
            while !Task.isCancelled {
                let batch = (0..<50).map { network.evidence(number + $0) }
                number += 50
                _ = await first.submit(batch, wait: .final, timeoutMs: 60_000)
            }
        }
        defer { feeder.cancel() }
        let reason = try await small.endReason()
        feeder.cancel()
        await feeder.value
        #expect(reason.isDiskFull)
        let reached = small.status.height
        let root = small.status.stateRoot
        let reopened = try await network.start(3)
        #expect(reopened.status.height >= reached)
        #expect(try await reopened.stateRoot(at: reached) == root)
        try await reopened.reached(nodes[0].status.height)
        let results = await reopened.submit(
            [network.evidence(-1)], wait: .final, timeoutMs: 60_000)
        #expect(results[0].status == .final)
        for node in nodes + [reopened] { await node.stop() }
    }

    @Test func twoNodesNeverShareAFolder() async throws {
        let network = try TestNetwork(4)
        let node = try await network.start(0)
        await #expect(throws: NodeError.self) {
            _ = try await network.start(1) { $0.dataDirectory = "\(network.folder)/0" }
        }
        await node.stop()
        let again = try await network.start(0)
        await again.stop()
    }

    @Test func aDamagedIndexIsRebuiltAndOtherProblemsAreReported() async throws {
        let network = try TestNetwork(1)
        let path = "\(network.folder)/0/\(Index.fileName)"
        let node = try await network.start(0)
        let results = await node.submit([network.evidence(1)], wait: .final, timeoutMs: 20_000)
        let id = try #require(results.first?.id)
        await node.stop()
        for suffix in ["-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: path + suffix)
        }
        try Data(repeating: 0x5A, count: 8_192).write(to: URL(fileURLWithPath: path))
        let rebuilt = try await network.start(0)
        let found = try await rebuilt.history {
            try $0.reader.find(transaction: id, chain: $0.chain, in: $0.index) != nil
        }
        #expect(found)
        await rebuilt.stop()
        // Not a file at all: nothing is deleted to get past it.
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(
            atPath: path + "/kept", withIntermediateDirectories: true)
        let error = await #expect(throws: NodeError.self) { _ = try await network.start(0) }
        guard case .storage(.cannotOpen)? = error else {
            Issue.record("started over a folder in the index's place")
            return
        }
        #expect(FileManager.default.fileExists(atPath: path + "/kept"))
    }
}
