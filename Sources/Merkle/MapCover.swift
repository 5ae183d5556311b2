import Encoding
import LedgerCrypto

/// The state map cut into subtrees that cover all keys, in key order: what makes each part of a snapshot checkable by
/// itself, before the others are there.
///
/// Wire form: `[+ [depth: 0..60, single: 0 / 1, digest: bstr .size 32]]`. The parts' prefixes follow from the depths
/// alone: each begins where the one before it ends, and together they are the whole map.
public struct MapCover: Equatable, Sendable {
    /// One subtree: everything under one prefix of the keys.
    public struct Part: Equatable, Sendable {
        /// Leading key bits that its keys share.
        public let depth: Int
        public let summary: MapSummary
        /// The shared bits, as a number below `2^depth`.
        public let prefix: UInt64

        /// Whether these entries, ascending by key, are exactly what this part of the map holds.
        public func isExactly(_ leaves: [MapLeaf], suite: Suite) -> Bool {
            for (leaf, next) in zip(leaves, leaves.dropFirst()) where leaf.key >= next.key {
                return false
            }
            guard let first = leaves.first, let last = leaves.last else { return summary.isEmpty }
            guard first.key.prefix(bits: depth) == prefix, last.key.prefix(bits: depth) == prefix
            else { return false }
            let hashed = leaves.map { HashedLeaf($0, suite: suite) }
            return MapSummary.over(hashed[...], depth: depth, suite: suite).digest
                == summary.digest
        }
    }

    /// Deepest part. To make keys crowd below it takes 2^60 trials.
    public static let depthMax = MapTop.depthMax
    public static let partsMax = 1 << 18

    /// In key order, empty ones included.
    public let parts: [Part]

    /// Nil unless the depths, in this order, cut the map into parts.
    public init?(_ list: [(depth: Int, summary: MapSummary)]) {
        guard !list.isEmpty, list.count <= Self.partsMax else { return nil }
        let end: UInt64 = 1 << UInt64(Self.depthMax)
        var position: UInt64 = 0
        var parts: [Part] = []
        parts.reserveCapacity(list.count)
        for (depth, summary) in list {
            guard (0...Self.depthMax).contains(depth), position < end else { return nil }
            let shift = UInt64(Self.depthMax - depth)
            guard position & (1 << shift - 1) == 0 else { return nil }
            parts.append(Part(depth: depth, summary: summary, prefix: position >> shift))
            position += 1 << shift
        }
        guard position == end else { return nil }
        self.parts = parts
    }

    /// The root of the map that has these parts.
    public func root(_ suite: Suite) -> Digest {
        var pending: [(depth: Int, summary: MapSummary)] = []
        for part in parts {
            var depth = part.depth
            var summary = part.summary
            // A right child completes its parent; its left sibling was pushed last.
            while let left = pending.last, left.depth == depth {
                summary = .joining(left.summary, summary, suite: suite)
                depth -= 1
                pending.removeLast()
            }
            pending.append((depth, summary))
        }
        return pending[0].summary.digest
    }
}

extension MapCover: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(parts.count)
        for part in parts {
            encoder.array(3)
            encoder.unsigned(UInt64(part.depth))
            encoder.unsigned(part.summary.isSingle ? 1 : 0)
            encoder.value(part.summary.digest)
        }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        let count = try decoder.array(max: MapCover.partsMax)
        var list: [(depth: Int, summary: MapSummary)] = []
        list.reserveCapacity(min(count, 4_096))
        for _ in 0..<count {
            try decoder.array(exactly: 3)
            let depth = try decoder.unsigned()
            let single = try decoder.unsigned()
            guard depth <= UInt64(MapCover.depthMax), single <= 1 else {
                throw decoder.invalid("a part's depth is 0 to 60, single is 0 or 1")
            }
            let summary = MapSummary(digest: try decoder.value(), isSingle: single == 1)
            guard !(summary.isEmpty && summary.isSingle) else {
                throw decoder.invalid("an empty part has no entry")
            }
            list.append((Int(depth), summary))
        }
        guard let cover = MapCover(list) else {
            throw decoder.invalid("the parts do not cover the map")
        }
        self = cover
    }
}

/// Cuts a map, entry by entry in key order, into the largest subtrees whose weight is within a limit. The same entries
/// and the same limit give the same parts on every node.
///
/// Holds the entries of unfinished parts only: at most the limit for each level of the tree, about twice the
/// limit for keys that are digests.
public struct MapPartition {
    public struct Entry: Sendable {
        public let leaf: HashedLeaf
        public let value: [UInt8]
    }

    /// A subtree that is complete. Those on the stack are the left siblings on the way to the latest key, and last the
    /// one that holds it.
    private struct Subtree {
        var depth: Int
        var summary: MapSummary
        /// A key in it.
        let key: Digest
        var count: Int
        var weight: Int
        /// Empty while its entries are pending.
        var parts: [(depth: Int, summary: MapSummary)] = []

        var isEmitted: Bool { !parts.isEmpty }
    }

    private let suite: Suite
    private let weightMax: Int
    private var stack: [Subtree] = []
    /// Entries of the subtrees that are not emitted, in key order.
    private var pending: [Entry] = []
    private var lastKey: Digest?

