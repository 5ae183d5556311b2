import LedgerCrypto

/// What one block changes in the state map: every node on the way to a changed key, and the
/// changed buckets whole. It holds no reference into what lies under it.
public struct MapLayer: Sendable {
    enum Content: Equatable, Sendable {
        /// Indexes into `nodes`; `unchanged` where the layer changes nothing on that side.
        case branch(left: Int32, right: Int32)
        /// Index into `buckets`.
        case bucket(Int)
    }

    struct Node: Sendable {
        let summary: MapSummary
        let content: Content
    }

    /// The index of no node: as whoever lies below has it.
    static let unchanged: Int32 = -1

    /// Root of the state the layer was built on.
    public let base: Digest
    /// Root with the layer.
    public private(set) var root: Digest
    /// Children before their parents.
    private(set) var nodes: [Node] = []
    private(set) var buckets: [[HashedLeaf]] = []
    /// Index of the whole tree's node.
    private(set) var top = unchanged

    init(base: Digest) {
        self.base = base
        root = base
    }

    /// Makes room for what that many changes of keys that lie apart take in a tree of millions.
    mutating func reserve(changes: Int) {
        nodes.reserveCapacity(8 * changes)
        buckets.reserveCapacity(changes)
    }

    mutating func finish(_ summary: MapSummary, top: Int32) {
        self.top = top
        root = summary.digest
    }

    mutating func addBranch(_ summary: MapSummary, left: Int32, right: Int32) -> Int32 {
        add(Node(summary: summary, content: .branch(left: left, right: right)))
    }

    private mutating func add(_ node: Node) -> Int32 {
        nodes.append(node)
        return Int32(nodes.count - 1)
    }

    /// Adds leaves that share their first `depth` bits, split into as many buckets as they need.
    mutating func addLeaves(
        _ leaves: [HashedLeaf], depth: Int, bucketLeavesMax: Int, suite: Suite
    ) -> (summary: MapSummary, node: Int32) {
        guard leaves.count > bucketLeavesMax, depth < MapTop.depthMax else {
            let summary = MapSummary.over(leaves[...], depth: depth, suite: suite)
            buckets.append(leaves)
            return (summary, add(Node(summary: summary, content: .bucket(buckets.count - 1))))
        }
        let middle = leaves[...].splitIndex(atBit: depth)
        let left = addLeaves(
            Array(leaves[..<middle]), depth: depth + 1, bucketLeavesMax: bucketLeavesMax,
            suite: suite)
        let right = addLeaves(
            Array(leaves[middle...]), depth: depth + 1, bucketLeavesMax: bucketLeavesMax,
            suite: suite)
        let summary = MapSummary.joining(left.summary, right.summary, suite: suite)
        return (summary, addBranch(summary, left: left.node, right: right.node))
    }
}
