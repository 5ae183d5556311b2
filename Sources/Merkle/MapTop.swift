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
    func leaves(ofBucket id: UInt32) -> [HashedLeaf]
}

/// Entries that were together in one bucket and where they are from now on.
public struct MapBucketRewrite: Equatable, Sendable {
    public struct Target: Equatable, Sendable {
        public let id: UInt32
        /// Number of leading key bits that all of the bucket's keys share by construction.
        public let depth: Int
        /// Ascending by key, not empty.
        public let leaves: [HashedLeaf]
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
    fileprivate(set) var nodes: [Node]
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

    /// Takes over a layer that was computed on this state, and says what to do to the buckets, in
    /// key order.
    ///
    /// The layer may have been cut into buckets otherwise than this tree: the same block computed
    /// twice, on overlays with different pasts, gives one root but not always the same buckets.
    ///
    /// - Parameter leaves: the entries of one of this tree's buckets, as in `MapReader`.
    public mutating func absorb<Failure: Error>(
        _ layer: MapLayer, suite: Suite, leaves: (UInt32) throws(Failure) -> [HashedLeaf]
    ) throws(Failure) -> [MapBucketRewrite] {
        precondition(layer.base == root, "layers are absorbed in the order they were built")
        var absorption = MapAbsorption(layer: layer, suite: suite)
        try absorption.absorb(
            layer.top, into: &self, at: 0, heap: 1, depth: 0, leaves: leaves)
        precondition(layer.root == root, "absorbing a layer gives the root it was built for")
        return absorption.rewrites
    }

