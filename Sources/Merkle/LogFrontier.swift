import Encoding
import LedgerCrypto

/// The roots of the perfect subtrees that make up an RFC 9162 §2.1 tree: all that is needed to
/// append to the tree and to name its root.
///
/// Wire form: `[size: uint, peaks: [* bstr .size 32]]`, as many peaks as `size` has one bits.
public struct LogFrontier: Equatable, Sendable, CBORCodable {
    /// Number of leaves appended so far.
    public private(set) var size: UInt64
    /// Roots of the perfect subtrees, largest (leftmost) first.
    public private(set) var peaks: [Digest]

    /// The empty log.
    public init() {
        size = 0
        peaks = []
    }

    /// Nil unless there is one peak for each one bit of `size`.
    public init?(size: UInt64, peaks: [Digest]) {
        guard peaks.count == size.nonzeroBitCount else { return nil }
        self.size = size
        self.peaks = peaks
    }

    /// Appends the leaf whose RFC 9162 leaf hash (`Suite.leafDigest`) is given.
    public mutating func append(leafHash: Digest, suite: Suite) {
        append(leafHash: leafHash, suite: suite) { _, _, _ in }
    }

    /// Appends a leaf and reports every perfect subtree this completes, smallest first, the leaf
    /// itself (level 0) included: exactly the nodes a `LogNodeReader` must be able to return.
    public mutating func append(
        leafHash: Digest, suite: Suite,
        completed: (_ level: Int, _ index: UInt64, _ digest: Digest) -> Void
    ) {
        precondition(size < UInt64.max, "a log holds fewer than 2^64 leaves")
        var node = leafHash
        var level = 0
        completed(0, size, node)
        // Each trailing one bit of the size is a subtree that the new one completes.
        while (size >> UInt64(level)) & 1 == 1 {
            node = suite.nodeDigest(peaks.removeLast(), node)
            level += 1
            completed(level, size >> UInt64(level), node)
        }
        peaks.append(node)
        size += 1
    }

    /// MTH of RFC 9162 §2.1.1; the digest of no bytes for the empty log.
    public func root(_ suite: Suite) -> Digest {
        guard var root = peaks.last else { return suite.digest([]) }
        for peak in peaks.dropLast().reversed() {
            root = suite.nodeDigest(peak, root)
        }
        return root
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.unsigned(size)
        encoder.list(peaks)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        let size = try decoder.unsigned()
        let peaks: [Digest] = try decoder.list(max: 64)
        guard let frontier = LogFrontier(size: size, peaks: peaks) else {
            throw decoder.invalid("a log frontier has one peak for each one bit of its size")
        }
        self = frontier
    }
}

/// What appending some leaves adds to a log: whoever keeps the log need not hash it again.
public struct LogGrowth: Equatable, Sendable {
    /// A perfect subtree that was completed.
    public struct Node: Equatable, Sendable {
        public let level: Int
        public let index: UInt64
        public let digest: Digest
    }

    /// Leaf hashes, in order.
    public let leaves: [Digest]
    /// Of the completed subtrees those of every `tileLevels`-th level above the leaves, in order of completion.
    public let nodes: [Node]
    /// The log with the leaves.
    public let frontier: LogFrontier

    /// Levels of the tree in a stored tile.
    public static let tileLevels = 8

    public init(of log: LogFrontier, by leaves: [Digest], suite: Suite) {
        var frontier = log
        var nodes: [Node] = []
        for leaf in leaves {
            frontier.append(leafHash: leaf, suite: suite) { level, index, digest in
                guard level > 0, level % Self.tileLevels == 0 else { return }
                nodes.append(Node(level: level, index: index, digest: digest))
            }
        }
        self.leaves = leaves
        self.nodes = nodes
        self.frontier = frontier
    }

    /// Number of leaves of the log before.
    public var firstIndex: UInt64 { frontier.size - UInt64(leaves.count) }
}
