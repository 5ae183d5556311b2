import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import SQLite

/// Where the chain begins in a store that was filled from a snapshot, and what stands for the part below.
///
/// Stored as `[joined height, header, log end, [* epoch change]]`.
public struct SnapshotBase: Equatable, Sendable {
    /// The snapshot's height. Blocks up to there were proven and not executed here, so their events are not held.
    public let joinedHeight: UInt64
    /// The header below the lowest block held.
    public let header: Header
    /// The log up to that header's block.
    public let logEnd: LogEnd
    /// The epochs that ended at or below it.
    public let epochChanges: [EpochChange]

    /// The lowest height whose block is held.
    public var firstHeight: UInt64 { header.height == 0 ? 0 : header.height + 1 }

    init(_ manifest: SnapshotManifest) {
        joinedHeight = manifest.height
        header = manifest.headers[0].header
        logEnd = manifest.logEnd
        let height = header.height
        epochChanges = manifest.epochChanges.filter { $0.header.height <= height }
    }
}

extension SnapshotBase: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(4)
        encoder.unsigned(joinedHeight)
        encoder.value(header)
        encoder.value(logEnd)
        encoder.list(epochChanges)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 4)
        joinedHeight = try decoder.unsigned()
        header = try decoder.value()
        logEnd = try decoder.value()
        epochChanges = try decoder.list(max: EvidenceLimits.epochChangesMax)
    }
}

extension LedgerTables {
    func base() throws(SQLiteError) -> SnapshotBase? {
        guard let bytes = try meta("base") else { return nil }
        do throws(CBORError) {
            return try SnapshotBase.decode(bytes, limits: SnapshotLimits.manifest)
        } catch {
            throw damaged("the snapshot's base does not decode: \(error)")
        }
    }

    /// The base's, by itself: cheap to ask for at each refresh.
    func joinedHeight() throws(SQLiteError) -> UInt64? {
        guard let bytes = try meta("joined") else { return nil }
        guard let height = try? UInt64.decode(bytes) else {
            throw damaged("the snapshot's height does not decode")
        }
        return height
    }

    /// The ends of the epochs from `first` on and before `epoch`, as far as they are here.
    func epochChanges(
        from first: UInt64, upTo epoch: UInt64, base: SnapshotBase?
    ) throws(SQLiteError) -> [EpochChange] {
        let old = (base?.epochChanges ?? []).prefix(Int(clamping: epoch))
        var changes = Array(old.dropFirst(Int(clamping: first)))
        let next = max(first, UInt64(old.count))
        for (height, validators) in try epochs(after: next, upTo: epoch) {
            guard let header = try header(height)?.header,
                let found = try finalization(from: height), found.height == height
            else { throw damaged("an epoch's last block \(height) is missing") }
            changes.append(
                EpochChange(header: header, certificate: found.certificate, next: validators))
        }
        return changes
    }

    // MARK: The log

    /// The log's unfinished tiles, rebuilt: the lowest level from the last blocks, each other one
    /// from the full tiles under it; what lies below a snapshot's blocks, from its log's end.
    func loadTiles(
        frontier: LogFrontier, height: UInt64, base: SnapshotBase?
    ) throws(SQLiteError) -> LogTiles {
        let counts = LogTiles.recentCounts(size: frontier.size)
        var recent = [try recentLeaves(count: counts[0], height: height, base: base)]
        for row in 1..<max(1, counts.count) {
            let end = frontier.size >> UInt64(row * LogTiles.levels)
            var hashes: [Digest] = []
            for number in end - UInt64(counts[row])..<end {
                if let hash = base?.logEnd.hash(row: row, index: number) {
                    hashes.append(hash)
                    continue
                }
                guard let tile = try tile(LogTiles.id(level: row - 1, number: number)) else {
                    throw damaged("tile \(number) of level \(row - 1) is missing")
                }
                hashes.append(LogTiles.root(tile[...], suite: suite))
            }
            recent.append(hashes)
        }
        return LogTiles(suite: suite, frontier: frontier, recent: recent)
    }

    private func recentLeaves(
        count: Int, height: UInt64, base: SnapshotBase?
    ) throws(SQLiteError) -> [Digest] {
        var leaves: [Digest] = []
        var height = height
        while leaves.count < count {
            if let base, height == base.header.height {
                leaves.insert(contentsOf: base.logEnd.rows[0], at: 0)
                break
            }
            guard height > 0, let stored = try block(height) else {
                throw damaged("block \(height) is missing")
            }
            let own = logLeaves(stored.block, outcomes: stored.outcomes(suite), suite: suite)
            leaves.insert(contentsOf: own, at: 0)
            height -= 1
        }
        guard leaves.count >= count else { throw damaged("the log's last leaves are missing") }
        return Array(leaves.suffix(count))
    }
}
