import LedgerCrypto

/// Inclusion paths of one tree, checked one after another. What the path before has proven is not hashed again: two
/// leaves have every sibling in common above the level where they part ways, so with ascending leaves a path costs about
/// the logarithm of its distance to the one before.
///
/// Decides exactly as `LogProof.rootFromInclusion` does, in any order.
public struct LogPaths {
    private let root: Digest
    private let size: UInt64
    private let suite: Suite
    /// The last leaf that was in the tree, its siblings, and the nodes from the leaf on to the root: one more than siblings.
    private var index: UInt64 = 0
    private var path: [Digest] = []
    private var nodes: [Digest] = []

    /// - Parameters:
    ///   - root: of the tree, from somebody who is believed.
    ///   - size: leaves of the tree.
    public init(root: Digest, size: UInt64, suite: Suite) {
        self.root = root
        self.size = size
        self.suite = suite
    }

    /// Whether the leaf stands at `index` of the tree. A path of the wrong length is refused before anything is hashed.
    public mutating func hold(leafHash: Digest, index: UInt64, path: [Digest]) -> Bool {
        guard index < size,
            path.count == LogProof.siblings(of: index, below: UInt64.bitWidth, size: size)
        else {
            return false
        }
        if !nodes.isEmpty {
            let level = UInt64.bitWidth - (index ^ self.index).leadingZeroBitCount
            let count = LogProof.siblings(of: index, below: level, size: size)
            let known = LogProof.siblings(of: self.index, below: level, size: size)
            if path[count...] == self.path[known...] {
                let fresh = way(from: leafHash, at: index, along: path[..<count])
                if fresh[count] == nodes[known] {
                    nodes.replaceSubrange(...known, with: fresh)
                    self.index = index
                    self.path = path
                    return true
                }
            }
        }
        let fresh = way(from: leafHash, at: index, along: path[...])
        guard fresh[path.count] == root else { return false }
        nodes = fresh
        self.index = index
        self.path = path
        return true
    }

    /// The nodes from the leaf on, up to where the siblings end.
    private func way(
        from leafHash: Digest, at index: UInt64, along path: ArraySlice<Digest>
    ) -> [Digest] {
        var nodes = [leafHash]
        nodes.reserveCapacity(path.count + 1)
        var node = leafHash
        for (level, sibling) in path.enumerated() {
            node = LogProof.parent(
                of: node, sibling, at: level, index: index, size: size, suite: suite)
            nodes.append(node)
        }
        return nodes
    }
}
