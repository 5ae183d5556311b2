import Consensus
import Execution
import Ledger
import LedgerCrypto
import Merkle
import Records
import Replica

/// A replica's durable store, in memory. It outlives the replica's crashes; each method is one durable step, as
/// `Storage` makes it: done when it returns, or not done at all.
final class SimulatedDisk: StateReader, MapReader {
    struct StoredBlock {
        let block: Block
        let finalization: Certificate?
    }

    let genesis: Genesis
    let suite: Suite
    private(set) var header: Header
    private(set) var headerDigest: Digest
    private(set) var frontier = LogFrontier()
    private(set) var finalization: Certificate?
    /// By height, from 1.
    private(set) var blocks: [StoredBlock] = []
    private(set) var bodies: [Block] = []
    private(set) var votes: [VoteStatement] = []
    private(set) var certificates: [Certificate] = []
    private var values: [Digest: [UInt8]] = [:]
    private var map: MemoryMap

    init(genesis: Genesis, state: GenesisState) {
        self.genesis = genesis
        suite = genesis.suite
        header = state.header
        headerDigest = state.headerDigest
        map = MemoryMap(suite: genesis.suite)
        apply(state.delta, state.mapLayer)
    }

    // MARK: Reads

    var top: MapTop { map.top }
    func leaves(ofBucket id: UInt32) -> [HashedLeaf] { map.leaves(ofBucket: id) }
    func value(for key: Digest) -> [UInt8]? { values[key] }
    var stateRoot: Digest { map.top.root }

    var height: UInt64 { header.height }
    var finalView: UInt64 { finalization?.view ?? 0 }

    /// Values by ascending key.
    var records: [[UInt8]] {
        values.keys.sorted().compactMap { values[$0] }
    }

    /// From a height on, up to the next certified block at or after `countMax` blocks.
    func finalBlocks(from height: UInt64, countMax: Int) -> [CertifiedBlock] {
        guard height >= 1, height <= UInt64(blocks.count) else { return [] }
        var answer: [CertifiedBlock] = []
        for stored in blocks[Int(height - 1)...] {
            answer.append(CertifiedBlock(block: stored.block, finalization: stored.finalization))
            if answer.count >= countMax, stored.finalization != nil { break }
        }
        return answer
    }

    /// The block that ended an epoch, where it is not above that height.
    func end(ofEpoch epoch: UInt64, upTo height: UInt64) -> CertifiedBlock? {
        blocks.first {
            $0.block.header.epoch == epoch && $0.block.header.nextValidators != nil
                && $0.block.header.height <= height
        }.map { CertifiedBlock(block: $0.block, finalization: $0.finalization) }
    }

    func recovered() -> Recovered {
        var replay = ReplayWindow()
        for stored in blocks.suffix(Int(genesis.parameters.replayWindowBlocksMax)) {
            // These bytes were decoded before they were stored.
            try? replay.insert(stored.block, chain: header.chain, suite: suite)
        }
        replay.prune(height: height)
        return Recovered(
            header: header, frontier: frontier, finalization: finalization, bodies: bodies,
            votes: votes, certificates: certificates, replay: replay)
    }

    // MARK: Durable steps

    func persist(bodies: [Block], votes: [VoteStatement], certificates: [Certificate]) {
        self.bodies += bodies
        self.votes += votes
        self.certificates += certificates
    }

    func commit(_ commit: Commit) {
        for executed in commit.blocks {
            precondition(executed.header.parent == headerDigest, "blocks are committed in order")
            let isLast = executed.headerDigest == commit.blocks.last?.headerDigest
            blocks.append(
                StoredBlock(
                    block: executed.block,
                    finalization: isLast
                        ? commit.finalization
                        : commit.earlier.first {
                            $0.statement.subject?.header == executed.headerDigest
                        }))
            apply(executed.delta, executed.mapLayer)
            header = executed.header
            headerDigest = executed.headerDigest
            frontier = executed.frontier
        }
        finalization = commit.finalization
        let last = commit.finalization.statement
        votes.removeAll { ($0.epoch, $0.view) <= (last.epoch, last.view) }
        certificates.removeAll {
            ($0.statement.epoch, $0.statement.view) <= (last.epoch, last.view)
        }
        let height = header.height
        bodies.removeAll { $0.header.height <= height }
    }

    private func apply(_ delta: StateDelta, _ layer: MapLayer) {
        for change in delta.changes { values[change.key] = change.value }
        map.commit(layer)
    }
}
