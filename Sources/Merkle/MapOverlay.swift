import LedgerCrypto

/// The state map of an unfinalised block: a committed base, and one layer for each unfinalised
/// block up to this one. A value; building a child leaves its parent as it was.
///
/// When the base has absorbed the oldest layer (`MapTop.absorb`), `rebased` lets it go here; until
/// then the overlay reads the same either way. But one whose layers are not on the base's chain
/// (another fork, or an earlier state) reads wrongly once the base has moved: throw it away.
public struct MapOverlay<Base: MapReader> {
    public let base: Base
    /// Oldest first.
    public private(set) var layers: [MapLayer]

    /// The committed state itself.
    public init(base: Base) {
        self.base = base
        layers = []
    }

    /// Root of the map; `Digest.zero` when it is empty.
    public var root: Digest { layers.last?.root ?? base.top.root }

    /// This state with changes applied. They ascend by key, each key once.
    public func applying(_ changes: [MapChange]) -> MapOverlay {
        for (change, next) in zip(changes, changes.dropFirst()) {
            precondition(change.key < next.key, "map changes ascend by key, each key once")
        }
        var child = self
        child.layers.append(view.layer(changes))
        return child
    }

    /// The same state on top of a base that has absorbed this overlay's oldest layers since.
    public func rebased(onto base: Base, droppingOldest count: Int = 1) -> MapOverlay {
        precondition(count <= layers.count, "only layers that are there can be dropped")
        var rest = MapOverlay(base: base)
        rest.layers.append(contentsOf: layers.dropFirst(count))
        precondition(
            rest.layers.first.map { $0.base == base.top.root } ?? true,
            "the base is the state that the oldest remaining layer was built on")
        return rest
    }

    /// The commitment to the key's value; nil when the key is absent.
    public func valueHash(for key: Digest) -> Digest? {
        view.valueHash(for: key)
    }

    /// What the map holds at the key, with the proof of it against `root`.
    public func proof(for key: Digest) -> (valueHash: Digest?, proof: MapProof) {
        view.proof(for: key)
    }

    private var view: MapView {
        let base = self.base
        return MapView(suite: base.suite, top: base.top, layers: layers) {
            base.leaves(ofBucket: $0)
        }
    }
}

extension MapOverlay: Sendable where Base: Sendable {}

/// The walks over base and layers, apart from the generic type so that they are compiled once.
struct MapView {
    let suite: Suite
    let top: MapTop
    let layers: [MapLayer]
    let readBucket: (UInt32) -> [MapLeaf]

    /// A place in the tree and who may know about it.
    private struct Place {
        var heap: UInt64 = 1
        var depth = 0
        /// The base's node here, or the bucket in which everything here lies.
        var cursor: UInt32 = 0
        var isInsideBucket = false
        /// Bit i: layer i has changed something here (i < 64; later layers are always asked).
        var layers: UInt64 = .max
    }

    private struct Found {
        var summary: MapSummary
        var isBranch: Bool
        /// Which layer answered; nil for the base.
        var layer: Int?
        /// The bucket's index in the layer, or its id in the base.
        var bucket: Int
        /// The entries, where they are a part of one of the base's buckets.
        var part: [MapLeaf]?
        var layers: UInt64
    }

    private func find(_ place: Place) -> Found {
        var newest: Found?
        var live: UInt64 = 0
        if place.layers != 0 || layers.count > 64 {
            for index in layers.indices.reversed() {
                let mask: UInt64 = index < 64 ? 1 << UInt64(index) : 0
                if index < 64, place.layers & mask == 0 { continue }
                guard let node = layers[index].nodes[place.heap] else { continue }
                live |= mask
                guard newest == nil else { continue }
                switch node.content {
                case .branch:
                    newest = Found(
                        summary: node.summary, isBranch: true, layer: index, bucket: 0, layers: 0)
                case .bucket(let slot):
                    // A bucket is held whole, so nobody else need be asked.
                    return Found(
                        summary: node.summary, isBranch: false, layer: index, bucket: slot,
                        layers: 0)
                }
            }
        }
        if var found = newest {
            found.layers = live
            return found
        }
        let node = top.nodes[Int(place.cursor)]
        if place.isInsideBucket {
            // A layer above has cut this bucket, and whoever absorbed that layer's parent has not.
            let all = node.link == 0 ? [] : readBucket(node.link)
            let prefix = place.heap & ~(1 << UInt64(place.depth))
            let part = all.filter { $0.key.prefix(bits: place.depth) == prefix }
            let summary = MapSummary.over(part[...], depth: place.depth, suite: suite)
            return Found(
                summary: summary, isBranch: false, layer: nil, bucket: 0, part: part, layers: 0)
        }
        return Found(
            summary: node.summary, isBranch: node.isBranch, layer: nil, bucket: Int(node.link),
            layers: 0)
    }

