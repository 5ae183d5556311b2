import LedgerCrypto

/// A committed state map, as overlays read it: the upper tree in memory, its leaves in buckets
/// that may lie on disk. Where the tree is cut into buckets is a matter of storage and never
/// shows in a digest.
public protocol MapReader {
    var suite: Suite { get }
    var top: MapTop { get }
    /// The entries of a bucket, ascending by key. An implementation that cannot read them
    /// returns an empty list and latches its error, which its driver checks before it acts on
    /// anything that was computed.
    func leaves(ofBucket id: UInt32) -> [MapLeaf]
}

/// Entries that were together in one bucket and where they are from now on.
public struct MapBucketRewrite: Equatable, Sendable {
    public struct Target: Equatable, Sendable {
        public let id: UInt32
        /// Number of leading key bits that all of the bucket's keys share by construction.
        public let depth: Int
        /// Ascending by key, not empty.
        public let leaves: [MapLeaf]
    }

    /// The bucket that held the earlier entries; nil when there were none.
    public let source: UInt32?
    /// The buckets that hold the present ones; one may have the source's id, and if none has,
    /// the source is gone.
    public let targets: [Target]
}

/// The upper part of the tree: a binary trie whose ends are buckets of a few leaves. A bucket that
/// outgrows `bucketLeavesMax` is split where it stands, so chosen keys that crowd under one
/// prefix cost depth only there. 40 bytes a node.
public struct MapTop: Sendable {
    struct Node: Sendable {
        var digest: Digest
        /// Branch: index of the left child (the right one follows). Bucket: its id, 0 for none.
        var link: UInt32
        var isBranch: Bool
        var isSingle: Bool

        static let vacant = Node(digest: .zero, link: 0, isBranch: false, isSingle: false)

        var summary: MapSummary { MapSummary(digest: digest, isSingle: isSingle) }

        mutating func set(_ summary: MapSummary) {
            digest = summary.digest
            isSingle = summary.isSingle
        }
    }

    /// Deepest bucket. Below it a bucket grows without bound; to get keys there takes 2^60 trials.
    static let depthMax = 60
    /// Measured in docs/decisions/0003-state-map.md.
    public static let bucketLeavesStandard = 8

    public let bucketLeavesMax: Int
    private(set) var nodes: [Node]
    private var nextBucketID: UInt32

    /// The empty map.
    public init(bucketLeavesMax: Int = MapTop.bucketLeavesStandard) {
        precondition(bucketLeavesMax >= 1, "a bucket holds at least one leaf")
        self.bucketLeavesMax = bucketLeavesMax
        nodes = [.vacant]
        nextBucketID = 1
    }

    /// Root of the map; `Digest.zero` when it is empty.
    public var root: Digest { nodes[0].digest }
    /// Nodes held in memory.
    public var nodeCount: Int { nodes.count }

    /// Takes over an overlay's layer, which must have been computed on exactly this state, and
    /// says what to do to the buckets, in tree order.
    public mutating func absorb(_ layer: MapLayer) -> [MapBucketRewrite] {
        precondition(layer.base == root, "layers are absorbed in the order they were built")
        var rewrites: [MapBucketRewrite] = []
        absorb(layer, at: 0, heap: 1, depth: 0, into: &rewrites)
        precondition(layer.root == root, "absorbing a layer gives the root it was built for")
        return rewrites
    }

    private mutating func absorb(
        _ layer: MapLayer, at cursor: UInt32, heap: UInt64, depth: Int,
        into rewrites: inout [MapBucketRewrite]
    ) {
        guard let changed = layer.nodes[heap] else { return }
        let node = nodes[Int(cursor)]
        if node.isBranch {
            precondition(changed.isBranch, "branches never turn into buckets")
            nodes[Int(cursor)].set(changed.summary)
            absorb(layer, at: node.link, heap: heap << 1, depth: depth + 1, into: &rewrites)
            absorb(
                layer, at: node.link + 1, heap: heap << 1 | 1, depth: depth + 1, into: &rewrites)
            return
        }
        var reusable = node.link
        var targets: [MapBucketRewrite.Target] = []
        place(layer, at: cursor, heap: heap, depth: depth, reusing: &reusable, into: &targets)
        if node.link != 0 || !targets.isEmpty {
            rewrites.append(
                MapBucketRewrite(source: node.link == 0 ? nil : node.link, targets: targets))
        }
    }

