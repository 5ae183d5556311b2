import LedgerCrypto
import Merkle

/// The entries of one bucket with their values.
///
/// One row. `leaves` column: `key ‖ valueHash` of each entry, ascending by key. `payload` column: the byte count of each
/// value as a little-endian UInt32, then the values. The first is apart so that opening and proofs read no values.
///
/// In memory each value is an array of its own, so that a change of one entry leaves the others where they are: mostly in no
/// processor's cache.
struct StateBucket {
    private(set) var leaves: [HashedLeaf]
    /// In the order of `leaves`.
    private(set) var values: [[UInt8]]
    /// Bytes held in memory, roughly; a value that several versions of a bucket share counts in each. Kept, since adding up reads every value.
    private(set) var byteCount: Int

    static let leafBytes = 2 * Digest.byteCount
    static let valueBytesMax = 1 << 24

    /// Nil when the leaves are cut off.
    static func leaves(from bytes: UnsafeRawBufferPointer, suite: Suite) -> [HashedLeaf]? {
        guard bytes.count % leafBytes == 0 else { return nil }
        var leaves: [HashedLeaf] = []
        leaves.reserveCapacity(bytes.count / leafBytes)
        for start in stride(from: 0, to: bytes.count, by: leafBytes) {
            let middle = start + Digest.byteCount
            guard let key = Digest(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<middle])),
                let valueHash = Digest(
                    bytes: UnsafeRawBufferPointer(rebasing: bytes[middle..<start + leafBytes]))
            else { return nil }
            leaves.append(HashedLeaf(MapLeaf(key: key, valueHash: valueHash), suite: suite))
        }
        return leaves
    }

    /// Nil when the payload does not hold exactly one value for each leaf.
    init?(leaves: [HashedLeaf], payload: UnsafeRawBufferPointer) {
        guard payload.count >= 4 * leaves.count else { return nil }
        var values: [[UInt8]] = []
        values.reserveCapacity(leaves.count)
        var start = 4 * leaves.count
        for index in leaves.indices {
            let count = Int(
                UInt32(
                    littleEndian: payload.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
            )
            guard count <= Self.valueBytesMax, count <= payload.count - start else { return nil }
            values.append(Array(payload[start..<start + count]))
            start += count
        }
        guard start == payload.count else { return nil }
        self.init(leaves: leaves, values: values)
    }

    /// `values` in the order of `leaves`.
    init(leaves: [HashedLeaf], values: [[UInt8]]) {
        precondition(leaves.count == values.count, "a bucket holds one value for each leaf")
        precondition(
            values.allSatisfy { $0.count <= Self.valueBytesMax }, "a value is at most 16 MiB")
        self.leaves = leaves
        self.values = values
        byteCount = values.reduce(leaves.count * Self.entryBytes) { $0 + $1.count }
    }

    /// Makes the entries those that a layer has, with values from its changes. What stays is compared by its leaf, and its value not
    /// touched.
    ///
    /// - Parameters:
    ///   - present: the entries from now on, ascending by key.
    ///   - changes: the layer's, ascending by key.
    ///   - next: the first change that no bucket before this one has taken or passed.
    /// - Returns: false where an entry is not what it was; then nothing that is in memory is to be used any more.
    mutating func update(
        _ present: [HashedLeaf], _ changes: [(key: Digest, value: [UInt8]?)], _ next: inout Int,
        _ suite: Suite
    ) -> Bool {
        var old = 0
        for (place, leaf) in present.enumerated() {
            while next < changes.count, changes[next].key < leaf.key { next += 1 }
            while old < leaves.count, leaves[old].key < leaf.key {
                remove(at: place)
                old += 1
            }
            let isKept = old < leaves.count && leaves[old].key == leaf.key
            if next < changes.count, changes[next].key == leaf.key {
                guard let value = changes[next].value else {
                    preconditionFailure("a key that the layer holds has no value")
                }
                // The values are checked again when they come back from disk.
                assert(suite.digest(value) == leaf.valueHash, "the layer commits to other values")
                if isKept { remove(at: place) }
                insert(value, at: place)
            } else if !isKept || leaves[old] != leaf {
                return false
            }
            if isKept { old += 1 }
        }
        while values.count > present.count { remove(at: values.count - 1) }
        leaves = present
        return true
    }

    private mutating func insert(_ value: [UInt8], at place: Int) {
        precondition(value.count <= Self.valueBytesMax, "a value is at most 16 MiB")
        byteCount += value.count + Self.entryBytes
        values.insert(value, at: place)
    }

    private mutating func remove(at place: Int) {
        byteCount -= values.remove(at: place).count + Self.entryBytes
    }

    var payload: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.reduce(4 * values.count) { $0 + $1.count })
        for value in values {
            withUnsafeBytes(of: UInt32(value.count).littleEndian) { bytes.append(contentsOf: $0) }
        }
        for value in values { bytes.append(contentsOf: value) }
        return bytes
    }

    var leafColumn: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.leafBytes * leaves.count)
        for leaf in leaves {
            leaf.key.withBytes { bytes.append(contentsOf: $0) }
            leaf.valueHash.withBytes { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    /// What an entry takes beside its value's bytes: its leaf and an array.
    private static let entryBytes = MemoryLayout<HashedLeaf>.stride + 48

    func value(of key: Digest) -> [UInt8]? {
        index(of: key).map { values[$0] }
    }

    func index(of key: Digest) -> Int? {
        leaves.firstIndex { $0.key == key }
    }
}
