import LedgerCrypto

/// Climbs an RFC 9162 §2.1 tree from a leaf: which node of which level the way leads through.
///
/// A node without a right neighbour is its own parent, so it is named by the level at which it gets a sibling.
struct BatchPlace {
    private(set) var level: UInt64 = 0
    private(set) var index: UInt64
    private var last: UInt64

    init(index: UInt64, size: UInt64) {
        precondition(index < size, "a leaf lies within its tree")
        self.index = index
        last = size - 1
        rise()
    }

    var isRoot: Bool { last == 0 }
    var isRight: Bool { index & 1 == 1 }
    var sibling: UInt64 { index ^ 1 }

    /// To the parent; false at the root.
    mutating func climb() -> Bool {
        guard !isRoot else { return false }
        up()
        rise()
        return true
    }

    private mutating func rise() {
        while index == last, index & 1 == 0, last > 0 { up() }
    }

    private mutating func up() {
        index >>= 1
        last >>= 1
        level += 1
    }
}

/// A batch whose root's signature is valid, with the nodes of its tree that paths have proven so far.
///
/// The signature is checked once for the batch, and each node of the tree is hashed once: an envelope whose way meets a
/// proven node need not be followed further, if the rest of its path is what was proven there. Accepts exactly what
/// `Envelope.verified(by:)` accepts for this signature.
public struct VerifiedBatch: Sendable {
    public let signature: BatchSignature
    private let size: UInt64
    /// A power of two, not less than the size.
    private let capacity: UInt64
    /// Node `index` of `level` at `(capacity >> level) + index`; zero where unknown. Of a node that is known, its
    /// ancestors, its sibling and theirs are known too.
    private var nodes: [Digest]

    init(checked claim: BatchClaim) {
        signature = claim.signature
        size = claim.size
        var capacity: UInt64 = 1
        while capacity < size { capacity *= 2 }
        self.capacity = capacity
        nodes = [Digest](repeating: .zero, count: Int(2 * capacity))
        let levels = UInt64(capacity.trailingZeroBitCount)
        nodes[place(levels, 0)] = claim.root
    }

    /// What this keeps of the tree, in digests.
    public var digestCount: Int { nodes.count }

    private func place(_ level: UInt64, _ index: UInt64) -> Int {
        Int((capacity >> level) + index)
    }

    /// The transaction of an envelope that states this signature; nil where its path does not lead to the root.
    public mutating func transaction(_ envelope: Envelope) -> Verified<SignedTransaction>? {
        guard signature.isStated(by: envelope),
            let proof = envelope.batchProof, proof.size == size, proof.isWellFormed,
            follow(proof, from: envelope.batchLeaf, suite: envelope.suite)
        else { return nil }
        return Verified(checked: SignedTransaction(envelope: envelope, key: signature.key))
    }

    private mutating func follow(
        _ proof: BatchProof, from leaf: Digest, suite: Suite
    ) -> Bool {
        var at = BatchPlace(index: proof.index, size: size)
        var node = leaf
        var proven = -1
        var way: [Digest] = []
        way.reserveCapacity(proof.path.count)
        for (step, sibling) in proof.path.enumerated() {
            let here = nodes[place(at.level, at.index)]
            if here != .zero {
                guard here == node else { return false }
                proven = step
                break
            }
            way.append(node)
            node = at.isRight ? suite.nodeDigest(sibling, node) : suite.nodeDigest(node, sibling)
            guard at.climb() else { return false }
        }
        if proven < 0 {
            guard at.isRoot, nodes[1] == node else { return false }
            proven = proof.path.count
        }
        for step in proven..<proof.path.count {
            guard nodes[place(at.level, at.sibling)] == proof.path[step] else { return false }
            _ = at.climb()
        }
        // Only now is it known that the way leads to the root.
        at = BatchPlace(index: proof.index, size: size)
        for (step, node) in way.enumerated() {
            nodes[place(at.level, at.index)] = node
            nodes[place(at.level, at.sibling)] = proof.path[step]
            _ = at.climb()
        }
        return true
    }
}
