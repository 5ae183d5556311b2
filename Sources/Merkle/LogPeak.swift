import LedgerCrypto

/// The perfect subtree of a log that holds a leaf, as the path of the log's next leaf shows it.
///
/// A tree of `s` leaves is made of one perfect subtree for each one bit of `s` (RFC 9162 §2.1.1), its peaks. In every longer
/// tree the peaks are the left siblings on the path of leaf number `s`. So whoever has that path needs for a leaf
/// before it only the siblings inside the leaf's own peak; all above the other path has already.
public struct LogPeak: Sendable {
    /// The subtree has two to this power leaves, and so many siblings has a path in it.
    public let level: Int
    private let index: UInt64

    /// - Parameters:
    ///   - index: of the leaf, below `size`.
    ///   - size: leaves of the log.
    public init(holding index: UInt64, size: UInt64) {
        precondition(index < size, "the leaf is in the tree")
        // All leaves of the peak have the same bits above its level, and there `size` has the same, with a one bit at the level.
        level = UInt64.bitWidth - (index ^ size).leadingZeroBitCount - 1
        self.index = index
    }

    public var leaves: UInt64 { 1 << UInt64(level) }
    /// The leaf's place in the peak.
    public var indexInside: UInt64 { index & (leaves - 1) }

    /// The peak's root.
    ///
    /// - Parameters:
    ///   - next: index of the log's next leaf, which is the size that this peak was made with.
    ///   - path: of that leaf, found to lead to the root of a tree of `size` leaves.
    public func root(next: UInt64, path: [Digest], size: UInt64) -> Digest {
        path[LogProof.siblings(of: next, below: level, size: size)]
    }

    /// The leaf's own path in the longer tree.
    ///
    /// - Parameters:
    ///   - inside: siblings in the peak, lowest first: `level` of them.
    ///   - nextLeafHash: of the log's next leaf; the others as above.
    public func path(
        inside: [Digest], next: UInt64, nextLeafHash: Digest, path: [Digest], size: UInt64,
        suite: Suite
    ) -> [Digest] {
        let below = LogProof.siblings(of: next, below: level, size: size)
        var node = nextLeafHash
        for (place, sibling) in path[..<below].enumerated() {
            node = LogProof.parent(
                of: node, sibling, at: place, index: next, size: size, suite: suite)
        }
        return inside + [node] + path[(below + 1)...]
    }
}
