import Ledger
import LedgerCrypto
import Market
import Merkle
import Records

/// What an executor reads at the finalized height. A class, so that whatever holds one has one layout.
public typealias CommittedState = StateReader & MapReader & AnyObject

/// What a block changes in the state: values by ascending key, each key once, nil where it is removed.
public struct StateDelta: Sendable {
    public let changes: [(key: Digest, value: [UInt8]?)]

    public init(changes: [(key: Digest, value: [UInt8]?)]) {
        for (left, right) in zip(changes, changes.dropFirst()) {
            precondition(left.key < right.key, "changes ascend by key, each key once")
        }
        self.changes = changes
    }

    /// What the delta says of a key: nil for nothing, `.some(nil)` for its removal.
    public func value(for key: Digest) -> [UInt8]?? {
        var low = 0
        var high = changes.count
        while low < high {
            let middle = low + (high - low) / 2
            if changes[middle].key < key { low = middle + 1 } else { high = middle }
        }
        guard low < changes.count, changes[low].key == key else { return nil }
        return .some(changes[low].value)
    }

    /// The changes as the authenticated map takes them.
    public func mapChanges(_ suite: Suite) -> [MapChange] {
        changes.map { change in
            MapChange(key: change.key, valueHash: change.value.map { suite.digest($0) })
        }
    }
}

/// What indexes and replay protection keep of a transaction in a block.
public struct TransactionReference: Hashable, Sendable {
    public let id: Digest
    public let lastValidHeight: UInt64
    public let member: MemberID
    public let kind: UInt64

    public init(id: Digest, lastValidHeight: UInt64, member: MemberID, kind: UInt64) {
        self.id = id
        self.lastValidHeight = lastValidHeight
        self.member = member
        self.kind = kind
    }
}

/// A candidate that the leader left out, and why.
public struct LeftOut: Hashable, Sendable {
    /// The envelope's digest.
    public let digest: Digest
    /// `overQuota` and `busy` (no room): it may stand in a later block. Every other code: it never will.
    public let code: OutcomeCode

    public init(digest: Digest, code: OutcomeCode) {
        self.digest = digest
        self.code = code
    }

    public var mayComeLater: Bool { code == .overQuota || code == .busy || code == .tooFarAhead }
}

/// A block with everything that its execution on its parent's state gave.
public struct ExecutedBlock: Sendable {
    public let block: Block
    public let headerDigest: Digest
    /// One for each entry.
    public let outcomes: [EntryOutcome]
    /// One for each entry; nil for automatic actions.
    public let transactions: [TransactionReference?]
    public let delta: StateDelta
    /// The block's layer of the state map, built on its parent's state.
    public let mapLayer: MapLayer
    public let events: [PlacedEvent]
    /// This block's leaves of the chain's log.
    public let log: LogGrowth
    /// Candidates that a leader left out; empty for a follower.
    public let leftOut: [LeftOut]
    /// The next epoch's set, when this block is its epoch's last one.
    public let nextValidators: ValidatorSet?
    /// Ids of the transactions.
    let ids: Set<Digest>
    /// What its entries take of `Parameters.blockBytesMax`.
    public let entryBytes: UInt64

    public var header: Header { block.header }
    public var height: UInt64 { block.header.height }
    /// The chain's log with this block's leaves.
    public var frontier: LogFrontier { log.frontier }
    /// What notarize and finalize votes for it state.
    public var subject: VoteSubject {
        VoteSubject(
            height: block.header.height, header: headerDigest, logRoot: block.header.logRoot)
    }
}

/// The state that a block is executed on: a finalized base and the unfinalized blocks above it.
public struct ParentState<Base: CommittedState> {
    public private(set) var header: Header
    public private(set) var headerDigest: Digest
    /// The chain's log after that header's block.
    public private(set) var frontier: LogFrontier
    /// Oldest first. A block that the base has absorbed since may still stand here: it reads the same.
    public private(set) var layers: [ExecutedBlock]
    /// The layers' changes, without those that change nothing: thousands of empty blocks may become final together.
    private(set) var deltas: [StateDelta]
    public let base: Base

    /// The finalized state itself.
    public init(header: Header, headerDigest: Digest, frontier: LogFrontier, base: Base) {
        self.init(
            header: header, headerDigest: headerDigest, frontier: frontier, layers: [], base: base)
    }

    public init(
        header: Header, headerDigest: Digest, frontier: LogFrontier, layers: [ExecutedBlock],
        base: Base
    ) {
        precondition(frontier.size == header.logSize, "the frontier is the header's")
        precondition(
            layers.last.map { $0.headerDigest == headerDigest } ?? true,
            "the last layer is the parent block")
        for (parent, child) in zip(layers, layers.dropFirst()) {
            precondition(child.block.header.parent == parent.headerDigest, "layers are a chain")
        }
        self.header = header
        self.headerDigest = headerDigest
        self.frontier = frontier
        self.layers = layers
        deltas = layers.map(\.delta).filter { !$0.changes.isEmpty }
        self.base = base
    }

    /// Makes this the state after a block that was executed on it.
    public mutating func extend(by block: ExecutedBlock) {
        precondition(block.block.header.parent == headerDigest, "the block's parent is this one")
        header = block.header
        headerDigest = block.headerDigest
        frontier = block.frontier
        layers.append(block)
        if !block.delta.changes.isEmpty { deltas.append(block.delta) }
    }

    /// The state after a block that was executed on this one.
    public func extended(by block: ExecutedBlock) -> ParentState {
        var state = self
        state.extend(by: block)
        return state
    }
}

extension ParentState: Sendable where Base: Sendable {}

/// Reads through the unfinalized blocks down to the base.
public struct LayeredState<Base: CommittedState>: StateReader {
    private let deltas: [StateDelta]
    private let base: Base

    public init(_ parent: ParentState<Base>) {
        deltas = parent.deltas
        base = parent.base
    }

    public func value(for key: Digest) -> [UInt8]? {
        for delta in deltas.reversed() {
            if let change = delta.value(for: key) { return change }
        }
        return base.value(for: key)
    }
}
