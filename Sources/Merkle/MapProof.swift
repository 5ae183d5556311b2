import Encoding
import LedgerCrypto

/// Proof that the state map holds a key with a certain value commitment, or does not hold it.
///
/// The map is a compact binary trie over the bits of the keys from the most significant one:
/// no entry is `Digest.zero`, one entry is `H(0x00 ‖ key ‖ valueHash)`, more are
/// `H(0x01 ‖ left ‖ right)`. A proof is the way from the root down to where the key's bits stop
/// being shared: to the key's own leaf (inclusion), to nothing, or to another entry that sits
/// there alone (both absence).
///
/// Wire form: `[depth: 0..256, bitmap: bstr, siblings: [* bstr .size 32], other: MapLeaf / null]`.
/// Bit i of the bitmap (most significant first, padded with zero bits) says whether the sibling
/// at depth i+1 is non-empty and therefore listed.
public struct MapProof: Equatable, Sendable, CBORCodable {
    public static let depthMax = 256

    /// Siblings from the root down, `Digest.zero` where empty.
    public let siblings: [Digest]
    /// In a proof of absence: the entry that occupies the key's place, if any.
    public let otherLeaf: MapLeaf?

    init(siblings: [Digest], otherLeaf: MapLeaf?) {
        precondition(siblings.count <= Self.depthMax, "keys have 256 bits")
        self.siblings = siblings
        self.otherLeaf = otherLeaf
    }

    /// The root of the map in which `key` has this commitment, or is absent when `valueHash` is
    /// nil. Nil when the proof cannot be one for that key and claim. Hashes at most 257 times.
    public func root(for key: Digest, valueHash: Digest?, suite: Suite) -> Digest? {
        // A leaf (or nothing) beside an empty sibling would have been moved up.
        if let lowest = siblings.last, lowest == .zero { return nil }
        var node: Digest
        if let valueHash {
            guard otherLeaf == nil else { return nil }
            node = MapLeaf(key: key, valueHash: valueHash).digest(suite)
        } else if let otherLeaf {
            guard otherLeaf.key != key else { return nil }
            for bit in 0..<siblings.count where otherLeaf.key.bit(bit) != key.bit(bit) {
                return nil
            }
            node = otherLeaf.digest(suite)
        } else {
            node = .zero
        }
        for depth in siblings.indices.reversed() {
            let sibling = siblings[depth]
            node =
                key.bit(depth)
                ? suite.nodeDigest(sibling, node) : suite.nodeDigest(node, sibling)
        }
        return node
    }

    public func encode(into encoder: inout CBOREncoder) {
        var bitmap = [UInt8](repeating: 0, count: (siblings.count + 7) / 8)
        for (depth, sibling) in siblings.enumerated() where sibling != .zero {
            bitmap[depth / 8] |= 0x80 >> UInt8(depth % 8)
        }
        encoder.array(4)
        encoder.unsigned(UInt64(siblings.count))
        encoder.bytes(bitmap)
        encoder.list(siblings.filter { $0 != .zero })
        encoder.optional(otherLeaf)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 4)
        let depth = try decoder.unsigned()
        guard depth <= UInt64(Self.depthMax) else {
            throw decoder.invalid("a map proof has at most 256 levels")
        }
        let bitmap = try decoder.bytes(exactly: (Int(depth) + 7) / 8)
        let listed: [Digest] = try decoder.list(max: Self.depthMax)
        var rest = listed[...]
        var siblings: [Digest] = []
        siblings.reserveCapacity(Int(depth))
        for bit in 0..<bitmap.count * 8 {
            guard bitmap[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0 else {
                if bit < Int(depth) { siblings.append(.zero) }
                continue
            }
            guard bit < Int(depth), let sibling = rest.popFirst(), sibling != .zero else {
                throw decoder.invalid("a map proof lists one non-zero sibling for each bitmap bit")
            }
            siblings.append(sibling)
        }
        guard rest.isEmpty else {
            throw decoder.invalid("a map proof lists one non-zero sibling for each bitmap bit")
        }
        self.siblings = siblings
        otherLeaf = try decoder.optional(MapLeaf.self)
    }
}
