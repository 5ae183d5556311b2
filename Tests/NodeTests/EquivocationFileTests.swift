import Consensus
import Foundation
import Ledger
import LedgerCrypto
import Market
import Replica
import Testing

@testable import Node

/// Contradicting votes leave a file with which any member can report their key.
@Suite(.serialized, .timeLimit(.minutes(1))) struct EquivocationFileTests {
    private func vote(
        _ network: TestNetwork, seat: Int, _ statement: VoteStatement
    ) -> Vote {
        let key = network.votingKeys[seat]
        let message = statement.signedBytes(
            chain: network.genesis.chain, suite: network.genesis.suite,
            keyID: key.publicKey.keyID)
        return Vote(statement: statement, validator: seat, signature: key.sign(message))
    }

    private func subject(_ network: TestNetwork, _ number: UInt8) -> VoteSubject {
        let digest = network.genesis.suite.digest([number])
        return VoteSubject(height: 1, header: digest, logRoot: digest)
    }

    /// Two blocks in one view.
    private func twoBlocks(_ network: TestNetwork, seat: Int, view: UInt64) -> [Vote] {
        [UInt8(1), 2].map { number in
            vote(
                network, seat: seat,
                .notarize(epoch: 0, view: view, subject(network, number)))
        }
    }

    /// As if they came from that seat's own node.
    private func give(_ votes: [Vote], of seat: Int, to node: HuijinNode) {
        node.shared.mailbox.put(.input(.message(from: PeerID(seat), .votes(votes)), bytes: 0))
    }

    /// Counted when the file is there; each read is answered by the thread that handles votes.
    private func wait(_ node: HuijinNode, for count: UInt64) async throws {
        while node.metrics.equivocations < count {
            try Task.checkCancellation()
            _ = try await node.read { $0.height }
        }
    }

    private func files(_ network: TestNetwork) throws -> [String: Data] {
        let folder = network.configuration(0).dataDirectory
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where name.hasPrefix("equivocation") {
            files[name] = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        return files
    }

    private func name(_ network: TestNetwork, seat: Int) -> String {
        "equivocation-\(network.votingKeys[seat].publicKey.keyID.hex).cbor"
    }

    @Test func theFirstProofOfEachKeyIsFiledAndStays() async throws {
        let network = try TestNetwork(4)
        var node = try await network.start(0)
        let pair = twoBlocks(network, seat: 2, view: 1)
        give(pair, of: 2, to: node)
        try await wait(node, for: 1)
        let first = try files(network)
        #expect(Array(first.keys) == [name(network, seat: 2)])
        let bytes = [UInt8](try #require(first.values.first))
        let proof = try ValidatorEquivocation.decode(bytes, limits: LedgerLimits.envelope)
        let seats = network.genesis.validators
        #expect(proof.votingKey == seats.validators[2].votingKey.keyID)
        #expect(proof.proof == Equivocation(pair[0], pair[1]))
        for vote in [proof.proof.first, proof.proof.second] {
            #expect(vote.verified(chain: network.genesis.chain, validators: seats) != nil)
        }
        #expect(proof.encoded == bytes)

        // Another proof of the same key changes nothing; a forged one is none; another key's has its own file.
        give(
            [
                vote(network, seat: 2, .nullify(epoch: 0, view: 2)),
                vote(network, seat: 2, .finalize(epoch: 0, view: 2, subject(network, 1))),
            ], of: 2, to: node)
        var forged = twoBlocks(network, seat: 1, view: 1)
        forged[1] = Vote(
            statement: forged[1].statement, validator: 1, signature: forged[0].signature)
        give(forged, of: 1, to: node)
        try await wait(node, for: 2)
        #expect(try files(network) == first)
        give(twoBlocks(network, seat: 3, view: 1), of: 3, to: node)
        try await wait(node, for: 3)
        let both = try files(network)
        #expect(both.keys.sorted() == [2, 3].map { name(network, seat: $0) }.sorted())
        #expect(both[name(network, seat: 2)] == first[name(network, seat: 2)])
        #expect(node.status.equivocations.count == 3)
        await node.stop()

        // Nor does one that is seen after a restart.
        node = try await network.start(0)
        give(twoBlocks(network, seat: 2, view: 3), of: 2, to: node)
        try await wait(node, for: 1)
        #expect(try files(network) == both)
        await node.stop()
    }
}
