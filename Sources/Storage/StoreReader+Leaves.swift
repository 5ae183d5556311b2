import Ledger
import LedgerCrypto
import Merkle

extension StoreReader {
    /// The data of the log's leaves from an index on, `countMax` at most, as of the latest `refresh`.
    ///
    /// Each block that has some of them is read once and forgotten again.
    ///
    /// - Returns: none past the log's end; nil where blocks from below a snapshot would be needed.
    public func leafData(from first: UInt64, countMax: Int) throws(StorageError) -> [[UInt8]]? {
        guard var height = try heightOfLeaf(first), let header = try header(height) else {
            return []
        }
        var index = header.logSize - header.entryCount - 1
        guard index <= first else { return nil }
        var leaves: [[UInt8]] = []
        while leaves.count < countMax, let stored = try block(height)?.block {
            let parent = LogLeaf.bytes(tag: LogLeaf.headerTag, digest: stored.header.parent)
            for leaf in [parent] + stored.entries.map({ $0.leafBytes(suite) }) {
                if index >= first, leaves.count < countMax { leaves.append(leaf) }
                index += 1
            }
            height += 1
        }
        return leaves
    }

    /// The lowest block that is held and whose log holds the leaf.
    private func heightOfLeaf(_ index: UInt64) throws(StorageError) -> UInt64? {
        var low = max(firstHeight, 1)
        var high = watermark.height
        guard low <= high, let newest = try header(high), index < newest.logSize else {
            return nil
        }
        while low < high {
            let middle = low + (high - low) / 2
            guard let header = try header(middle) else { return nil }
            if header.logSize > index { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
