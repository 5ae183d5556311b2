import LedgerCrypto

/// A committed state map with its buckets in memory: for simulations, tests and small states.
public struct MemoryMap: MapReader, Sendable {
    public let suite: Suite
    public private(set) var top: MapTop
    private var buckets: [UInt32: [HashedLeaf]] = [:]

    public init(suite: Suite, bucketLeavesMax: Int = MapTop.bucketLeavesStandard) {
        self.suite = suite
        top = MapTop(bucketLeavesMax: bucketLeavesMax)
    }

    public func leaves(ofBucket id: UInt32) -> [HashedLeaf] {
        buckets[id] ?? []
    }

    /// Makes a layer that was built on exactly this state a part of it.
    public mutating func commit(_ layer: MapLayer) {
        let buckets = self.buckets
        for rewrite in top.absorb(layer, suite: suite, leaves: { buckets[$0] ?? [] }) {
            if let source = rewrite.source { self.buckets[source] = nil }
            for target in rewrite.targets { self.buckets[target.id] = target.leaves }
        }
    }

    /// All entries, ascending by key.
    public var leaves: [HashedLeaf] {
        var all: [HashedLeaf] = []
        top.forEachBucket { id, _ in all.append(contentsOf: leaves(ofBucket: id)) }
        return all
    }
}
