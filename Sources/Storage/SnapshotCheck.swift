import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle

/// Why something that a peer gave for a snapshot is not genuine. An honest peer's never is.
public enum SnapshotFault: Error, Equatable, Sendable, CustomStringConvertible {
    case undecodable(CBORError)
    /// Header, certificate or an epoch's change.
    case notCertified(EvidenceProblem)
    case nextValidators
    /// The parts of the state do not add up to the certified root.
    case stateRoot
    /// The log's end is not the one of the block below the first.
    case logEnd
    /// A header is not an ancestor of the certified one, or out of order.
    case ancestor(Int)
    /// The blocks do not begin where the replay window does.
    case firstHeight(UInt64)
    /// The entries are not those of this part of the state.
    case stateChunk(Int)
    case blockChunk(Int, height: UInt64, String)
    case noSuchChunk(Int)
    /// The manifest is not the one that was offered.
    case otherManifest

    public var description: String {
        switch self {
        case .undecodable(let error): "it does not decode: \(error) / 无法解码"
        case .notCertified(let problem): "it is not certified: \(problem.english) / 未经认证"
        case .nextValidators: "the next validator set is not the header's / 下一届记账节点集合不符"
        case .stateRoot: "its parts are not the certified state / 状态分片与已认证状态根不符"
        case .logEnd: "the log's end is not the header's / 日志末端与区块头不符"
        case .ancestor(let index): "header \(index) is no ancestor / 第 \(index) 个区块头不是祖先"
        case .firstHeight(let height): "its blocks begin at \(height) / 区块起始高度不符"
        case .stateChunk(let index):
            "chunk \(index) is not that part of the state / 第 \(index) 个分片不是该部分状态"
        case .blockChunk(let index, let height, let why):
            "chunk \(index), block \(height): \(why) / 第 \(index) 个分片的区块不符"
        case .otherManifest: "it is not the manifest offered / 与所报清单不符"
        case .noSuchChunk(let index): "there is no chunk \(index) / 没有第 \(index) 个分片"
        }
    }
}

/// A manifest that genesis proves, by which every chunk can be checked alone.
public struct VerifiedManifest: Sendable {
    public let manifest: SnapshotManifest
    /// What tells one snapshot of a height from another; see `SnapshotManifest.identity`.
    public let digest: Digest
    let suite: Suite
    private let chain: ChainID
    private let recovery: RecoveryRule?
    /// By epoch.
    private let sets: [ValidatorSet]
    private let stateParts: [MapCover.Part]

    public var height: UInt64 { manifest.height }

    /// - Throws: `SnapshotFault`; the peer that gave the bytes lies or is broken.
    public init(_ bytes: [UInt8], genesis: Genesis) throws(SnapshotFault) {
        let manifest: SnapshotManifest
        do throws(CBORError) {
            manifest = try SnapshotManifest.decode(bytes, limits: SnapshotLimits.manifest)
        } catch {
            throw .undecodable(error)
        }
        suite = genesis.suite
        chain = genesis.chain
        recovery = genesis.recovery
        digest = manifest.identity(suite)
        do throws(EvidenceProblem) {
            _ = try Verifier(genesis: genesis).verifyCheckpoint(
                header: manifest.header, certificate: manifest.finalization,
                epochChanges: manifest.epochChanges)
        } catch {
            throw .notCertified(error)
        }
        sets = [genesis.validators] + manifest.epochChanges.map(\.next)
        stateParts = manifest.cover.parts.filter { !$0.summary.isEmpty }
        self.manifest = manifest
        try checkParts(window: genesis.parameters.replayWindowBlocksMax)
    }

