import Encoding
import LedgerCrypto

/// One entry of the state map: a key and the commitment to its value.
///
/// Wire form: `[key: bstr .size 32, valueHash: bstr .size 32]`.
public struct MapLeaf: Equatable, Sendable, CBORCodable {
    public let key: Digest
    public let valueHash: Digest

    @inlinable
    public init(key: Digest, valueHash: Digest) {
        self.key = key
        self.valueHash = valueHash
    }

    /// H(0x00 ‖ key ‖ valueHash): a subtree that holds only this entry, at whatever depth.
    public func digest(_ suite: Suite) -> Digest {
        suite.leafDigest(key, valueHash)
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(key)
        encoder.value(valueHash)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        key = try decoder.value()
        valueHash = try decoder.value()
    }
}

/// An entry with its digest, which is computed once however often the entries around it change.
public struct HashedLeaf: Equatable, Sendable {
    public let leaf: MapLeaf
    public let digest: Digest

    public init(_ leaf: MapLeaf, suite: Suite) {
        self.leaf = leaf
        digest = leaf.digest(suite)
    }

    public var key: Digest { leaf.key }
    public var valueHash: Digest { leaf.valueHash }
}

/// A key set to a new value commitment, or removed (nil). Removing an absent key changes nothing.
public struct MapChange: Equatable, Sendable {
    public let key: Digest
    public let valueHash: Digest?

    @inlinable
    public init(key: Digest, valueHash: Digest?) {
        self.key = key
        self.valueHash = valueHash
    }
}

/// What a parent has to know of a subtree. The tree is compact: one with a single entry has that
/// entry's leaf digest wherever it hangs, so a parent must be able to tell one entry from more.
public struct MapSummary: Equatable, Sendable {
    public let digest: Digest
    /// Whether the subtree holds exactly one entry.
    public let isSingle: Bool

    public static let empty = MapSummary(digest: .zero, isSingle: false)

    /// `Digest.zero` stands for "no entry": nobody can find a preimage of it.
    public var isEmpty: Bool { digest == .zero }

    init(digest: Digest, isSingle: Bool) {
        self.digest = digest
        self.isSingle = isSingle
    }

    static func joining(_ left: MapSummary, _ right: MapSummary, suite: Suite) -> MapSummary {
        if left.isEmpty, right.isEmpty || right.isSingle { return right }
        if right.isEmpty, left.isSingle { return left }
        return MapSummary(digest: suite.nodeDigest(left.digest, right.digest), isSingle: false)
    }

    /// Summary of the subtree at `depth` over leaves sorted by key which share their first
    /// `depth` bits.
    static func over(_ leaves: ArraySlice<HashedLeaf>, depth: Int, suite: Suite) -> MapSummary {
        guard let first = leaves.first else { return .empty }
        if leaves.count == 1 { return MapSummary(digest: first.digest, isSingle: true) }
        let middle = leaves.splitIndex(atBit: depth)
        return joining(
            over(leaves[leaves.startIndex..<middle], depth: depth + 1, suite: suite),
            over(leaves[middle..<leaves.endIndex], depth: depth + 1, suite: suite),
            suite: suite)
    }
}

extension ArraySlice where Element == HashedLeaf {
    /// First index whose key has the bit set, in leaves sorted by key that agree on all bits
    /// before it.
    func splitIndex(atBit bit: Int) -> Int {
        var index = startIndex
        while index < endIndex, !self[index].key.bit(bit) { index += 1 }
        return index
    }
}

extension [HashedLeaf] {
    /// Leaves sorted by key with sorted changes applied.
    func applying(_ changes: ArraySlice<MapChange>, suite: Suite) -> [HashedLeaf] {
        var result: [HashedLeaf] = []
        result.reserveCapacity(count + changes.count)
        var index = startIndex
        for change in changes {
            while index < endIndex, self[index].key < change.key {
                result.append(self[index])
                index += 1
            }
            if index < endIndex, self[index].key == change.key { index += 1 }
            if let valueHash = change.valueHash {
                let leaf = MapLeaf(key: change.key, valueHash: valueHash)
                result.append(HashedLeaf(leaf, suite: suite))
            }
        }
        result.append(contentsOf: self[index...])
        return result
    }
}
