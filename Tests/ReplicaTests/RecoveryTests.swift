import Consensus
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Market
import Records
import Testing

@testable import Replica
@testable import Simulator

/// A quorum is lost for good, and the keys of the genesis' rule begin the next epoch.
struct RecoveryTests {
    /// More than fit into every run of the tests: `HUIJIN_RECOVERY_SEEDS=24`.
    static let seeds =
        1...(ProcessInfo.processInfo.environment["HUIJIN_RECOVERY_SEEDS"].flatMap { UInt64($0) }
        ?? 6)

    /// Runs until some blocks are final, and takes two of the four away at a moment that the seed draws: within a view or between
    /// two, in every third run while a fifth is about to be seated.
    private static func crippled(_ seed: UInt64) -> EpochNetwork {
        let network = EpochNetwork(seed: seed)
        network.loadUs = 100_000
        // In every second run messages are lost, so that some voted for blocks whose proposals they never had.
        network.drop = seed % 2 == 0 ? 150 : 0
        let blocks = 5 + network.dice.below(5)
        #expect(network.run(untilSeconds: 20) { network.headers.count >= blocks })
        if seed % 3 == 0 { _ = network.join(network.addNode()) }
        let endUs = network.nowUs + UInt64(network.dice.below(60_000))
        _ = network.run(untilSeconds: 1) { network.nowUs >= endUs }
        for index in [2, 3] { network.stop(index) }
        network.drop = 0
        // What counts is what those who are left have on their disks.
        for index in [0, 1] { network.restart(index) }
        return network
    }

    /// Who of those left knows the latest block that may be final elsewhere.
    private static func furthest(_ network: EpochNetwork, of left: [Int] = [0, 1]) -> Int {
        func rank(_ index: Int) -> (UInt64, UInt64) {
            let replica = network.nodes[index].replica
            return (replica.simplex.epoch, replica.recoveryBasis.certificate?.view ?? 0)
        }
        return left.max { rank($0) < rank($1) } ?? left[0]
    }

    /// Whatever was final anywhere stays: the network notes the first final header of each height, and another one is a fault.
    @Test(arguments: seeds)
    func nothingFinalIsLost(_ seed: UInt64) throws {
        let network = Self.crippled(seed)
        // In some runs those who are left have told one another what they hold, in the others not.
        if seed % 4 > 1 { _ = network.run(untilSeconds: 2) { false } }
        let stalled = network.headers.count
        if seed % 4 > 1 {
            #expect(!network.run(untilSeconds: 2) { network.headers.count > stalled })
        }
        #expect(network.faults == [])
        let newcomers = [network.addNode(), network.addNode()]
        func hasSeats(_ index: Int) -> Bool {
            ([0, 1] + newcomers).allSatisfy {
                network.nodes[index].set.index(ofKey: network.nodes[$0].key.keyID) != nil
            }
        }
        // Where validators had agreed on another set themselves, that one has no quorum either, and is recovered once more.
        for _ in 0..<2 where !hasSeats(0) {
            let source = Self.furthest(network)
            let recovery = network.signed(
                try network.recovery(from: source, seating: [0, 1] + newcomers), by: [0, 2])
            #expect(network.refusal(of: recovery, at: source) == nil)
            let epoch = network.nodes[source].set.epoch
            network.give(.recovery(recovery), to: source)
            // The other one, and the newcomers, learn it from the blocks.
            let began = network.run(untilSeconds: 10) {
                network.nodes[0].set.epoch > epoch && network.nodes[1].set.epoch > epoch
            }
            try #require(began, "\(network.faults)")
        }
        let height = network.headers.count
        let goesOn = network.run(untilSeconds: 20) { network.headers.count >= height + 10 }
        #expect(goesOn && network.faults == [] && hasSeats(newcomers[0]), "\(network.faults)")
        // A node that restarts is where it was, and one that comes back with the old keys follows without a vote.
        network.restart(0)
        network.restart(2)
        let isBack = network.run(untilSeconds: 20) {
            network.nodes[2].set == network.nodes[0].set
                && network.nodes[2].disk.height + 5 > UInt64(network.headers.count)
        }
        #expect(isBack && network.faults == [], "\(network.faults)")
        #expect(network.nodes[2].replica.seat == nil)
    }

