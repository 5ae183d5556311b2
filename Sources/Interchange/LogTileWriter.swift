import Ledger
import LedgerCrypto
import Merkle

/// Lays a log out as static files that tools for transparency logs read (c2sp.org/tlog-tiles): tiles of 256 hashes, bundles of
/// 256 leaves. Leaves go in one by one in order; full files come out as they fill, the others with `finish`.
///
/// What it holds is bounded: fewer than 256 hashes a level, fewer than 256 leaves.
public struct LogTileWriter {
    public struct File: Equatable, Sendable {
        /// Below the log's prefix, such as `tile/0/000` or `tile/entries/x001/234.p/7`.
        public let path: String
        public let bytes: [UInt8]
    }

    /// Leaves in a full bundle, hashes in a full tile.
    public static let width = 256
    private static let levels = 8

    private let suite: Suite
    private var frontier = LogFrontier()
    /// For each level of tiles the hashes after its last full one.
    private var hashes: [[Digest]] = [[]]
    private var leaves: [UInt8] = []

    public init(_ suite: Suite) { self.suite = suite }

    public var size: UInt64 { frontier.size }
    /// Of all leaves so far.
    public var root: Digest { frontier.root(suite) }

    /// - Parameter leaf: the leaf's data, shorter than 64 KiB.
    /// - Returns: the files that it filled.
    public mutating func append(_ leaf: [UInt8]) -> [File] {
        guard let count = UInt16(exactly: leaf.count) else {
            preconditionFailure("a leaf of the log is a tag and a digest")
        }
        leaves += [UInt8(count >> 8), UInt8(count & 255)] + leaf
        var files: [File] = []
        let row = frontier.size / UInt64(Self.width)
        frontier.append(leafHash: suite.leafDigest(leaf), suite: suite) { level, index, digest in
            guard level % Self.levels == 0 else { return }
            let level = level / Self.levels
            if level == hashes.count { hashes.append([]) }
            hashes[level].append(digest)
            guard hashes[level].count == Self.width else { return }
            let path = Self.path("\(level)", index / UInt64(Self.width))
            files.append(File(path: path, bytes: hashes[level].flatMap(\.bytes)))
            hashes[level].removeAll(keepingCapacity: true)
        }
        if frontier.size % UInt64(Self.width) == 0 {
            files.append(File(path: Self.path("entries", row), bytes: leaves))
            leaves.removeAll(keepingCapacity: true)
        }
        return files
    }

    /// The partial files of a log that ends here.
    public func finish() -> [File] {
        var files: [File] = []
        var nodes = frontier.size
        for (level, hashes) in hashes.enumerated() {
            if !hashes.isEmpty {
                let path = Self.path("\(level)", nodes / UInt64(Self.width))
                files.append(
                    File(path: "\(path).p/\(hashes.count)", bytes: hashes.flatMap(\.bytes)))
            }
            nodes /= UInt64(Self.width)
        }
        let rest = frontier.size % UInt64(Self.width)
        if rest > 0 {
            let path = Self.path("entries", frontier.size / UInt64(Self.width))
            files.append(File(path: "\(path).p/\(rest)", bytes: leaves))
        }
        return files
    }

    /// The number in groups of three digits, all but the last after an `x`.
    static func path(_ kind: String, _ number: UInt64) -> String {
        var groups: [String] = []
        var rest = number
        repeat {
            let digits = "\(rest % 1_000)"
            let group = String(repeating: "0", count: 3 - digits.count) + digits
            groups.append(groups.isEmpty ? group : "x\(group)")
            rest /= 1_000
        } while rest > 0
        return "tile/\(kind)/" + groups.reversed().joined(separator: "/")
    }

    /// The leaves of a bundle; nil unless it is nothing but whole leaves, `width` at most.
    public static func leaves(ofBundle bytes: [UInt8]) -> [[UInt8]]? {
        var leaves: [[UInt8]] = []
        var rest = bytes[...]
        while let high = rest.popFirst() {
            guard leaves.count < width, let low = rest.popFirst() else { return nil }
            let count = Int(high) << 8 | Int(low)
            guard rest.count >= count else { return nil }
            leaves.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return leaves
    }

    /// The other way round.
    public static func bundle(of leaves: [[UInt8]]) -> [UInt8] {
        leaves.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 255)] + $0 }
    }
}
