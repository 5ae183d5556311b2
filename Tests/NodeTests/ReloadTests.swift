import Consensus
import Foundation
import Ledger
import LedgerCrypto
import Market
import Testing
import Transport

@testable import Node

/// What changes while nodes run: certificates, transport keys, peers.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ReloadTests {
    private func isFinal(_ network: TestNetwork, _ node: HuijinNode, _ number: Int) async -> Bool {
        await node.submit([network.evidence(number)], wait: .final, timeoutMs: 60_000)[0].status
            == .final
    }

    /// A seat gets another transport key on the chain, its node takes the key, and all live on: with one validator stopped
    /// each of the others is needed.
    @Test func aTransportKeyIsReplacedWithoutRestart() async throws {
        let network = try TestNetwork(4)
        let nodes = try await network.startAll()
        let renewed = try TestNetwork.makeTransport()
        let replace = ValidatorReplace(
            replacedKey: network.votingKeys[1].publicKey.keyID,
            votingKey: network.votingKeys[1].publicKey, transportKey: renewed.identity.publicKey)
        let results = await nodes[0].submit(
            [network.sign(replace)], wait: .final, timeoutMs: 60_000)
        #expect(results[0].code == .accepted)
        // The old key goes on until the new one has been shown.
        await nodes[3].stop()
        #expect(await isFinal(network, nodes[0], 1))
        #expect(nodes[0].status.epoch == 1)
        var configuration = network.configuration(1)
        configuration.transport = renewed.identity
        try await nodes[1].reload(configuration, from: "node.json")
        #expect(await isFinal(network, nodes[2], 2))
        // A peer that starts now knows the new key from the chain alone.
        await nodes[2].stop()
        let again = try await network.start(2)
        #expect(await isFinal(network, again, 3))
        for node in [nodes[0], nodes[1], again] { await node.stop() }
    }

    @Test func aPeerIsAddedWithoutRestart() async throws {
        let network = try TestNetwork(4, joiners: 1)
        var nodes: [HuijinNode] = []
        for index in 0..<4 {
            nodes.append(
                try await network.start(index) { configuration in
                    configuration.peers.removeAll { $0.index == 4 }
                })
        }
        for index in 0..<4 {
            try await nodes[index].reload(network.configuration(index), from: "node.json")
        }
        let joiner = try await network.start(4)
        for await height in joiner.heights() where height > 2 { break }
        try await joiner.reached(nodes[0].status.height)
        let results = await joiner.submit(
            [network.evidence(1)], wait: .final, timeoutMs: 60_000)
        #expect(results[0].status == .final)
        for node in nodes + [joiner] { await node.stop() }
    }

    @Test func whatNeedsARestartIsNamed() async throws {
        let network = try TestNetwork(1)
        let node = try await network.start(0)
        let changes: [(field: String, edit: (inout NodeConfiguration) -> Void)] = [
            ("data", { $0.dataDirectory += "/other" }), ("log", { $0.logLevel = .trace }),
            ("votingKey", { $0.votingKey = SigningKey.generate(.ed25519SHA256) }),
            ("listen", { $0.listen = HostPort(host: "127.0.0.1", port: 1) }),
            ("api", { $0.api = HostPort(host: "127.0.0.1", port: 1) }),
            ("validator", { $0.name = "another" }),
        ]
        for (field, edit) in changes {
            var configuration = network.configuration(0)
            edit(&configuration)
            do {
                try await node.reload(configuration, from: "node.json")
                Issue.record("\(field) was taken over")
            } catch let error as ConfigurationError {
                #expect(error.field == field && error.file == "node.json")
            }
        }
        try await node.reload(network.configuration(0), from: "node.json")
        #expect(await isFinal(network, node, 1))
        await node.stop()
    }

    @Test func keysComeFromTheChainAndTheConfiguration() throws {
        let network = try TestNetwork(4, joiners: 1)
        let genesis = network.genesis.validators
        let (old, next, newer) = (
            genesis.validators[1].transportKey, [UInt8](2...9), [UInt8](3...9)
        )
        let name = genesis.validators[1].member.text
        func table(_ keys: [[UInt8]]) -> PeerTable {
            PeerTable(
                [
                    PeerEndpoint(
                        index: 1, name: name, transportKeys: keys,
                        address: HostPort(host: "a", port: 1))
                ], genesis: genesis, validators: genesis)
        }
        func set(_ epoch: UInt64, _ key: [UInt8]) throws -> ValidatorSet {
            var seats = genesis.validators
            seats[1] = Validator(
                member: seats[1].member, votingKey: seats[1].votingKey, transportKey: key)
            return try #require(ValidatorSet(epoch: epoch, validators: seats))
        }
        var implied = table([old])
        #expect(implied.endpoints[0].transportKeys == [old])
        implied.reconfigure(try set(1, newer))
        #expect(implied.endpoints[0].transportKeys == [newer, old])
        #expect(implied.index(of: PeerID(1)) == 1)
        // The overlap ends with the next epoch.
        implied.reconfigure(try set(2, newer))
        #expect(implied.endpoints[0].transportKeys == [newer])
        let late = PeerTable(
            [
                PeerEndpoint(
                    index: 1, name: name, transportKeys: [old],
                    address: HostPort(host: "a", port: 1))
            ], genesis: genesis, validators: try set(1, newer))
        #expect(late.endpoints[0].transportKeys == [newer])
        var announced = table([next, old])
        #expect(announced.endpoints[0].transportKeys == [next, old])
        announced.reconfigure(try set(1, next))
        #expect(announced.endpoints[0].transportKeys == [next, old])
        announced.replace([
            PeerEndpoint(
                index: 7, name: name, transportKeys: [next], address: nil),
            PeerEndpoint(index: 1, name: "x", transportKeys: [newer], address: nil),
        ])
        // Numbers stay with the keys, and new ones are new.
        #expect(announced.endpoints.map(\.index) == [1, 2])
        // Observers have no seat, whatever key they have.
        #expect(announced.index(of: PeerID(1)) == nil)
        #expect(announced.index(of: PeerID(PeerID.guestsFrom + 1)) == 1)
    }
}