    private func child(of place: Place, _ found: Found, right: Bool) -> Place {
        var child = place
        child.heap = place.heap << 1 | (right ? 1 : 0)
        child.depth += 1
        child.layers = found.layers
        let parent = top.nodes[Int(place.cursor)]
        if parent.isBranch {
            child.cursor = parent.link + (right ? 1 : 0)
        } else {
            child.isInsideBucket = true
        }
        return child
    }

    private func leaves(of found: Found) -> [MapLeaf] {
        if let part = found.part { return part }
        if let layer = found.layer { return layers[layer].buckets[found.bucket] }
        return found.bucket == 0 ? [] : readBucket(UInt32(found.bucket))
    }

    func layer(_ changes: [MapChange]) -> MapLayer {
        let start = Place()
        var layer = MapLayer(base: find(start).summary.digest)
        if !changes.isEmpty { _ = apply(changes[...], at: start, to: &layer) }
        return layer
    }

    private func apply(
        _ changes: ArraySlice<MapChange>, at place: Place, to layer: inout MapLayer
    ) -> MapSummary {
        let found = find(place)
        if changes.isEmpty { return found.summary }
        guard found.isBranch else {
            return layer.setLeaves(
                leaves(of: found).applying(changes), at: place.heap, depth: place.depth,
                bucketLeavesMax: top.bucketLeavesMax, suite: suite)
        }
        let middle = changes.partitionPoint { !$0.key.bit(place.depth) }
        let left = apply(
            changes[changes.startIndex..<middle], at: child(of: place, found, right: false),
            to: &layer)
        let right = apply(
            changes[middle..<changes.endIndex], at: child(of: place, found, right: true),
            to: &layer)
        let summary = MapSummary.joining(left, right, suite: suite)
        layer.setBranch(summary, at: place.heap)
        return summary
    }

    func valueHash(for key: Digest) -> Digest? {
        let (place, found) = descend(to: key) { _, _ in }
        return endLeaves(from: place, found).first { $0.key == key }?.valueHash
    }

    func proof(for key: Digest) -> (valueHash: Digest?, proof: MapProof) {
        var siblings: [Digest] = []
        let (place, found) = descend(to: key) { place, found in
            siblings.append(
                find(child(of: place, found, right: !key.bit(place.depth))).summary.digest)
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
        guard let leaf = leaves.first else {
            return (nil, MapProof(siblings: siblings, otherLeaf: nil))
        }
        guard leaf.key == key else {
            return (nil, MapProof(siblings: siblings, otherLeaf: leaf))
        }
        return (leaf.valueHash, MapProof(siblings: siblings, otherLeaf: nil))
    }

    /// The leaves where a descent ended.
    private func endLeaves(from place: Place, _ found: Found) -> [MapLeaf] {
        var place = place
        var found = found
        // The one entry of a single subtree may sit several branches further down.
        while found.isBranch, found.summary.isSingle {
            let left = child(of: place, found, right: false)
            place =
                find(left).summary.isEmpty ? child(of: place, found, right: true) : left
            found = find(place)
        }
        return found.isBranch ? [] : leaves(of: found)
    }

    /// Goes towards the key until a bucket, nothing, or a single entry is reached.
    private func descend(
        to key: Digest, passing: (Place, Found) -> Void
    ) -> (Place, Found) {
        var place = Place()
        var found = find(place)
        while found.isBranch, !found.summary.isSingle, !found.summary.isEmpty {
            passing(place, found)
            place = child(of: place, found, right: key.bit(place.depth))
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
