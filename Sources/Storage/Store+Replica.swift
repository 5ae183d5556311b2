import Consensus
import Encoding
import Execution
import Ledger
import LedgerCrypto
import Records
import Replica

/// The store as the replica's driver uses it: `Effect.persist` is `persist`, `Effect.commit` is
/// `commit`, and a restart begins with `replicaState`.
extension Store {
    /// Blocks read at a time when the replay window is rebuilt.
    private static let blocksPerRead = 64

    /// What the replica goes on from.
    ///
    /// Call before anything is committed: it is what the file held at opening.
    public func replicaState() throws(StorageError) -> Recovered {
        precondition(watermark == recovered.watermark, "a replica starts before it commits")
        return Recovered(
            header: recovered.header, frontier: recovered.watermark.frontier,
            finalization: recovered.finalization, bodies: recovered.bodies,
            votes: recovered.votes, certificates: recovered.certificates, replay: try replayWindow()
        )
    }

    /// Ids of final transactions that have not expired, rebuilt from the newest stored blocks.
    public func replayWindow() throws(StorageError) -> ReplayWindow {
        var window = ReplayWindow()
        let end = watermark.height
        window.prune(height: end)
        let length = genesis.parameters.replayWindowBlocksMax
        var height = end > length ? end - length : 0
        while height <= end {
            let blocks = try blocks(
                from: height, countMax: Self.blocksPerRead, bytesMax: LedgerLimits.blockBytesMax)
            guard !blocks.isEmpty else {
                throw .damaged(path: path, reason: "block \(height) is missing")
            }
            for stored in blocks {
                do throws(EnvelopeError) {
                    try window.insert(stored.block, chain: chain, suite: suite)
                } catch {
                    let found = stored.block.header.height
                    throw .damaged(
                        path: path, reason: "block \(found) holds an envelope that is none")
                }
            }
            height += UInt64(blocks.count)
        }
        return window
    }

    /// The answer to `Effect.serveFinalBlocks`: within `PeerLimits`, and its last block certifies
    /// all of them. Empty above the watermark, and where more blocks than one message holds became
    /// final by a single certificate.
    public func finalBlocks(from height: UInt64) throws(StorageError) -> [CertifiedBlock] {
        try certifiedBlocks(
            from: height, countMax: PeerLimits.blocksMax, bytesWanted: PeerLimits.blocksBytesMax,
            bytesMax: PeerLimits.message.bytesMax - Self.messageHeadBytesMax
        ).map { CertifiedBlock(block: $0.block, finalization: $0.finalization) }
    }

    /// The block that ended an epoch; nil where it is above that height or not held, or the epoch has not ended.
    public func end(
        ofEpoch epoch: UInt64, upTo height: UInt64
    ) throws(StorageError) -> CertifiedBlock? {
        guard let end = try endHeight(ofEpoch: epoch), end <= height else { return nil }
        return try block(end).map {
            CertifiedBlock(block: $0.block, finalization: $0.finalization)
        }
    }

    /// Of a message, before its list's items.
    private static let messageHeadBytesMax = 64

    /// Makes the replica's commit durable; see `commit(_:)`.
    public func commit(_ commit: Commit) throws(StorageError) {
        var finalizations: [Digest: Certificate] = [:]
        for certificate in commit.earlier + [commit.finalization] {
            if let header = certificate.statement.subject?.header {
                finalizations[header] = certificate
            }
        }
        try self.commit(
            commit.blocks.map {
                BlockCommit($0, finalization: finalizations[$0.headerDigest], suite: suite)
            }, skipped: commit.skipped)
    }
}

extension BlockCommit {
    public init(_ executed: ExecutedBlock, finalization: Certificate?, suite: Suite) {
        self.init(
            block: executed.block, header: executed.headerDigest, finalization: finalization,
            outcomes: executed.outcomes, log: executed.log, layer: executed.mapLayer,
            changes: executed.delta.changes,
            events: executed.events.map { placed in
                StoredEvent(
                    asset: placed.asset, log: placed.event.log.rawValue,
                    index: placed.event.index, bytes: placed.event.encoded)
            },
            texts: AssetText.changed(by: executed, suite: suite),
            nextValidators: executed.nextValidators)
    }
}

extension AssetText {
    /// The texts of the assets whose rights log has grown: an asset is described when it is
    /// registered, not each time it is traded.
    static func changed(by executed: ExecutedBlock, suite: Suite) -> [AssetText] {
        var seen: Set<Digest> = []
        var texts: [AssetText] = []
        for placed in executed.events where placed.event.log == .rights {
            guard seen.insert(placed.asset).inserted,
                let value = executed.delta.value(
                    for: StateKey.digest(.asset, placed.asset, suite: suite)),
                let value,
                let stored = try? StoredRecord.decode(value, limits: StoredRecord.limits),
                let record = try? AssetRecord.decode(stored.body, limits: StoredRecord.limits)
            else { continue }
            texts.append(AssetText(record))
        }
        return texts
    }

    public init(_ record: AssetRecord) {
        self.init(
            asset: record.id, titleZh: record.titleZh, titleEn: record.titleEn,
            keywords: ([record.code, record.provider.text, record.source] + record.keywords)
                .joined(separator: " "))
    }
}

extension IndexBatch {
    /// The batch of a block that has just been committed.
    public init(_ executed: ExecutedBlock, suite: Suite) {
        self.init(
            height: executed.height,
            entries: zip(executed.outcomes, executed.transactions).map { outcome, transaction in
                Entry(
                    transaction: transaction?.id, digest: outcome.entryDigest,
                    member: transaction?.member, code: outcome.code)
            },
            events: executed.events.map {
                Event(asset: $0.asset, log: $0.event.log.rawValue, index: $0.event.index)
            },
            texts: AssetText.changed(by: executed, suite: suite))
    }
}
