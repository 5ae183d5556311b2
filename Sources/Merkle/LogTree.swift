import LedgerCrypto

/// A whole RFC 9162 log in memory: for bundles, per-asset logs and tests. Holds every perfect
/// subtree, about 64 bytes a leaf, so that any path costs only look-ups and a few hashes.
public struct LogTree: Sendable, LogNodeReader {
    public let suite: Suite
    /// What a writer would keep: size and peaks.
    public private(set) var frontier: LogFrontier
    /// `levels[l][i]` is the root over the `2^l` leaves from `i << l`.
    private var levels: [[Digest]]

    /// - Parameter leafHashes: RFC 9162 leaf hashes (`Suite.leafDigest`), in log order.
    public init(suite: Suite, leafHashes: [Digest] = []) {
        self.suite = suite
        frontier = LogFrontier()
        levels = []
        for leafHash in leafHashes { append(leafHash: leafHash) }
    }

    public var size: UInt64 { frontier.size }
    public var root: Digest { frontier.root(suite) }

    public mutating func append(leafHash: Digest) {
        var grown = levels
        levels = []
        frontier.append(leafHash: leafHash, suite: suite) { level, _, digest in
            if level == grown.count { grown.append([]) }
            grown[level].append(digest)
        }
        levels = grown
    }

    public func node(level: Int, index: UInt64) -> Digest? {
        guard level >= 0, level < levels.count, index < UInt64(levels[level].count) else {
            return nil
        }
        return levels[level][Int(index)]
    }

    /// Root of the first `size` leaves; `size` must not exceed this log's.
    public func root(size: UInt64) -> Digest {
        let root = LogProof.rangeRoot(start: 0, count: size, reader: self, suite: suite)
        guard size <= self.size, let root else {
            preconditionFailure("a log of \(self.size) leaves has no root at \(size)")
        }
        return root
    }

    /// Path of the leaf at `index` in the tree of the first `size` leaves;
    /// requires `index < size <= self.size`.
    public func inclusionPath(index: UInt64, size: UInt64) -> [Digest] {
        let path = LogProof.inclusionPath(index: index, size: size, reader: self, suite: suite)
        guard size <= self.size, let path else {
            preconditionFailure("a log of \(self.size) leaves has no leaf \(index) at \(size)")
        }
        return path
    }
}
