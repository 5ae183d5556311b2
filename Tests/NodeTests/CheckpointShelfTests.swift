import Ledger
import LightClient
import Testing

@testable import Node

@Suite struct CheckpointShelfTests {
    /// Commits leave gaps between the heights.
    @Test func holdsSoManyOfTheNewest() throws {
        let network = try TestNetwork(1)
        let (chain, suite) = (network.genesis.chain, network.genesis.suite)
        let log = try #require(
            LogCheckpoint(network.genesis.header(stateRoot: .zero), suite: suite))
        let cosigner = LogCosigner(network.genesis.validators.validators[0], chain: chain)
        let cosigned = CosignedCheckpoint(
            log,
            LogCosignature(log, time: 1, cosigner: cosigner, with: network.votingKeys[0]))
        var shelf = CheckpointShelf()
        #expect(shelf.at(nil) == nil)
        let heights = (0..<UInt64(CheckpointShelf.countMax) + 10).map { 5 + 3 * $0 }
        for height in heights { shelf.add(cosigned, height: height) }
        let held = (0...heights[heights.count - 1]).filter { shelf.at($0) != nil }
        #expect(held == Array(heights.suffix(CheckpointShelf.countMax)))
        #expect(shelf.at(nil) != nil)
    }
}
