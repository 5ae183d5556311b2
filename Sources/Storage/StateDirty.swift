import LedgerCrypto
import Merkle

/// The buckets whose rows lag behind, so that a bucket changed by many blocks is written once.
///
/// What counts on disk is a *region*: the stored row that covered some keys (if there was one),
/// and the buckets that have come out of it since. A region is written whole, in one
/// transaction, and regions are written strictly in the order in which they first changed;
/// then the rows on disk never overlap, and every entry that is not in a row is in the journal.
struct StateDirty {
    struct Region {
        /// The stored row to be replaced or deleted.
        var storedRow: UInt32?
        /// The first journal record that the rows on disk lack.
        let firstSequence: Int64
        /// Ids are not used twice, so one that has no entry any more is a bucket that is gone.
        var buckets: [UInt32]
    }

    struct Entry {
        var bucket: StateBucket
        var depth: Int
        var region: Int
    }

    private(set) var entries: [UInt32: Entry] = [:]
    private(set) var byteCount = 0
    /// Regions in order of their first change; those before `firstRegion` have been written.
    private var regions: [Region] = []
    private var firstRegion = 0
    private var removedRegions = 0

    var isEmpty: Bool { firstRegion == regions.count }

    /// The oldest journal record still needed; nil when none is.
    var oldestSequence: Int64? {
        isEmpty ? nil : regions[firstRegion].firstSequence
    }

    /// Replaces `source` by the buckets that its entries are in now.
    mutating func replace(
        source: UInt32?, by targets: [(id: UInt32, depth: Int, bucket: StateBucket)],
        sequence: Int64
    ) {
        let region: Int
        if let source, let entry = entries.removeValue(forKey: source) {
            region = entry.region
            byteCount -= entry.bucket.byteCount
        } else {
            region = removedRegions + regions.count
            let buckets = source.map { [$0] } ?? []
            regions.append(Region(storedRow: source, firstSequence: sequence, buckets: buckets))
        }
        for (id, depth, bucket) in targets {
            entries[id] = Entry(bucket: bucket, depth: depth, region: region)
            if id != source { regions[region - removedRegions].buckets.append(id) }
            byteCount += bucket.byteCount
        }
    }

    /// What a bucket holds, without a copy of the rest of its entry. Nil where it does not lag.
    func bucket<Result>(_ id: UInt32, _ body: (StateBucket) -> Result) -> Result? {
        guard let place = entries.index(forKey: id) else { return nil }
        return body(entries.values[place].bucket)
    }

    /// Changes a bucket where it is; its region stays. Nil where it does not lag.
    mutating func update<Result>(
        _ id: UInt32, depth: Int, _ body: (inout StateBucket) -> Result
    ) -> Result? {
        guard let place = entries.index(forKey: id) else { return nil }
        entries.values[place].depth = depth
        byteCount -= entries.values[place].bucket.byteCount
        defer { byteCount += entries.values[place].bucket.byteCount }
        return body(&entries.values[place].bucket)
    }

    /// Takes out the region that changed first, for the caller to write.
    mutating func removeOldest() -> (storedRow: UInt32?, buckets: [(id: UInt32, entry: Entry)])? {
        guard !isEmpty else { return nil }
        let region = regions[firstRegion]
        regions[firstRegion].buckets = []
        firstRegion += 1
        if firstRegion > 1024, firstRegion > regions.count / 2 {
            regions.removeFirst(firstRegion)
            removedRegions += firstRegion
            firstRegion = 0
        }
        var buckets: [(id: UInt32, entry: Entry)] = []
        for id in region.buckets {
            guard let entry = entries.removeValue(forKey: id) else { continue }
            byteCount -= entry.bucket.byteCount
            buckets.append((id, entry))
        }
        return (region.storedRow, buckets)
    }
}

/// How many bytes the journal holds from a record on.
struct StateJournalSizes {
    /// Running totals, ascending by sequence.
    private var ends: [(sequence: Int64, total: Int)] = []
    private var dropped = 0

    mutating func append(_ sequence: Int64, byteCount: Int) {
        ends.append((sequence, (ends.last?.total ?? dropped) + byteCount))
    }

    func bytes(from sequence: Int64) -> Int {
        guard let last = ends.last else { return 0 }
        let earlier = ends[..<index(of: sequence)].last?.total ?? dropped
        return last.total - earlier
    }

    mutating func drop(before sequence: Int64) {
        let count = index(of: sequence)
        guard count > 0 else { return }
        dropped = ends[count - 1].total
        ends.removeFirst(count)
    }

    /// The first record that is not before `sequence`.
    private func index(of sequence: Int64) -> Int {
        var low = 0
        var high = ends.count
        while low < high {
            let middle = (low + high) / 2
            if ends[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// A block's changes as one journal row: for each key, ascending, the key, the value's byte count
/// as a little-endian UInt32 (all ones for a removal), and the value.
enum StateJournal {
    private static let removal = UInt32.max

    static func encode(_ changes: [(key: Digest, value: [UInt8]?)]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(changes.reduce(0) { $0 + 36 + ($1.value?.count ?? 0) })
        for (key, value) in changes {
            key.withBytes { bytes.append(contentsOf: $0) }
            let count = value.map { UInt32($0.count) } ?? removal
            withUnsafeBytes(of: count.littleEndian) { bytes.append(contentsOf: $0) }
            if let value { bytes.append(contentsOf: value) }
        }
        return bytes
    }

    /// Nil when the bytes cannot have been written by `encode`.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> [(key: Digest, value: [UInt8]?)]? {
        var changes: [(key: Digest, value: [UInt8]?)] = []
        var start = 0
        while start < bytes.count {
            let end = start + Digest.byteCount
            guard bytes.count - start >= Digest.byteCount + 4,
                let key = Digest(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<end])),
                changes.last.map({ $0.key < key }) ?? true
            else { return nil }
            let count = UInt32(
                littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
            start = end + 4
            if count == removal {
                changes.append((key, nil))
            } else {
                guard bytes.count - start >= Int(count) else { return nil }
                changes.append((key, Array(bytes[start..<start + Int(count)])))
                start += Int(count)
            }
        }
        return changes
    }
}
