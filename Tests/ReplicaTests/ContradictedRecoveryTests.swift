import Consensus
import Ledger
import LedgerCrypto
import Testing

@testable import Replica
@testable import Simulator

/// A replica whose final blocks do not lead to a recovery that others took says so, and goes on.
struct ContradictedRecoveryTests {
    /// A history of its own for each seed, under one genesis, recovered after some blocks by these keys.
    private static func recovered(
        _ seed: UInt64, blocks: Int, by signers: [Int] = [0, 2]
    ) throws -> (blocks: [CertifiedBlock], end: CertifiedBlock) {
        let network = EpochNetwork(seed: seed)
        #expect(network.run(untilSeconds: 20) { network.headers.count >= blocks })
        for index in [1, 2, 3] { network.stop(index) }
        let recovery = network.signed(
            try network.recovery(from: 0, seating: [0, network.addNode()]), by: signers)
        // From its first block on, with the recovery whoever signed it.
        let held = network.nodes[0].disk.blocks.map {
            CertifiedBlock(block: $0.block, finalization: $0.finalization)
        }
        let above = recovery.blocks.map { block in
            CertifiedBlock(
                block: block,
                finalization: block == recovery.last ? recovery.certificate : nil)
        }
        return (held + above, try #require(above.last))
    }

    private static func replica(_ seed: UInt64, blocks: Int) throws -> Replica<SimulatedDisk> {
        let network = EpochNetwork(seed: seed)
        #expect(
            network.run(untilSeconds: 20) { network.nodes[3].disk.height >= UInt64(blocks) })
        return network.nodes[3].replica
    }

    private static func found(_ effects: [Effect]) -> [Header] {
        effects.compactMap { if case .contradicted(let header, _) = $0 { header } else { nil } }
    }

    private static func offences(_ effects: [Effect]) -> [Offence] {
        effects.compactMap { if case .cutOff(_, let offence) = $0 { offence } else { nil } }
    }

    /// Its own history is longer than the recovered one, or as long.
    @Test func oneThatIsNotAboveTheFinalBlockIsTold() throws {
        let (_, end) = try Self.recovered(2, blocks: 5)
        let height = Int(end.block.header.height)
        for blocks in [height, height + 3] {
            var replica = try Self.replica(1, blocks: blocks)
            let final = replica.finalHeight
            let message = Input.message(from: PeerID(1), .finalBlocks([end]))
            let effects = replica.handle(message, nowMs: 1_800_000_000_000)
            #expect(Self.found(effects) == [end.block.header] && Self.offences(effects).isEmpty)
            #expect(replica.finalHeight == final && replica.simplex.epoch == 0)
            // Once, whatever else the keys have signed.
            for again in [end, try Self.recovered(3, blocks: 4).end] {
                let more = replica.handle(
                    .message(from: PeerID(2), .finalBlocks([again])), nowMs: 1_800_000_000_100)
                #expect(Self.found(more).isEmpty)
            }
        }
    }

    /// The recovered history is the longer one, and goes on from another block than the final one here.
    @Test func oneAboveTheFinalBlockIsToldByItsParents() throws {
        let (blocks, end) = try Self.recovered(2, blocks: 8)
        let replica = try Self.replica(1, blocks: 3)
        let next = try #require(
            blocks.firstIndex { $0.block.header.height == replica.finalHeight + 1 })
        #expect(replica.finalHeight < end.block.header.height)
        func effects(_ blocks: [CertifiedBlock]) -> [Effect] {
            var copy = replica
            return copy.handle(
                .message(from: PeerID(1), .finalBlocks(blocks)), nowMs: 1_800_000_000_000)
        }
        #expect(Self.found(effects(Array(blocks[next...]))) == [end.block.header])
        #expect(Self.found(effects(Array(blocks[(next - 1)...]))) == [end.block.header])
        // Nothing shows where these lead from, nor that these are of one history.
        #expect(Self.found(effects(Array(blocks[(next + 1)...]))).isEmpty)
        #expect(Self.found(effects([blocks[next], end])).isEmpty)
    }

    /// Blocks of the very history that is final here contradict nothing, and are taken.
    @Test func theOwnHistorysRecoveryIsTaken() throws {
        let (blocks, end) = try Self.recovered(1, blocks: 5)
        var replica = try Self.replica(1, blocks: 2)
        let effects = replica.handle(
            .message(from: PeerID(0), .finalBlocks(blocks)), nowMs: 1_800_000_000_000)
        #expect(Self.found(effects).isEmpty && Self.offences(effects).isEmpty)
        #expect(replica.finalHeader == end.block.header && replica.simplex.epoch == 1)
    }

    /// Who says that there was a recovery which the rule's keys did not sign is cut off, and nothing is told.
    @Test func aForgedOneTellsNothing() throws {
        for signers in [[], [1]] as [[Int]] {
            let (_, end) = try Self.recovered(2, blocks: 5, by: signers)
            var replica = try Self.replica(1, blocks: Int(end.block.header.height))
            let effects = replica.handle(
                .message(from: PeerID(1), .finalBlocks([end])), nowMs: 1_800_000_000_000)
            #expect(Self.found(effects).isEmpty)
            #expect(Self.offences(effects) == [.forgedCertificate])
        }
    }

    /// Nobody asked the nodes that knew more: the recovery goes on from one that had fallen behind. The others learn of it by telling where
    /// they stand, say so, and go on as long as they are a quorum: a recovery that should not have been stops no ledger that lives.
    @Test(arguments: [1, 2] as [UInt64], [false, true])
    func whoWentOnIsTold(_ seed: UInt64, goesOnMeanwhile: Bool) throws {
        let network = EpochNetwork(seed: seed)
        network.loadUs = 200_000
        #expect(network.run(untilSeconds: 20) { network.headers.count >= 4 })
        network.stop(0)
        let behind = network.nodes[0].disk.height
        #expect(
            network.run(untilSeconds: 20) {
                [1, 2, 3].allSatisfy { network.nodes[$0].disk.height >= behind + 3 }
            })
        for index in [1, 2, 3] { network.stop(index) }
        network.restart(0)
        let newcomers = [network.addNode(), network.addNode()]
        let recovery = network.signed(
            try network.recovery(from: 0, seating: [0] + newcomers), by: [1, 2])
        network.isForked = true
        network.give(.recovery(recovery), to: 0)
        func height(_ index: Int) -> UInt64 { network.nodes[index].disk.height }
        // Empty nodes follow whatever history they are given first.
        let least = recovery.last.header.height + (goesOnMeanwhile ? 10 : 0)
        #expect(network.run(untilSeconds: 20) { newcomers.allSatisfy { height($0) >= least } })
        let own = [1, 2, 3].map(height)
        for index in [1, 2, 3] { network.restart(index) }
        #expect(
            network.run(untilSeconds: 20) {
                Set(network.contradictions.map(\.node)) == [1, 2, 3]
            })
        #expect(
            network.run(untilSeconds: 40) {
                [1, 2, 3].allSatisfy { height($0) > own[$0 - 1] + 5 }
                    && newcomers.allSatisfy { height($0) > recovery.last.header.height + 5 }
            })
        #expect(network.contradictions.count == 3)
        #expect(
            network.contradictions.allSatisfy {
                $0.header == recovery.last.header && $0.certificate == recovery.certificate
            })
        #expect([1, 2, 3].allSatisfy { network.nodes[$0].set.epoch == 0 })
        #expect(network.faults == [])
        // A process that starts again has forgotten, and is told again.
        network.restart(2)
        #expect(network.run(untilSeconds: 20) { network.contradictions.count == 4 })
    }
}