    /// Over those moments the survivors must at times have gone on from a block that was not final to them, and from the end of an
    /// epoch, or the test above would show little.
    @Test func someBasesAreNotFinal() {
        let networks = (1...24 as ClosedRange<UInt64>).map { Self.crippled($0) }
        let depths = networks.map { network in
            let replica = network.nodes[Self.furthest(network)].replica
            return replica.recoveryBasis.subject.height - replica.finalHeight
        }
        #expect(depths.contains { $0 > 0 } && depths.contains(0), "\(depths)")
    }

    @Test func whatIsNotForThisNodeIsRefused() throws {
        let network = Self.crippled(1)
        let source = Self.furthest(network)
        let newcomers = [network.addNode(), network.addNode()]
        let bare = try network.recovery(from: source, seating: [0, 1] + newcomers)
        func refusal(_ recovery: Recovery, at index: Int) -> RecoveryRefusal? {
            network.refusal(of: recovery, at: index)
        }
        #expect(refusal(bare, at: source) == .notCertified(signatures: 0, threshold: 2))
        #expect(
            refusal(network.signed(bare, by: [1]), at: source)
                == .notCertified(signatures: 1, threshold: 2))
        let good = network.signed(bare, by: [1, 2])
        #expect(refusal(good, at: source) == nil)
        // A signature in another key's place.
        let signatures = good.certificate.signatures
        let swapped = zip(signatures, signatures.reversed()).map {
            CertificateSignature(validator: $0.validator, signature: $1.signature)
        }
        func altered(
            basis: Certificate?, _ signatures: [CertificateSignature]
        ) throws -> Recovery {
            try #require(
                Recovery(
                    suite: good.suite, basis: basis, next: good.next, blocks: good.blocks,
                    certificate: Certificate(
                        statement: good.certificate.statement, signatures: signatures)))
        }
        #expect(
            refusal(try altered(basis: good.basis, swapped), at: source)
                == .notCertified(signatures: 2, threshold: 2))
        // Whoever signs after that drops what is not valid.
        let rule = try #require(network.genesis.recovery)
        let mended = try altered(basis: good.basis, swapped).adding(signatures[0], under: rule)
        #expect(mended?.certificate.signatures == [signatures[0]])
        // One that goes on from less than this node knows, and one whose basis nobody certified.
        let basis = try #require(good.basis)
        #expect(
            refusal(try altered(basis: nil, signatures), at: source)
                == .laterBlock(
                    height: good.last.header.height - 1, view: basis.view,
                    basisView: 0))
        // Before anybody has signed, so that nobody signs what a node will refuse.
        #expect(
            refusal(try altered(basis: nil, []), at: source)
                == refusal(try altered(basis: nil, signatures), at: source))
        let bold = Certificate(statement: basis.statement, signatures: [])
        #expect(refusal(try altered(basis: bold, signatures), at: source) == .badBasis)
        // One node is far behind.
        #expect(
            refusal(good, at: newcomers[0])
                == .behind(finalHeight: 0, firstHeight: good.blocks[0].header.height))
        network.give(.recovery(good), to: source)
        #expect(refusal(good, at: source) == .otherEpoch(found: 0, expected: 1))
    }

    /// Nothing could follow a block of a time that has not come.
    @Test func theClockBoundsIt() throws {
        let network = Self.crippled(1)
        let source = Self.furthest(network)
        network.clockAheadMs = 60_000
        let early = network.signed(
            try network.recovery(from: source, seating: [0, 1, network.addNode()]), by: [0, 1])
        network.clockAheadMs = 0
        guard case .aheadOfClock? = network.refusal(of: early, at: source) else {
            Issue.record("\(String(describing: network.refusal(of: early, at: source)))")
            return
        }
    }

    /// The rule's keys sign a header. What stands in the file's bodies is checked like what a client sends.
    @Test func signaturesOfTransactionsAreChecked() throws {
        let network = Self.crippled(1)
        let source = Self.furthest(network)
        let good = network.signed(
            try network.recovery(from: source, seating: [0, 1, network.addNode()]), by: [0, 1])
        guard case .envelope(var bytes)? = good.last.entries.first else {
            Issue.record("a recovery's block holds one entry")
            return
        }
        #expect(good.last.entries.count == 1)
        bytes[bytes.count - 1] ^= 1
        let block = Block(header: good.last.header, entries: [.envelope(bytes)])
        let forged = try #require(
            Recovery(
                suite: good.suite, basis: good.basis, next: good.next,
                blocks: good.blocks.dropLast() + [block],
                certificate: good.certificate))
        let height = network.nodes[source].replica.finalHeight
        network.give(.recovery(forged), to: source)
        #expect(network.nodes[source].replica.finalHeight == height && network.faults == [])
        network.give(.recovery(good), to: source)
        #expect(network.nodes[source].replica.finalHeight == good.last.header.height)
    }

    /// Who makes a file may have the holders of keys sign anything: no node takes it, and none stops for it, whoever brings it.
    @Test func aBlockThatNobodyCanExecuteStopsNobody() throws {
        let network = Self.crippled(1)
        let source = Self.furthest(network)
        let good = try network.recovery(from: source, seating: [0, 1, network.addNode()])
        guard case .envelope(var bytes)? = good.last.entries.first else {
            Issue.record("a recovery's block holds one entry")
            return
        }
        bytes[bytes.count - 1] ^= 1
        let envelope = try Envelope(bytes: bytes, chain: network.chain, suite: network.suite)
        var replica = network.nodes[source].replica
        let state = try #require(replica.parentState(good.last.header.parent))
        let signer = replica.key(of: envelope, on: state)
        let key = try #require(signer)
        let executed = replica.executor.build(
            on: state,
            candidates: [
                Verified(assumingValid: SignedTransaction(envelope: envelope, key: key))
            ], timeMs: good.last.header.timeMs, replay: replica.replay, isRecovery: true)
        #expect(executed.nextValidators != nil)
        let bad = network.signed(
            try #require(
                Recovery(
                    suite: good.suite, basis: good.basis, next: good.next,
                    blocks: good.blocks.dropLast() + [executed.block],
                    certificate: Certificate(
                        statement: .recover(epoch: 0, executed.subject), signatures: []))),
            by: [0, 1])
        #expect(network.refusal(of: bad, at: source) == nil)
        for index in [source, 1 - source] {
            let height = network.nodes[index].replica.finalHeight
            network.give(.recovery(bad), to: index)
            #expect(network.nodes[index].replica.finalHeight == height)
        }
        #expect(network.faults == [])
        network.give(.recovery(network.signed(good, by: [0, 1])), to: source)
        #expect(network.nodes[source].replica.finalHeight == good.last.header.height)
    }

    @Test func seatsFollowTheRules() throws {
        let network = Self.crippled(2)
        let source = Self.furthest(network)
        #expect(throws: RecoveryRefusal.refused(.wrongState)) {
            try network.recovery(from: source, seating: [0, 1, 2, 3])
        }
        #expect(throws: RecoveryRefusal.refused(.alreadyExists)) {
            try network.recovery(from: source, seating: [0, 0])
        }
        #expect(throws: RecoveryRefusal.refused(.validatorCount)) {
            try network.recovery(from: source, seating: [])
        }
    }

    /// A peer that gives a recovery which the rule's keys did not sign is a forger, like one with any other certificate.
    @Test func aForgedRecoveryCutsItsSenderOff() throws {
        let network = Self.crippled(4)
        let source = Self.furthest(network)
        let newcomer = network.addNode()
        let recovery = network.signed(
            try network.recovery(from: source, seating: [0, 1, newcomer]), by: [0])
        let blocks = recovery.blocks.map { block in
            CertifiedBlock(
                block: block,
                finalization: block == recovery.last ? recovery.certificate : nil)
        }
        let other = 1 - source
        let height = network.nodes[other].replica.finalHeight
        network.give(.message(from: PeerID(source), .finalBlocks(blocks)), to: other)
        #expect(network.nodes[other].replica.finalHeight == height)
        #expect(network.nodes[other].set.epoch == 0)
        let isCutOff =
            network.faults == [
                "node \(other) cuts off v\(source): forgedCertificate"
            ]
        // One that is behind finds first that the blocks are not its next ones.
        #expect(isCutOff || recovery.blocks[0].header.height != height + 1)
    }

    /// Submitted like any other transaction, it is refused, and the chain goes on as before.
    @Test func ordinaryBlocksDoNotRecover() {
        let network = EpochNetwork(seed: 5)
        let newcomer = network.addNode()
        let id = network.govern(
            ValidatorRecover(seats: [
                Validator(
                    member: network.nodes[newcomer].member, votingKey: network.nodes[newcomer].key,
                    transportKey: EpochNetwork.transportKey(newcomer))
            ]))
        let join = network.join(newcomer)
        #expect(network.run(untilSeconds: 20) { network.outcomes[join] != nil })
        #expect(network.outcomes[id] == OutcomeCode.notPermitted.rawValue)
        #expect(network.newest.count == 5 && network.faults == [])
    }
}
