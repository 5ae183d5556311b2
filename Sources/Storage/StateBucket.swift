import LedgerCrypto
import Merkle

/// The entries of one bucket with their values.
///
/// One row. `leaves` column: `key ‖ valueHash` of each entry, ascending by key. `payload` column: the byte count of each
/// value as a little-endian UInt32, then the values. The first is apart so that opening and proofs read no values.
///
/// In memory each value is an array of its own: a bucket is made anew for every block that changes one of its entries, and then
/// shares the others.
struct StateBucket {
    let leaves: [HashedLeaf]
    /// In the order of `leaves`.
    let values: [[UInt8]]

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
        self.leaves = leaves
        self.values = values
    }

    /// `values` in the order of `leaves`.
    init(leaves: [HashedLeaf], values: [[UInt8]]) {
        precondition(leaves.count == values.count, "a bucket holds one value for each leaf")
        precondition(
            values.allSatisfy { $0.count <= Self.valueBytesMax }, "a value is at most 16 MiB")
        self.leaves = leaves
        self.values = values
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

    /// Bytes held in memory, roughly; a value that several versions of a bucket share counts in each.
    var byteCount: Int {
        values.reduce(leaves.count * MemoryLayout<HashedLeaf>.stride) {
            $0 + $1.count + Self.arrayBytes
        }
    }

    /// What an array costs beside its elements.
    private static let arrayBytes = 48

    func index(of key: Digest) -> Int? {
        leaves.firstIndex { $0.key == key }
    }
}
