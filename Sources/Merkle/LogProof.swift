import LedgerCrypto

/// Read access to the perfect subtrees of a log.
public protocol LogNodeReader {
    /// Root of the perfect subtree over the `2^level` leaves that start at `index << level`;
    /// nil when the reader does not have it.
    func node(level: Int, index: UInt64) -> Digest?
}

/// Inclusion and consistency proofs of RFC 9162 §2.1.3 and §2.1.4.
public enum LogProof {
    /// Longest inclusion path of a tree whose size fits 64 bits.
    public static let inclusionPathMax = 64
    /// Longest consistency path: one node for the old tree's last subtree, then a path.
    public static let consistencyPathMax = 65

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

    /// PROOF(oldSize, D[newSize]) of RFC 9162 §2.1.4.1. Empty when the sizes are equal or the old
    /// tree is empty. Nil when the old size exceeds the new or the reader lacks a node.
    public static func consistencyPath(
        from oldSize: UInt64, to newSize: UInt64, reader: some LogNodeReader, suite: Suite
    ) -> [Digest]? {
        guard oldSize <= newSize else { return nil }
        guard oldSize > 0, oldSize < newSize else { return [] }
        var path: [Digest] = []
        var start: UInt64 = 0
        var count = newSize
        var old = oldSize
        var coversOldTree = true
        while old < count {
            let half = largestPowerOfTwo(below: count)
            let inLeft = old <= half
            let sibling = rangeRoot(
                start: inLeft ? start + half : start, count: inLeft ? count - half : half,
                reader: reader, suite: suite)
            guard let sibling else { return nil }
            path.append(sibling)
            if inLeft {
                count = half
            } else {
                start += half
                count -= half
                old -= half
                coversOldTree = false
            }
        }
        // The verifier knows the old root, so the subtree is sent only when it is a part of it.
        if !coversOldTree {
            guard let last = rangeRoot(start: start, count: count, reader: reader, suite: suite)
            else { return nil }
            path.append(last)
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

    /// Whether the tree of `newSize` leaves extends the one of `oldSize` leaves
    /// (RFC 9162 §2.1.4.2; the empty tree is extended by every tree, with an empty path).
    public static func isConsistent(
        oldSize: UInt64, oldRoot: Digest, newSize: UInt64, newRoot: Digest, path: [Digest],
        suite: Suite
    ) -> Bool {
        guard oldSize <= newSize, path.count <= consistencyPathMax else { return false }
        if oldSize == newSize { return path.isEmpty && oldRoot == newRoot }
        if oldSize == 0 { return path.isEmpty && oldRoot == suite.digest([]) }
        var rest = path[...]
        var first = oldRoot
        if oldSize.nonzeroBitCount != 1 {
            guard let given = rest.popFirst() else { return false }
            first = given
        }
        let skipped = UInt64((~(oldSize - 1)).trailingZeroBitCount)
        var old = (oldSize - 1) >> skipped
        var last = (newSize - 1) >> skipped
        var oldNode = first
        var newNode = first
        for sibling in rest {
            guard last != 0 else { return false }
            if old & 1 == 1 || old == last {
                oldNode = suite.nodeDigest(sibling, oldNode)
                newNode = suite.nodeDigest(sibling, newNode)
                while old & 1 == 0, old != 0 {
                    old >>= 1
                    last >>= 1
                }
            } else {
                newNode = suite.nodeDigest(newNode, sibling)
            }
            old >>= 1
            last >>= 1
        }
        return last == 0 && oldNode == oldRoot && newNode == newRoot
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
