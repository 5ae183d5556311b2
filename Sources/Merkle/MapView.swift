import LedgerCrypto

/// The walks over base and layers, apart from the generic type so that they are compiled once.
struct MapView {
    let suite: Suite
    let top: MapTop
    let layers: [MapLayer]
    let readBucket: (UInt32) -> [HashedLeaf]
    /// For each depth of the present walk, the node of every layer there. A place's row is filled when the walk
    /// comes to it, and rows below it are free.
    private var rows: [Int32]

    init(
        suite: Suite, top: MapTop, layers: [MapLayer],
        readBucket: @escaping (UInt32) -> [HashedLeaf]
    ) {
        self.suite = suite
        self.top = top
        self.layers = layers
        self.readBucket = readBucket
        rows = layers.map { $0.top }
    }

    /// A place in the tree.
    private struct Place {
        /// 1 is the root, the children of n are 2n and 2n+1.
        var heap: UInt64 = 1
        var depth = 0
        /// The base's node here, or the bucket in which everything here lies.
        var cursor: UInt32 = 0
        var isInsideBucket = false
    }

    private struct Found {
        var summary: MapSummary
        var isBranch: Bool
        /// Which layer answered; nil for the base.
        var layer: Int?
        /// The bucket's index in the layer, or its id in the base.
        var bucket: Int
        /// The entries, where they are a part of one of the base's buckets.
        var part: [HashedLeaf]?
    }

    private func find(_ place: Place) -> Found {
        let row = place.depth * layers.count
        for index in layers.indices.reversed() {
            let cursor = rows[row + index]
            guard cursor != MapLayer.unchanged else { continue }
            let node = layers[index].nodes[Int(cursor)]
            switch node.content {
            case .branch:
                return Found(summary: node.summary, isBranch: true, layer: index, bucket: 0)
            case .bucket(let slot):
                return Found(summary: node.summary, isBranch: false, layer: index, bucket: slot)
            }
        }
        let node = top.nodes[Int(place.cursor)]
        if place.isInsideBucket {
            // A layer above has cut this bucket, and whoever absorbed that layer's parent has not.
            let all = node.link == 0 ? [] : readBucket(node.link)
            let prefix = place.heap & ~(1 << UInt64(place.depth))
            let part = all.filter { $0.key.prefix(bits: place.depth) == prefix }
            let summary = MapSummary.over(part[...], depth: place.depth, suite: suite)
            return Found(summary: summary, isBranch: false, layer: nil, bucket: 0, part: part)
        }
        return Found(
            summary: node.summary, isBranch: node.isBranch, layer: nil, bucket: Int(node.link))
    }

    private mutating func child(of place: Place, right: Bool) -> Place {
        var child = place
        child.heap = place.heap << 1 | (right ? 1 : 0)
        child.depth += 1
        let row = child.depth * layers.count
        while rows.count < row + layers.count { rows.append(MapLayer.unchanged) }
        for index in layers.indices {
            let cursor = rows[row - layers.count + index]
            rows[row + index] = MapLayer.unchanged
            guard cursor != MapLayer.unchanged,
                case .branch(let left, let rightNode) = layers[index].nodes[Int(cursor)].content
            else { continue }
            rows[row + index] = right ? rightNode : left
        }
        let parent = top.nodes[Int(place.cursor)]
        if parent.isBranch {
            child.cursor = parent.link + (right ? 1 : 0)
        } else {
            child.isInsideBucket = true
        }
        return child
    }

    private func leaves(of found: Found) -> [HashedLeaf] {
        if let part = found.part { return part }
        if let layer = found.layer { return layers[layer].buckets[found.bucket] }
        return found.bucket == 0 ? [] : readBucket(UInt32(found.bucket))
    }

    mutating func layer(_ changes: [MapChange]) -> MapLayer {
        let start = Place()
        var layer = MapLayer(base: find(start).summary.digest)
        if !changes.isEmpty {
            layer.reserve(changes: changes.count)
            let (summary, node) = apply(changes[...], at: start, to: &layer)
            layer.finish(summary, top: node)
        }
        return layer
    }

    private mutating func apply(
        _ changes: ArraySlice<MapChange>, at place: Place, to layer: inout MapLayer
    ) -> (summary: MapSummary, node: Int32) {
        let found = find(place)
        if changes.isEmpty { return (found.summary, MapLayer.unchanged) }
        guard found.isBranch else {
            return layer.addLeaves(
                leaves(of: found).applying(changes, suite: suite), depth: place.depth,
                bucketLeavesMax: top.bucketLeavesMax, suite: suite)
        }
        let middle = changes.partitionPoint { !$0.key.bit(place.depth) }
        let left = apply(
            changes[changes.startIndex..<middle], at: child(of: place, right: false), to: &layer)
        let right = apply(
            changes[middle..<changes.endIndex], at: child(of: place, right: true), to: &layer)
        let summary = MapSummary.joining(left.summary, right.summary, suite: suite)
        return (summary, layer.addBranch(summary, left: left.node, right: right.node))
    }

    mutating func valueHash(for key: Digest) -> Digest? {
        let (place, found) = descend(to: key) { _, _ in }
        return endLeaves(from: place, found).first { $0.key == key }?.valueHash
    }

    mutating func proof(for key: Digest) -> (valueHash: Digest?, proof: MapProof) {
        var siblings: [Digest] = []
        let (place, found) = descend(to: key) { view, place in
            let sibling = view.child(of: place, right: !key.bit(place.depth))
            siblings.append(view.find(sibling).summary.digest)
        }
        var leaves = endLeaves(from: place, found)[...]
        var depth = siblings.count
        while leaves.count > 1 {
            let middle = leaves.splitIndex(atBit: depth)
            let left = leaves[leaves.startIndex..<middle]
            let right = leaves[middle..<leaves.endIndex]
            siblings.append(
                MapSummary.over(key.bit(depth) ? left : right, depth: depth + 1, suite: suite)
                    .digest)
            leaves = key.bit(depth) ? right : left
            depth += 1
        }
        guard let leaf = leaves.first?.leaf else {
            return (nil, MapProof(siblings: siblings, otherLeaf: nil))
        }
        guard leaf.key == key else {
            return (nil, MapProof(siblings: siblings, otherLeaf: leaf))
        }
        return (leaf.valueHash, MapProof(siblings: siblings, otherLeaf: nil))
    }

    /// The leaves where a descent ended.
    private mutating func endLeaves(from place: Place, _ found: Found) -> [HashedLeaf] {
        var place = place
        var found = found
        // The one entry of a single subtree may sit several branches further down.
        while found.isBranch, found.summary.isSingle {
            let parent = place
            place = child(of: parent, right: false)
            found = find(place)
            if found.summary.isEmpty {
                place = child(of: parent, right: true)
                found = find(place)
            }
        }
        return found.isBranch ? [] : leaves(of: found)
    }

    /// Goes towards the key until a bucket, nothing, or a single entry is reached.
    private mutating func descend(
        to key: Digest, passing: (inout MapView, Place) -> Void
    ) -> (Place, Found) {
        var place = Place()
        var found = find(place)
        while found.isBranch, !found.summary.isSingle, !found.summary.isEmpty {
            passing(&self, place)
            place = child(of: place, right: key.bit(place.depth))
            found = find(place)
        }
        return (place, found)
    }
}

extension ArraySlice {
    /// First index whose element does not satisfy a predicate that holds for a prefix.
    fileprivate func partitionPoint(_ belongsBefore: (Element) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if belongsBefore(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