    /// Puts a layer's subtree where a bucket has been.
    private mutating func place(
        _ layer: MapLayer, at cursor: UInt32, heap: UInt64, depth: Int,
        reusing reusable: inout UInt32, into targets: inout [MapBucketRewrite.Target]
    ) {
        guard let changed = layer.nodes[heap] else {
            preconditionFailure("a layer that splits a bucket holds every part of it")
        }
        nodes[Int(cursor)].set(changed.summary)
        switch changed.content {
        case .branch:
            let left = addPair()
            nodes[Int(cursor)].isBranch = true
            nodes[Int(cursor)].link = left
            place(
                layer, at: left, heap: heap << 1, depth: depth + 1, reusing: &reusable,
                into: &targets)
            place(
                layer, at: left + 1, heap: heap << 1 | 1, depth: depth + 1, reusing: &reusable,
                into: &targets)
        case .bucket(let slot):
            let leaves = layer.buckets[slot]
            var id: UInt32 = 0
            if !leaves.isEmpty {
                id = reusable != 0 ? reusable : newBucketID()
                reusable = 0
                targets.append(MapBucketRewrite.Target(id: id, depth: depth, leaves: leaves))
            }
            nodes[Int(cursor)].link = id
        }
    }

    /// Opening: puts a stored bucket into its place. False when the stored bucket cannot be one of
    /// a map: keys out of order or not under one prefix, or overlapping another bucket. After the
    /// last one, `finishOpening` computes the branches.
    public mutating func open(
        bucket id: UInt32, depth: Int, leaves: [MapLeaf], suite: Suite
    ) -> Bool {
        guard id != 0, id < UInt32.max, (0...Self.depthMax).contains(depth),
            let key = leaves.first?.key, let last = leaves.last?.key
        else { return false }
        for (leaf, next) in zip(leaves, leaves.dropFirst()) where leaf.key >= next.key {
            return false
        }
        var cursor = 0
        for bit in 0..<depth {
            guard key.bit(bit) == last.bit(bit) else { return false }
            if !nodes[cursor].isBranch {
                guard nodes[cursor].link == 0 else { return false }
                let left = addPair()
                nodes[cursor].isBranch = true
                nodes[cursor].link = left
            }
            cursor = Int(nodes[cursor].link) + (key.bit(bit) ? 1 : 0)
        }
        guard !nodes[cursor].isBranch, nodes[cursor].link == 0 else { return false }
        nodes[cursor].set(MapSummary.over(leaves[...], depth: depth, suite: suite))
        nodes[cursor].link = id
        nextBucketID = max(nextBucketID, id + 1)
        return true
    }

    /// Opening: computes every branch from the buckets, so that `root` can be compared.
    public mutating func finishOpening(suite: Suite) {
        // A child's index is always greater than its parent's.
        for index in nodes.indices.reversed() where nodes[index].isBranch {
            let left = Int(nodes[index].link)
            nodes[index].set(
                .joining(nodes[left].summary, nodes[left + 1].summary, suite: suite))
        }
    }

    /// Calls `body` with every non-empty bucket in key order.
    public func forEachBucket<E: Error>(
        _ body: (_ id: UInt32, _ depth: Int) throws(E) -> Void
    ) throws(E) {
        var pending: [(cursor: Int, depth: Int)] = [(0, 0)]
        while let (cursor, depth) = pending.popLast() {
            let node = nodes[cursor]
            if node.isBranch {
                pending.append((Int(node.link) + 1, depth + 1))
                pending.append((Int(node.link), depth + 1))
            } else if node.link != 0 {
                try body(node.link, depth)
            }
        }
    }

    /// The bucket in which the key is, if it is in the map; nil when there is none.
    public func bucket(for key: Digest) -> UInt32? {
        let id = nodes[end(for: key).cursor].link
        return id == 0 ? nil : id
    }

    /// Whether the leaves read back for a bucket hash to what the tree says of it.
    public func isIntact(bucket id: UInt32, leaves: [MapLeaf], suite: Suite) -> Bool {
        guard let key = leaves.first?.key else { return false }
        let (cursor, depth) = end(for: key)
        return nodes[cursor].link == id
            && nodes[cursor].summary == .over(leaves[...], depth: depth, suite: suite)
    }

    /// The bucket node, empty or not, under which the key belongs.
    private func end(for key: Digest) -> (cursor: Int, depth: Int) {
        var cursor = 0
        var depth = 0
        while nodes[cursor].isBranch {
            cursor = Int(nodes[cursor].link) + (key.bit(depth) ? 1 : 0)
            depth += 1
        }
        return (cursor, depth)
    }

    private mutating func addPair() -> UInt32 {
        let left = UInt32(nodes.count)
        nodes.append(.vacant)
        nodes.append(.vacant)
        return left
    }

    private mutating func newBucketID() -> UInt32 {
        let id = nextBucketID
        nextBucketID += 1
        return id
    }
}
