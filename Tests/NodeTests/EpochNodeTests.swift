import Consensus
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Market
import Records
import Replica
import Testing
import Transport

@testable import Node

@Suite(.serialized, .timeLimit(.minutes(2))) struct EpochNodeTests {
    /// A fifth node follows, is seated, and then the network lives on its vote; a restart finds the epoch again.
    @Test func aJoinerTakesItsSeat() async throws {
        let network = try TestNetwork(4, joiners: 1)
        var nodes = try await network.startAll()
        let newcomer = try TestNetwork.member(300)
        let enrol = MemberEnrol(
            member: newcomer, nameZh: "新节点", nameEn: "Newcomer", group: "", roles: [.validator],
            publicKey: SigningKey.generate(network.genesis.suite).publicKey, person: "p",
            mandates: [.legalRepresentative])
        let first = await nodes[0].submit(
            [network.sign(enrol)], wait: .final, timeoutMs: 60_000)
        #expect(first[0].code == .accepted)
        // As a guest it has the same chain.
        let followed = try await nodes[4].stateRoot(at: try #require(first[0].height))
        #expect(try await nodes[0].stateRoot(at: try #require(first[0].height)) == followed)
        #expect(nodes[4].status.seat == nil)
        let join = ValidatorJoin(
            member: newcomer, votingKey: network.votingKeys[4].publicKey,
            transportKey: network.transports[4].identity.publicKey)
        let joined = await nodes[4].submit([network.sign(join)], wait: .final, timeoutMs: 60_000)
        #expect(joined[0].status == .final && joined[0].code == .accepted)
        // The epoch's last header is cosigned by the set that ends with it: the newcomer has its seat after it.
        let last = try #require(joined[0].height)
        for (index, node) in nodes.enumerated() {
            try await node.reached(last)
            let header = try await node.history { try $0.reader.header(last) }
            try #require(header?.nextValidators != nil)
            #expect((node.checkpoint(height: last) != nil) == (index < 4), "node \(index)")
        }
        // Four of five are a quorum, so each of the rest must vote.
        await nodes[0].stop()
        for index in 1..<5 {
            let results = await nodes[index].submit(
                [network.evidence(index)], wait: .final, timeoutMs: 60_000)
            #expect(results[0].status == .final, "node \(index)")
            #expect(nodes[index].status.epoch == 1)
            #expect(nodes[index].status.seat == index)
            #expect(nodes[index].status.validators.count == 5)
        }
        // One who slept through the change, and one who restarts in the new epoch.
        nodes[0] = try await network.start(0)
        await nodes[4].stop()
        nodes[4] = try await network.start(4)
        #expect(nodes[4].status.seat == 4)
        for index in [0, 4] {
            try await nodes[index].reached(nodes[1].status.height)
            let results = await nodes[index].submit(
                [network.evidence(10 + index)], wait: .final, timeoutMs: 60_000)
            #expect(results[0].status == .final, "node \(index)")
        }
        for node in nodes { await node.stop() }
    }

    @Test func peersAreTheirSeatsInTheEpoch() throws {
        let network = try TestNetwork(4, joiners: 1)
        let peers = network.configuration(1).peers
        var table = PeerTable(
            peers, genesis: network.genesis.validators, validators: network.genesis.validators)
        #expect(table.index(of: PeerID(3)) == 3)
        #expect(table.index(of: PeerID(PeerID.guestsFrom + 4)) == 4)
        #expect(table.index(of: PeerID(1)) == nil, "oneself")
        // The first seat goes, the joiner gets the last one.
        var seats = network.genesis.validators.validators
        seats.removeFirst()
        seats.append(
            Validator(
                member: try TestNetwork.member(300), votingKey: network.votingKeys[4].publicKey,
                transportKey: network.transports[4].identity.publicKey))
        table.reconfigure(try #require(ValidatorSet(epoch: 1, validators: seats)))
        #expect(table.index(of: PeerID(3)) == 4)
        #expect(table.index(of: PeerID(2)) == 3)
        #expect(table.index(of: PeerID(PeerID.guestsFrom)) == 0)
        guard case .connected(let peer) = table.translated(.connected(PeerID(4))) else {
            Issue.record("the same input")
            return
        }
        #expect(peer == PeerID(3))
    }
}