    /// - Parameter weightMax: of a part of more than one entry, unless it lies at `MapCover.depthMax`.
    public init(suite: Suite, weightMax: Int) {
        self.suite = suite
        self.weightMax = weightMax
    }

    /// Adds the next entry; its key is greater than every earlier one.
    ///
    /// - Parameter emit: takes each finished part that holds entries, in key order.
    public mutating func add<Failure: Error>(
        _ leaf: MapLeaf, _ value: [UInt8], weight: Int,
        emit: (_ depth: Int, _ entries: ArraySlice<Entry>) throws(Failure) -> Void
    ) throws(Failure) {
        if let lastKey {
            precondition(lastKey < leaf.key, "entries ascend by key, each key once")
            let shared = Self.sharedBits(lastKey, leaf.key)
            try fold(to: shared + 1, emit)
        }
        lastKey = leaf.key
        let hashed = HashedLeaf(leaf, suite: suite)
        stack.append(
            Subtree(
                depth: Digest.bitCount,
                summary: MapSummary(digest: hashed.digest, isSingle: true), key: leaf.key,
                count: 1, weight: weight))
        pending.append(Entry(leaf: hashed, value: value))
    }

    /// After the last entry.
    public mutating func finish<Failure: Error>(
        emit: (_ depth: Int, _ entries: ArraySlice<Entry>) throws(Failure) -> Void
    ) throws(Failure) {
        guard !stack.isEmpty else { return }
        try fold(to: 0, emit)
        try emitPending(emit)
    }

    /// The parts of a finished map; nil where they are more than a cover may have (`MapCover.partsMax`).
    public var cover: MapCover? { MapCover(stack.first?.parts ?? [(0, .empty)]) }

    /// Grows the last subtree upwards until its depth is this.
    private mutating func fold<Failure: Error>(
        to depth: Int, _ emit: (Int, ArraySlice<Entry>) throws(Failure) -> Void
    ) throws(Failure) {
        while var last = stack.popLast() {
            guard last.depth > depth else {
                stack.append(last)
                return
            }
            let siblingDepth = stack.last?.depth ?? 0
            if last.depth > siblingDepth {
                lift(&last, towards: max(depth, siblingDepth))
                stack.append(last)
                continue
            }
            guard let left = stack.popLast() else {
                preconditionFailure("a sibling at the same depth is on the stack")
            }
            try join(left, last, emit)
        }
    }

    /// Moves a subtree up past empty siblings.
    private func lift(_ subtree: inout Subtree, towards depth: Int) {
        // A single entry has the same digest wherever it hangs.
        if subtree.summary.isSingle, !subtree.isEmitted {
            subtree.depth = depth
            return
        }
        let isRight = subtree.key.bit(subtree.depth - 1)
        let empty = (depth: subtree.depth, summary: MapSummary.empty)
        subtree.summary =
            isRight
            ? .joining(.empty, subtree.summary, suite: suite)
            : .joining(subtree.summary, .empty, suite: suite)
        if subtree.isEmitted {
            subtree.parts = isRight ? [empty] + subtree.parts : subtree.parts + [empty]
        }
        subtree.depth -= 1
    }

    private mutating func join<Failure: Error>(
        _ left: Subtree, _ right: Subtree,
        _ emit: (Int, ArraySlice<Entry>) throws(Failure) -> Void
    ) throws(Failure) {
        var joined = Subtree(
            depth: left.depth - 1,
            summary: .joining(left.summary, right.summary, suite: suite), key: left.key,
            count: left.count + right.count, weight: left.weight + right.weight)
        let fits = joined.weight <= weightMax || left.depth > MapCover.depthMax
        if left.isEmitted || right.isEmitted || !fits {
            stack.append(left)
            stack.append(right)
            try emitPending(emit)
            let count = stack.count
            joined.parts = stack[count - 2].parts + stack[count - 1].parts
            joined.count = 0
            joined.weight = 0
            stack.removeLast(2)
        }
        stack.append(joined)
    }

    /// Emits what is pending. A part next to one that was emitted cannot grow any more, and neither can those to the
    /// left of it, so that parts leave in key order.
    private mutating func emitPending<Failure: Error>(
        _ emit: (Int, ArraySlice<Entry>) throws(Failure) -> Void
    ) throws(Failure) {
        var start = 0
        for index in stack.indices where !stack[index].isEmitted {
            let subtree = stack[index]
            try emit(subtree.depth, pending[start..<start + subtree.count])
            start += subtree.count
            stack[index].parts = [(subtree.depth, subtree.summary)]
            stack[index].count = 0
            stack[index].weight = 0
        }
        precondition(start == pending.count, "every pending entry is in a subtree on the stack")
        pending.removeAll(keepingCapacity: true)
    }

    private static func sharedBits(_ left: Digest, _ right: Digest) -> Int {
        let difference = left.prefix(bits: 64) ^ right.prefix(bits: 64)
        if difference != 0 { return difference.leadingZeroBitCount }
        var bit = 64
        while bit < Digest.bitCount, left.bit(bit) == right.bit(bit) { bit += 1 }
        return bit
    }
}
