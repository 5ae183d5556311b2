import Execution
import Ledger
import LedgerCrypto

/// The blocks above the final one whose bodies are here, by the digest of their headers.
///
/// Bounded: a leader adds at most one for each of its views, the oldest of nullified views go first
/// (`trim`), others come only when they were asked for, and a finalization prunes all that lost.
struct BlockTree {
    struct Node {
        let block: Block
        let subject: VoteSubject
        /// The newest view in which it was proposed or notarized.
        var view: UInt64
        var executed: ExecutedBlock?
        /// Whether it was made for a recovery, which seats validators anew (`Executor`).
        var seatsAnew = false
        /// Whether no quorum of validators stands behind it, so that its transactions' signatures are still to be checked.
        var isUnvouched = false

        var parent: Digest { block.header.parent }
        var height: UInt64 { block.header.height }

        /// Ids of its transactions, once it is executed.
        var ids: [Digest] { executed?.transactions.compactMap { $0?.id } ?? [] }
    }

    private(set) var nodes: [Digest: Node] = [:]
    private(set) var final: Digest
    private(set) var finalHeight: UInt64

    init(final: Digest, height: UInt64) {
        self.final = final
        finalHeight = height
    }

    subscript(digest: Digest) -> Node? { nodes[digest] }

    func isExecuted(_ digest: Digest) -> Bool {
        digest == final || nodes[digest]?.executed != nil
    }

    /// Files a block. A body that was not executed yet gives way to a new one: it may be another one under the same
    /// header.
    mutating func insert(_ block: Block, subject: VoteSubject, view: UInt64) {
        guard block.header.height > finalHeight else { return }
        let known = nodes[subject.header]
        if let executed = known?.executed {
            nodes[subject.header] = Node(
                block: executed.block, subject: subject, view: max(view, known?.view ?? 0),
                executed: executed)
        } else {
            nodes[subject.header] = Node(
                block: block, subject: subject, view: max(view, known?.view ?? 0))
        }
    }

    mutating func setExecuted(_ executed: ExecutedBlock) {
        nodes[executed.headerDigest]?.executed = executed
    }

    /// Only a recovery makes the block final.
    mutating func markUnvouched(_ digest: Digest, seatsAnew: Bool) {
        nodes[digest]?.isUnvouched = true
        nodes[digest]?.seatsAnew = seatsAnew
    }

    mutating func remove(_ digest: Digest) {
        nodes[digest] = nil
    }

    enum Path {
        /// From just above the final block up to the one asked for.
        case complete([Node])
        case missing(Digest)
        /// It does not descend from the final block.
        case foreign
    }

    /// The way from the final block up to `digest`.
    func path(to digest: Digest) -> Path {
        var nodes: [Node] = []
        var next = digest
        while next != final {
            guard let node = self.nodes[next] else {
                if let child = nodes.last, child.height <= finalHeight + 1 { return .foreign }
                return .missing(next)
            }
            nodes.append(node)
            next = node.parent
        }
        return .complete(nodes.reversed())
    }

    /// A block became final: it and everything that does not descend from it goes.
    ///
    /// - Returns: what was dropped, apart from the final block and its ancestors, ascending by digest.
    mutating func prune(final digest: Digest, height: UInt64) -> [Node] {
        var isAncestor: Set<Digest> = []
        var next = digest
        while next != final, let node = nodes[next] {
            isAncestor.insert(next)
            next = node.parent
        }
        final = digest
        finalHeight = height
        var dropped: [Node] = []
        for key in nodes.keys.sorted() {
            guard let node = nodes[key] else { continue }
            if isAncestor.contains(key) {
                nodes[key] = nil
                continue
            }
            switch node.height <= height ? .foreign : path(to: key) {
            case .complete, .missing: continue
            case .foreign:
                dropped.append(node)
                nodes[key] = nil
            }
        }
        return dropped
    }

    /// Drops everything above the final block, ascending by digest.
    mutating func removeAll() -> [Node] {
        let dropped = nodes.keys.sorted().compactMap { nodes[$0] }
        nodes = [:]
        return dropped
    }

    /// Drops bodies of views below `view` that are not among those to keep, ascending by digest.
    mutating func trim(below view: UInt64, keeping kept: Set<Digest>) -> [Node] {
        guard nodes.count > ReplicaLimits.bodiesMax else { return [] }
        var dropped: [Node] = []
        for key in nodes.keys.sorted() {
            guard let node = nodes[key], node.view < view, !kept.contains(key) else { continue }
            dropped.append(node)
            nodes[key] = nil
        }
        return dropped
    }
}
