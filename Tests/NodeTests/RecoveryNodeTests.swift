import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Replica
import Storage
import Testing

@testable import Node

/// Two of four nodes are lost for good; the rest go on with two new ones.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RecoveryNodeTests {
    @Test func aLostQuorumIsReplaced() async throws {
        let network = try TestNetwork(4, joiners: 2)
        var nodes: [HuijinNode] = []
        for index in 0..<4 { nodes.append(try await network.start(index)) }
        let first = await nodes[0].submit([network.evidence(1)], wait: .final, timeoutMs: 60_000)
        #expect(first[0].status == .final)
        for node in nodes { await node.stop() }
        // While the first one stopped, the others may have gone on: level, both can go on from the same block.
        nodes = [try await network.start(0), try await network.start(1)]
        let level = nodes.map(\.status.height).max() ?? 0
        for node in nodes { try await node.reached(level) }
        for node in nodes { await node.stop() }
        // The members of the lost seats 2 and 3 have new nodes with new keys.
        let bare = try network.recovery(seating: [0, 1, 4, 5])
        let weak = try network.signed(bare, by: [2])
        let refused = try await network.start(0) { $0.recovery = weak }
        #expect(
            try await refused.endReason()
                == .recovery(.notCertified(signatures: 1, threshold: 2)))
        let path = network.folder + "/recovery.cbor"
        try Data(network.signed(weak, by: [0]).encoded).write(to: URL(filePath: path))
        let recovery = try RecoveryFile.read(path, genesis: network.genesis)
        #expect(
            recovery.next.validators.map(\.votingKey)
                == [0, 1, 4, 5].map { network.votingKeys[$0].publicKey })
        // Another body under the same header.
        let other = try network.recovery(seating: [0, 1, 4])
        let spliced = try #require(
            Recovery(
                suite: recovery.suite, basis: recovery.basis, next: recovery.next,
                blocks: recovery.blocks.dropLast()
                    + [Block(header: recovery.last.header, entries: other.last.entries)],
                certificate: recovery.certificate))
        let answers: [(Recovery, RecoveryRefusal?)] = [
            (recovery, nil), (bare, .notCertified(signatures: 0, threshold: 2)),
            (spliced, .notExecuted(height: recovery.last.header.height)),
        ]
        for (file, answer) in answers {
            var stopped = try StoppedNode(network.configuration(0))
            #expect(try stopped.refusal(of: file) == answer)
        }
        let misled = try await network.start(0) { $0.recovery = spliced }
        #expect(
            try await misled.endReason()
                == .recovery(.notExecuted(height: recovery.last.header.height)))
        nodes = []
        for index in [0, 1, 4, 5] {
            nodes.append(
                try await network.start(index) { if index < 2 { $0.recovery = recovery } })
        }
        for (index, node) in nodes.enumerated() {
            let results = await node.submit(
                [network.evidence(10 + index)], wait: .final, timeoutMs: 60_000)
            #expect(results[0].status == .final, "node \(index)")
            #expect(node.status.epoch == 1 && node.status.seat == index)
        }
        // What was final before the loss is final still, at its height.
        let height = try #require(first[0].height)
        let root = try await nodes[2].stateRoot(at: height)
        #expect(try await nodes[0].stateRoot(at: height) == root)
        let last = recovery.last.header.height
        let certificate = try await nodes[3].history { try $0.reader.finalization(from: last) }
        #expect(certificate?.certificate.kind == .recover)
        // A service that always starts with it.
        await nodes[1].stop()
        nodes[1] = try await network.start(1) { $0.recovery = recovery }
        let again = await nodes[1].submit(
            [network.evidence(20)], wait: .final, timeoutMs: 60_000)
        #expect(again[0].status == .final)
        // A second recovery of the same epoch is told, not passed over.
        await nodes[0].stop()
        let second = try network.signed(other, by: [0, 1])
        let torn = try await network.start(0) { $0.recovery = second }
        #expect(
            try await torn.endReason()
                == .recovery(.conflicts(height: second.last.header.height)))
        for node in nodes[1...] { await node.stop() }
    }

    @Test func filesAreReadStrictly() throws {
        let network = try TestNetwork(4)
        func written(_ text: String) throws -> String {
            let path = network.folder + "/seats.json"
            try Data(text.utf8).write(to: URL(filePath: path))
            return path
        }
        let seats = network.genesis.validators.validators
        let text = try RecoveryFile.text(of: seats)
        #expect(try RecoveryFile.seats(try written(text), suite: .ed25519SHA256) == seats)
        for wrong in [
            "", "[1]", "{}", text.replacing("\"member\"", with: "\"membr\""),
            text.replacing(Hex.encode(seats[1].votingKey.bytes), with: "00"),
            text.replacing(Hex.encode(seats[2].transportKey), with: "0011"),
        ] {
            #expect(throws: ConfigurationError.self, "\(wrong.prefix(20))") {
                try RecoveryFile.seats(try written(wrong), suite: .ed25519SHA256)
            }
        }
        #expect(throws: ConfigurationError.self) {
            try RecoveryFile.read(try written("nothing"), genesis: network.genesis)
        }
        #expect(throws: ConfigurationError.self) {
            try RecoveryFile.genesis(try written("nothing"))
        }
        #expect(throws: ConfigurationError.self) {
            try RecoveryFile.key(try written("nothing"), passphrase: "x")
        }
    }
}
