import LedgerCrypto
import Merkle

/// The nodes of the chain's log (RFC 9162 §2.1), of which every 256 hashes of each eighth level
/// make a tile: a row of 8 KiB when it is full, a list in memory until then.
///
/// Nodes between those levels are computed from a tile: at most 255 hashes.
struct LogTiles {
    /// Levels of the tree in a tile.
    static let levels = LogGrowth.tileLevels
    static let hashesPerTile = 1 << levels

    struct Tile {
        let id: Int64
        let hashes: [Digest]

        var bytes: [UInt8] { hashes.flatMap(\.bytes) }

        /// Nil unless the bytes are 256 digests.
        static func hashes(from bytes: UnsafeRawBufferPointer) -> [Digest]? {
            guard bytes.count == hashesPerTile * Digest.byteCount else { return nil }
            return stride(from: 0, to: bytes.count, by: Digest.byteCount).compactMap {
                Digest(bytes: UnsafeRawBufferPointer(rebasing: bytes[$0..<$0 + Digest.byteCount]))
            }
        }
    }

    let suite: Suite
    private(set) var frontier: LogFrontier
    /// For each tile level the hashes after its last full tile.
    private(set) var recent: [[Digest]]

    init(suite: Suite) {
        self.suite = suite
        frontier = LogFrontier()
        recent = [[]]
    }

    /// - Parameter recent: what `recentCounts(size:)` asks for.
    init(suite: Suite, frontier: LogFrontier, recent: [[Digest]]) {
        precondition(
            recent.map(\.count) == Self.recentCounts(size: frontier.size),
            "the unfinished tiles are those of the log's size")
        self.suite = suite
        self.frontier = frontier
        self.recent = recent
    }

    /// How many hashes of each tile level are not in a full tile, for a log of that size.
    static func recentCounts(size: UInt64) -> [Int] {
        var counts: [Int] = []
        var nodes = size
        repeat {
            counts.append(Int(nodes % UInt64(hashesPerTile)))
            nodes /= UInt64(hashesPerTile)
        } while nodes > 0
        return counts
    }

    /// Level and number of a tile in one rowid.
    static func id(level: Int, number: UInt64) -> Int64 {
        precondition(number < 1 << 56, "a log holds fewer than 2^64 leaves")
        return Int64(level) << 56 | Int64(number)
    }

    static func place(_ id: Int64) -> (level: Int, number: UInt64) {
        (Int(id >> 56), UInt64(id & (1 << 56 - 1)))
    }

    /// Appends what has been computed on exactly this log.
    ///
    /// - Returns: the tiles that it filled.
    mutating func append(_ growth: LogGrowth) -> [Tile] {
        precondition(growth.firstIndex == frontier.size, "the log grows from where it stands")
        var filled: [Tile] = []
        for (offset, leaf) in growth.leaves.enumerated() {
            append(leaf, row: 0, index: growth.firstIndex + UInt64(offset), &filled)
        }
        for node in growth.nodes {
            append(node.digest, row: node.level / Self.levels, index: node.index, &filled)
        }
        frontier = growth.frontier
        precondition(
            recent.map(\.count) == Self.recentCounts(size: frontier.size),
            "the unfinished tiles are those of the log's size")
        return filled
    }

    private mutating func append(
        _ digest: Digest, row: Int, index: UInt64, _ filled: inout [Tile]
    ) {
        if row == recent.count { recent.append([]) }
        recent[row].append(digest)
        guard recent[row].count == Self.hashesPerTile else { return }
        let number = index / UInt64(Self.hashesPerTile)
        filled.append(Tile(id: Self.id(level: row, number: number), hashes: recent[row]))
        recent[row].removeAll(keepingCapacity: true)
    }

    /// Root of the perfect subtree over `2^level` leaves from `index << level`.
    ///
    /// - Parameter load: the hashes of a full tile, by id.
    /// - Returns: nil outside the log, or where `load` has no tile.
    func node(level: Int, index: UInt64, load: (Int64) -> [Digest]?) -> Digest? {
        guard level >= 0, level < 64, index < frontier.size >> UInt64(level) else { return nil }
        let row = level / Self.levels
        let within = UInt64(level % Self.levels)
        let first = index << within
        let number = first / UInt64(Self.hashesPerTile)
        let offset = Int(first % UInt64(Self.hashesPerTile))
        let isFull = number < (frontier.size >> UInt64(row * Self.levels)) >> UInt64(Self.levels)
        guard let hashes = isFull ? load(Self.id(level: row, number: number)) : recent[row] else {
            return nil
        }
        return Self.root(hashes[offset..<offset + 1 << Int(within)], suite: suite)
    }

    /// Root over a power of two of hashes.
    static func root(_ hashes: ArraySlice<Digest>, suite: Suite) -> Digest {
        var nodes = Array(hashes)
        while nodes.count > 1 {
            for pair in 0..<nodes.count / 2 {
                nodes[pair] = suite.nodeDigest(nodes[2 * pair], nodes[2 * pair + 1])
            }
            nodes.removeLast(nodes.count / 2)
        }
        return nodes[0]
    }
}
