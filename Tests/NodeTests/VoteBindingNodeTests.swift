import Foundation
import Ledger
import LedgerCrypto
import Market
import Records
import Storage
import Testing

@testable import Node

/// A validator whose disk was lost or restored follows without a vote; the others go on, and a new key brings it back.
@Suite(.serialized, .timeLimit(.minutes(2))) struct VoteBindingNodeTests {
    @Test func aLostDiskTakesTheVoteAndANewKeyBringsItBack() async throws {
        let network = try TestNetwork(4, joiners: 1)
        var nodes: [HuijinNode] = []
        for index in 0..<4 { nodes.append(try await network.start(index)) }
        let first = await nodes[0].submit([network.evidence(1)], wait: .final, timeoutMs: 60_000)
        #expect(first[0].status == .final)
        // It may have been told by the others before it has compared its votes with theirs.
        for await _ in nodes[0].heights() where nodes[0].status.votes == .voting { break }
        #expect(nodes[0].status.votes == .voting)
        // The power goes for all, and one disk with it.
        for node in nodes { await node.stop() }
        try FileManager.default.removeItem(atPath: network.configuration(3).dataDirectory)
        nodes = []
        for index in 0..<4 { nodes.append(try await network.start(index)) }
        for index in 0..<4 {
            try await nodes[index].reached(nodes[0].status.height)
            let results = await nodes[index].submit(
                [network.evidence(10 + index)], wait: .final, timeoutMs: 60_000)
            #expect(results[0].status == .final, "node \(index)")
        }
        #expect(nodes[3].status.votes == .barred(.otherStore))
        #expect(nodes[3].status.seat == nil)
        for index in 0..<3 { #expect(nodes[index].status.votes == .voting, "node \(index)") }
        // The governor gives its seat another key, with which it starts from the store that it has now.
        let seat = network.genesis.validators.validators[3]
        let replace = ValidatorReplace(
            replacedKey: seat.votingKey.keyID, votingKey: network.votingKeys[4].publicKey,
            transportKey: seat.transportKey)
        let replaced = await nodes[0].submit(
            [network.sign(replace)], wait: .final, timeoutMs: 60_000)
        #expect(replaced[0].code == .accepted)
        await nodes[3].stop()
        nodes[3] = try await network.start(3) { $0.votingKey = network.votingKeys[4] }
        try await nodes[3].reached(nodes[1].status.height)
        // Now its vote is needed.
        await nodes[0].stop()
        let last = await nodes[3].submit([network.evidence(20)], wait: .final, timeoutMs: 60_000)
        #expect(last[0].status == .final)
        #expect(nodes[3].status.votes == .voting && nodes[3].status.seat == 3)
        for node in nodes { await node.stop() }
    }

    @Test func anOlderCopyDoesNotVote() async throws {
        let network = try TestNetwork(1)
        let folder = network.configuration(0).dataDirectory
        var node = try await network.start(0)
        await node.stop()
        try FileManager.default.copyItem(atPath: folder, toPath: folder + "-copy")
        node = try await network.start(0)
        let results = await node.submit([network.evidence(1)], wait: .final, timeoutMs: 60_000)
        #expect(results[0].status == .final)
        await node.stop()
        try FileManager.default.removeItem(atPath: folder)
        try FileManager.default.moveItem(atPath: folder + "-copy", toPath: folder)
        node = try await network.start(0)
        #expect(node.status.votes == .barred(.olderStore))
        await node.stop()
    }

    @Test func theBindingIsKeptBesideTheKey() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("huijin-binding-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let key = SigningKey.generate(.ed25519SHA256).publicKey.keyID
        let binding = VoteBinding(
            key: key, store: try #require(StoreID(bytes: [UInt8](repeating: 1, count: 16))),
            starts: 3)
        let file = BindingFolder(folder: folder, key: key)
        #expect(file.read() == .none)
        #expect(throws: VoteBar.self) { try file.write(binding) }
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        try file.write(binding)
        #expect(file.read() == .binding(binding))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(names == ["voting-\(key).binding"])
        let path = folder + "/" + names[0]
        try Data([0xFF, 0xFE]).write(to: URL(fileURLWithPath: path))
        #expect(file.read() == .unreadable)
        let other = SigningKey.generate(.ed25519SHA256).publicKey.keyID
        #expect(BindingFolder(folder: folder, key: other).read() == .none)
    }
}
