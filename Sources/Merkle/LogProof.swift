import LedgerCrypto

/// Read access to the perfect subtrees of a log.
public protocol LogNodeReader {
    /// Root of the perfect subtree over the `2^level` leaves that start at `index << level`;
    /// nil when the reader does not have it.
    func node(level: Int, index: UInt64) -> Digest?
}

/// Inclusion proofs of RFC 9162 §2.1.3. There are no consistency proofs of §2.1.4: the path of a leaf proves as much about the
/// tree before it (`rootBefore`), and every block's log is followed by a leaf of its own, the block's header.
public enum LogProof {
    /// Longest inclusion path of a tree whose size fits 64 bits.
    public static let inclusionPathMax = 64

    /// PATH(index, D[size]) of RFC 9162 §2.1.3.1, lowest sibling first. Nil when the index lies
    /// outside the tree or the reader lacks a node.
    public static func inclusionPath(
        index: UInt64, size: UInt64, reader: some LogNodeReader, suite: Suite
    ) -> [Digest]? {
        guard index < size else { return nil }
        var path: [Digest] = []
        var start: UInt64 = 0
        var count = size
        while count > 1 {
            let half = largestPowerOfTwo(below: count)
            let inLeft = index - start < half
            let sibling = rangeRoot(
                start: inLeft ? start + half : start, count: inLeft ? count - half : half,
                reader: reader, suite: suite)
            guard let sibling else { return nil }
            path.append(sibling)
            if !inLeft { start += half }
            count = inLeft ? half : count - half
        }
        return path.reversed()
    }

    /// The root that a leaf hash, its index and its path lead to (RFC 9162 §2.1.3.2); nil when the
    /// index lies outside the tree or the path has the wrong length, which is checked before
    /// anything is hashed.
    public static func rootFromInclusion(
        leafHash: Digest, index: UInt64, size: UInt64, path: [Digest], suite: Suite
    ) -> Digest? {
        guard index < size,
            path.count == siblings(of: index, below: UInt64.bitWidth, size: size)
        else { return nil }
        var node = leafHash
        for (level, sibling) in path.enumerated() {
            node = parent(of: node, sibling, at: level, index: index, size: size, suite: suite)
        }
        return node
    }

    /// Below so many levels the index and the last leaf part ways; above, every sibling is on the left and only the one
    /// bits of the index have one.
    static func innerLevels(_ index: UInt64, size: UInt64) -> Int {
        UInt64.bitWidth - (index ^ (size - 1)).leadingZeroBitCount
    }

    /// How many siblings a leaf's path has at levels below `level`: a subtree at the right border may have none.
    static func siblings(of index: UInt64, below level: Int, size: UInt64) -> Int {
        let inner = innerLevels(index, size: size)
        guard level > inner else { return level }
        let border = inner == UInt64.bitWidth ? 0 : index >> UInt64(inner)
        let width = UInt64(level - inner)
        let counted = width >= UInt64(UInt64.bitWidth) ? border : border & ((1 << width) - 1)
        return inner + counted.nonzeroBitCount
    }

    private static func siblingIsRight(at level: Int, index: UInt64, size: UInt64) -> Bool {
        level < innerLevels(index, size: size) && (index >> UInt64(level)) & 1 == 0
    }

    /// One step up an inclusion path: `sibling` is number `level` of the path of leaf `index`.
    static func parent(
        of node: Digest, _ sibling: Digest, at level: Int, index: UInt64, size: UInt64, suite: Suite
    ) -> Digest {
        siblingIsRight(at: level, index: index, size: size)
            ? suite.nodeDigest(node, sibling) : suite.nodeDigest(sibling, node)
    }

    /// The root over all leaves before leaf `index`, from a path that was found to lead to the root of `size` leaves.
    ///
    /// A leaf's left siblings are the roots of the perfect subtrees that make up the tree before it (RFC 9162 §2.1.1), so
    /// an inclusion path proves as much about the older tree as a consistency proof of §2.1.4.
    public static func rootBefore(
        index: UInt64, size: UInt64, path: [Digest], suite: Suite
    ) -> Digest {
        precondition(index < size, "the leaf is in the tree")
        var root: Digest?
        for (level, sibling) in path.enumerated()
        where !siblingIsRight(at: level, index: index, size: size) {
            root = root.map { suite.nodeDigest(sibling, $0) } ?? sibling
        }
        return root ?? suite.digest([])
    }

    /// MTH of the `count` leaves from `start`, where `start` is a multiple of a power of two not
    /// smaller than `count`.
    static func rangeRoot(
        start: UInt64, count: UInt64, reader: some LogNodeReader, suite: Suite
    ) -> Digest? {
        guard count > 0 else { return suite.digest([]) }
        if count.nonzeroBitCount == 1 {
            let level = count.trailingZeroBitCount
            return reader.node(level: level, index: start >> UInt64(level))
        }
        let half = largestPowerOfTwo(below: count)
        guard
            let left = rangeRoot(start: start, count: half, reader: reader, suite: suite),
            let right = rangeRoot(
                start: start + half, count: count - half, reader: reader, suite: suite)
        else { return nil }
        return suite.nodeDigest(left, right)
    }

    /// The k of RFC 9162 §2.1.1: the largest power of two smaller than `count`, for `count` ≥ 2.
    private static func largestPowerOfTwo(below count: UInt64) -> UInt64 {
        1 << UInt64(UInt64.bitWidth - 1 - (count - 1).leadingZeroBitCount)
    }
}
