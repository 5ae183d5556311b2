import LedgerCrypto
import Merkle

/// SplitMix64: a seeded source, so that a failing history can be named by its seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func digest() -> Digest {
        digest(sharing: 0, bitsOf: .zero)
    }

    /// A random digest with the first bits of another.
    mutating func digest(sharing bits: Int, bitsOf other: Digest) -> Digest {
        var bytes = other.bytes
        for bit in bits..<256 {
            let mask: UInt8 = 0x80 >> UInt8(bit % 8)
            if next() & 1 == 1 { bytes[bit / 8] |= mask } else { bytes[bit / 8] &= ~mask }
        }
        return Digest(bytes: bytes) ?? .zero
    }
}

extension Digest {
    func flipping(bit: Int) -> Digest {
        var bytes = self.bytes
        bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8)
        return Digest(bytes: bytes) ?? .zero
    }
}

/// Every list that differs from `path` by one bit, by a missing or by an additional element.
/// Bits are sampled with a stride so that exhaustive tests stay fast.
func mutations(of path: [Digest], bitStride: Int) -> [[Digest]] {
    var all: [[Digest]] = []
    for index in path.indices {
        for bit in stride(from: index % bitStride, to: 256, by: bitStride) {
            var changed = path
            changed[index] = path[index].flipping(bit: bit)
            all.append(changed)
        }
        var shorter = path
        shorter.remove(at: index)
        all.append(shorter)
    }
    for index in 0...path.count {
        var longer = path
        longer.insert(.zero, at: index)
        all.append(longer)
    }
    return all
}

/// The map's definition, written down as directly as possible.
func referenceRoot(_ entries: [Digest: Digest], suite: Suite) -> Digest {
    func root(_ keys: [Digest], _ depth: Int) -> Digest {
        guard let first = keys.first else { return .zero }
        if keys.count == 1 {
            return suite.leafDigest(first.bytes + (entries[first] ?? .zero).bytes)
        }
        return suite.digest(
            [1] + root(keys.filter { !$0.bit(depth) }, depth + 1).bytes
                + root(keys.filter { $0.bit(depth) }, depth + 1).bytes)
    }
    return root(Array(entries.keys), 0)
}

/// MTH of RFC 9162 §2.1.1, word for word.
func referenceRoot(_ leaves: ArraySlice<[UInt8]>, suite: Suite) -> Digest {
    guard let first = leaves.first else { return suite.digest([]) }
    if leaves.count == 1 { return suite.digest([0] + first) }
    var half = 1
    while half * 2 < leaves.count { half *= 2 }
    let middle = leaves.startIndex + half
    return suite.digest(
        [1] + referenceRoot(leaves[..<middle], suite: suite).bytes
            + referenceRoot(leaves[middle...], suite: suite).bytes)
}

func sorted(_ changes: [Digest: Digest?]) -> [MapChange] {
    changes.map { MapChange(key: $0.key, valueHash: $0.value) }.sorted { $0.key < $1.key }
}