    /// Opening: puts a stored bucket into its place. False when the stored bucket cannot be one of
    /// a map: keys out of order or not under one prefix, or overlapping another bucket. After the
    /// last one, `finishOpening` computes the branches.
    public mutating func open(
        bucket id: UInt32, depth: Int, leaves: [HashedLeaf], suite: Suite
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
    public func isIntact(bucket id: UInt32, leaves: [HashedLeaf], suite: Suite) -> Bool {
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

    fileprivate mutating func addPair() -> UInt32 {
        let left = UInt32(nodes.count)
        nodes.append(.vacant)
        nodes.append(.vacant)
        return left
    }

    fileprivate mutating func newBucketID() -> UInt32 {
        let id = nextBucketID
        nextBucketID += 1
        return id
    }
}

/// One layer on its way into a tree.
private struct MapAbsorption {
    let layer: MapLayer
    let suite: Suite
    var rewrites: [MapBucketRewrite] = []

    mutating func absorb<Failure: Error>(
        _ index: Int32, into top: inout MapTop, at cursor: UInt32, heap: UInt64, depth: Int,
        leaves: (UInt32) throws(Failure) -> [HashedLeaf]
    ) throws(Failure) {
        guard index != MapLayer.unchanged else { return }
        let changed = layer.nodes[Int(index)]
        let node = top.nodes[Int(cursor)]
        if node.isBranch {
            switch changed.content {
            case .bucket(let slot):
                spread(layer.buckets[slot][...], into: &top, at: cursor, depth: depth)
            case .branch(let left, let right):
                top.nodes[Int(cursor)].set(changed.summary)
                try absorb(
                    left, into: &top, at: node.link, heap: heap << 1, depth: depth + 1,
                    leaves: leaves)
                try absorb(
                    right, into: &top, at: node.link + 1, heap: heap << 1 | 1, depth: depth + 1,
                    leaves: leaves)
            }
            return
        }
        // Most: a bucket in the place of one.
        if case .bucket(let slot) = changed.content {
            fill(layer.buckets[slot], changed.summary, &top, at: cursor, depth: depth)
            return
        }
        var split = MapSplit(layer: layer, suite: suite, source: node.link)
        try split.place(index, into: &top, at: cursor, heap: heap, depth: depth, leaves: leaves)
        append(source: node.link, split.targets)
    }

    /// Puts leaves that the layer has in one bucket under a branch of the tree.
    private mutating func spread(
        _ leaves: ArraySlice<HashedLeaf>, into top: inout MapTop, at cursor: UInt32, depth: Int
    ) {
        let node = top.nodes[Int(cursor)]
        if node.isBranch {
            let middle = leaves.splitIndex(atBit: depth)
            let (left, right) = (Int(node.link), Int(node.link) + 1)
            spread(leaves[..<middle], into: &top, at: node.link, depth: depth + 1)
            spread(leaves[middle...], into: &top, at: node.link + 1, depth: depth + 1)
            top.nodes[Int(cursor)].set(
                .joining(top.nodes[left].summary, top.nodes[right].summary, suite: suite))
            return
        }
        fill(
            Array(leaves), .over(leaves, depth: depth, suite: suite), &top, at: cursor,
            depth: depth)
    }

    /// Puts leaves, or none, in the place of one bucket or of none.
    private mutating func fill(
        _ leaves: [HashedLeaf], _ summary: MapSummary, _ top: inout MapTop, at cursor: UInt32,
        depth: Int
    ) {
        let source = top.nodes[Int(cursor)].link
        var id: UInt32 = 0
        if !leaves.isEmpty { id = source != 0 ? source : top.newBucketID() }
        top.nodes[Int(cursor)].set(summary)
        top.nodes[Int(cursor)].link = id
        append(
            source: source,
            id == 0 ? [] : [MapBucketRewrite.Target(id: id, depth: depth, leaves: leaves)])
    }

    private mutating func append(source: UInt32, _ targets: [MapBucketRewrite.Target]) {
        guard source != 0 || !targets.isEmpty else { return }
        rewrites.append(MapBucketRewrite(source: source == 0 ? nil : source, targets: targets))
    }
}

/// A layer's subtree that takes the place of one bucket.
private struct MapSplit {
    let layer: MapLayer
    let suite: Suite
    /// The bucket's id, 0 for none.
    let source: UInt32
    var isSourceReused = false
    var targets: [MapBucketRewrite.Target] = []

    mutating func place<Failure: Error>(
        _ index: Int32, into top: inout MapTop, at cursor: UInt32, heap: UInt64, depth: Int,
        leaves: (UInt32) throws(Failure) -> [HashedLeaf]
    ) throws(Failure) {
        guard index != MapLayer.unchanged else {
            // The layer knew this part as a bucket of its own, and has not changed it.
            let all = source == 0 ? [] : try leaves(source)
            let part = all.filter { $0.key.prefix(bits: depth) == heap & ~(1 << UInt64(depth)) }
            fill(part, summary: .over(part[...], depth: depth, suite: suite), &top, cursor, depth)
            return
        }
        let changed = layer.nodes[Int(index)]
        switch changed.content {
        case .bucket(let slot):
            fill(layer.buckets[slot], summary: changed.summary, &top, cursor, depth)
        case .branch(let left, let right):
            let pair = top.addPair()
            top.nodes[Int(cursor)].set(changed.summary)
            top.nodes[Int(cursor)].isBranch = true
            top.nodes[Int(cursor)].link = pair
            try place(
                left, into: &top, at: pair, heap: heap << 1, depth: depth + 1, leaves: leaves)
            try place(
                right, into: &top, at: pair + 1, heap: heap << 1 | 1, depth: depth + 1,
                leaves: leaves)
        }
    }

    private mutating func fill(
        _ leaves: [HashedLeaf], summary: MapSummary, _ top: inout MapTop, _ cursor: UInt32,
        _ depth: Int
    ) {
        var id: UInt32 = 0
        if !leaves.isEmpty {
            id = isSourceReused || source == 0 ? top.newBucketID() : source
            isSourceReused = true
            targets.append(MapBucketRewrite.Target(id: id, depth: depth, leaves: leaves))
        }
        top.nodes[Int(cursor)].set(summary)
        top.nodes[Int(cursor)].link = id
    }
}