    private func checkParts(window: UInt64) throws(SnapshotFault) {
        let header = manifest.header
        guard manifest.nextValidators?.digest(suite) == header.nextValidators,
            manifest.nextValidators.map({ $0.epoch == header.epoch + 1 && $0.suite == suite })
                ?? true
        else { throw .nextValidators }
        guard manifest.cover.root(suite) == header.stateRoot else { throw .stateRoot }
        var height: UInt64?
        for (index, ancestor) in manifest.headers.enumerated() {
            let root = LogProof.rootFromInclusion(
                leafHash: LogLeaf.header(ancestor.header.digest(suite), suite: suite),
                index: ancestor.header.logSize, size: header.logSize, path: ancestor.path,
                suite: suite)
            guard root == header.logRoot, ancestor.header.height < header.height,
                height.map({ ancestor.header.height > $0 }) ?? true
            else { throw .ancestor(index) }
            height = ancestor.header.height
        }
        let base = manifest.headers[0].header
        guard base.height == SnapshotManifest.baseHeight(of: header.height, window: window) else {
            throw .firstHeight(manifest.firstHeight)
        }
        guard manifest.logEnd.size == base.logSize,
            manifest.logEnd.frontier(suite).root(suite) == base.logRoot
        else { throw .logEnd }
    }

    /// Whether a chunk is genuine, whatever the others are.
    public func check(chunk index: Int, _ bytes: [UInt8]) throws(SnapshotFault) {
        if index < stateParts.count {
            _ = try entries(ofChunk: index, bytes)
        } else {
            _ = try blocks(ofChunk: index, bytes)
        }
    }

    /// The entries of a state chunk, checked.
    func entries(
        ofChunk index: Int, _ bytes: [UInt8]
    ) throws(SnapshotFault) -> [(leaf: MapLeaf, value: [UInt8])] {
        guard stateParts.indices.contains(index) else { throw .noSuchChunk(index) }
        let entries = try Self.decode(StateChunk.self, bytes).entries.map {
            (leaf: MapLeaf(key: $0.key, valueHash: suite.digest($0.value)), value: $0.value)
        }
        guard stateParts[index].isExactly(entries.map(\.leaf), suite: suite) else {
            throw .stateChunk(index)
        }
        return entries
    }

    /// The blocks of a chunk, each with its outcomes, checked.
    func blocks(
        ofChunk index: Int, _ bytes: [UInt8]
    ) throws(SnapshotFault) -> [(block: SnapshotBlock, header: Digest, outcomes: [EntryOutcome])] {
        let number = index - stateParts.count
        guard manifest.headers.indices.contains(number) else { throw .noSuchChunk(index) }
        let before = manifest.headers[number].header
        let isLast = number == manifest.headers.count - 1
        let end = isLast ? manifest.header : manifest.headers[number + 1].header
        var parent = before.digest(suite)
        var height = before.height
        var checked: [(SnapshotBlock, Digest, [EntryOutcome])] = []
        for member in try Self.decode(BlockChunk.self, bytes).blocks {
            height += 1
            let outcomes = member.outcomes(suite)
            if let why = problem(member, outcomes, height: height, parent: parent) {
                throw .blockChunk(index, height: height, why)
            }
            parent = member.block.header.digest(suite)
            checked.append((member, parent, outcomes))
        }
        // The end is proven to be an ancestor, so everything below it in the chain of parents is too.
        guard height == end.height, parent == end.digest(suite) else {
            throw .blockChunk(index, height: height, "it does not lead to the proven header")
        }
        return checked
    }

    private func problem(
        _ member: SnapshotBlock, _ outcomes: [EntryOutcome], height: UInt64, parent: Digest
    ) -> String? {
        let header = member.block.header
        guard header.chain == chain, header.height == height, header.parent == parent,
            header.epoch < UInt64(sets.count)
        else { return "it does not follow" }
        guard header.entryCount == UInt64(member.block.entries.count),
            resultsRoot(outcomes, suite: suite) == header.resultsRoot
        else { return "entries or codes are not those of its results root" }
        guard let finalization = member.finalization else {
            return header.nextValidators == nil ? nil : "an epoch's last block has no certificate"
        }
        guard
            finalization.verifiedFinal(
                of: header, chain: chain, validators: sets[Int(header.epoch)], rule: recovery)
                != nil
        else { return "its certificate is not valid" }
        return nil
    }

    private static func decode<Chunk: CBORDecodable>(
        _: Chunk.Type, _ bytes: [UInt8]
    ) throws(SnapshotFault) -> Chunk {
        do throws(CBORError) {
            return try Chunk.decode(bytes, limits: SnapshotLimits.chunk)
        } catch {
            throw .undecodable(error)
        }
    }
}
