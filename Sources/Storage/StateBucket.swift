import LedgerCrypto
import Merkle

/// The entries of one bucket with their values, as they lie in one row.
///
/// `leaves` column: `key ‖ valueHash` of each entry, ascending by key. `payload` column: the byte
/// count of each value as a little-endian UInt32, then the values. The first is apart so that
/// opening and proofs read no values.
struct StateBucket {
    private(set) var leaves: [HashedLeaf]
    private(set) var payload: [UInt8]

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
    init?(leaves: [HashedLeaf], payload: [UInt8]) {
        self.leaves = leaves
        self.payload = payload
        guard payload.count >= 4 * leaves.count else { return nil }
        var end = 4 * leaves.count
        for index in leaves.indices {
            let count = valueByteCount(at: index)
            guard count <= Self.valueBytesMax else { return nil }
            end += count
        }
        guard end == payload.count else { return nil }
    }

    /// `values` in the order of `leaves`.
    init(leaves: [HashedLeaf], values: [ArraySlice<UInt8>]) {
        precondition(leaves.count == values.count, "a bucket holds one value for each leaf")
        self.leaves = leaves
        payload = []
        payload.reserveCapacity(values.reduce(4 * leaves.count) { $0 + $1.count })
        for value in values {
            precondition(value.count <= Self.valueBytesMax, "a value is at most 16 MiB")
            withUnsafeBytes(of: UInt32(value.count).littleEndian) {
                payload.append(contentsOf: $0)
            }
        }
        for value in values { payload.append(contentsOf: value) }
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

    /// Bytes held in memory, roughly.
    var byteCount: Int { leaves.count * MemoryLayout<HashedLeaf>.stride + payload.count }

    func index(of key: Digest) -> Int? {
        leaves.firstIndex { $0.key == key }
    }

    func value(at index: Int) -> ArraySlice<UInt8> {
        var start = 4 * leaves.count
        for earlier in 0..<index { start += valueByteCount(at: earlier) }
        return payload[start..<start + valueByteCount(at: index)]
    }

    private func valueByteCount(at index: Int) -> Int {
        payload.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
        }
    }
}
