import LedgerCrypto

/// What one block changes in the state map: every node on the way to a changed key, and the
/// changed buckets whole. Nodes are named by their place: 1 is the root, the children of n are
/// 2n and 2n+1, so layers need no reference into what lies under them.
public struct MapLayer: Sendable {
    enum Content: Equatable, Sendable {
        case branch
        /// Index into `buckets`.
        case bucket(Int)
    }

    struct Node: Sendable {
        let summary: MapSummary
        let content: Content

        var isBranch: Bool { content == .branch }
    }

    /// Root of the state the layer was built on.
    public let base: Digest
    /// Root with the layer.
    public private(set) var root: Digest
    private(set) var nodes: [UInt64: Node] = [:]
    private(set) var buckets: [[MapLeaf]] = []

    init(base: Digest) {
        self.base = base
        root = base
    }

    mutating func setBranch(_ summary: MapSummary, at heap: UInt64) {
        nodes[heap] = Node(summary: summary, content: .branch)
        if heap == 1 { root = summary.digest }
    }

    /// Stores leaves under a place, split into as many buckets as they need.
    mutating func setLeaves(
        _ leaves: [MapLeaf], at heap: UInt64, depth: Int, bucketLeavesMax: Int, suite: Suite
    ) -> MapSummary {
        guard leaves.count > bucketLeavesMax, depth < MapTop.depthMax else {
            let summary = MapSummary.over(leaves[...], depth: depth, suite: suite)
            nodes[heap] = Node(summary: summary, content: .bucket(buckets.count))
            buckets.append(leaves)
            if heap == 1 { root = summary.digest }
            return summary
        }
        let middle = leaves[...].splitIndex(atBit: depth)
        let left = setLeaves(
            Array(leaves[..<middle]), at: heap << 1, depth: depth + 1,
            bucketLeavesMax: bucketLeavesMax, suite: suite)
        let right = setLeaves(
            Array(leaves[middle...]), at: heap << 1 | 1, depth: depth + 1,
            bucketLeavesMax: bucketLeavesMax, suite: suite)
        let summary = MapSummary.joining(left, right, suite: suite)
        setBranch(summary, at: heap)
        return summary
    }
}
