import Ledger
import LedgerCrypto
import Merkle
import Node
import Storage

/// What the API asks of a node. `HuijinNode` gives it; so does a ledger in a test.
public protocol LedgerNode: Sendable {
    var genesis: Genesis { get }

    /// Takes envelopes in; one result for each, in order. Never waits longer than `timeoutMs`.
    func submit(
        _ envelopes: [[UInt8]], wait: SubmissionWait, timeoutMs: UInt64
    ) async -> [SubmissionResult]

    /// The newest final state's values and proofs under these keys, all of one height.
    ///
    /// - Throws: `NodeUnavailable`, `StorageError`.
    func certifiedState(_ keys: [Digest]) async throws -> CertifiedState

    /// Performs `body` on a thread that reads final blocks, events and words; it finds everything acknowledged as final.
    ///
    /// - Throws: `NodeUnavailable`, `StorageError`, or what `body` throws.
    func history<Value: Sendable>(
        _ body: @escaping @Sendable (ArchiveReader) throws -> Value
    ) async throws -> Value

    func status() async -> LedgerStatus

    /// The log's checkpoint at a height, or the newest, with this validator's cosignature, where it has one.
    func checkpoint(height: UInt64?) -> CosignedCheckpoint?

    /// Counters in the Prometheus text format.
    func metrics() async -> String
}

/// The final chain and its index, on one thread. Valid only inside the closure that it was given to.
public struct ArchiveReader {
    public let store: StoreReader
    public let index: Index

    public init(store: StoreReader, index: Index) {
        self.store = store
        self.index = index
    }
}

/// A node that cannot answer now.
public enum NodeUnavailable: Error, Sendable, Equatable {
    case busy
    case stopping
}

/// Parts of the finalized state with the header that commits to them.
public struct CertifiedState: Sendable {
    public struct Item: Sendable {
        /// Nil: nothing is there.
        public let value: [UInt8]?
        public let proof: MapProof

        public init(value: [UInt8]?, proof: MapProof) {
            self.value = value
            self.proof = proof
        }
    }

    public let header: Header
    /// Of this very header; nil at genesis.
    public let finalization: Certificate?
    /// In the order of the keys that were asked for.
    public let items: [Item]

    public init(header: Header, finalization: Certificate?, items: [Item]) {
        self.header = header
        self.finalization = finalization
        self.items = items
    }
}

/// Where a node stands.
public struct LedgerStatus: Sendable {
    /// The newest final one.
    public var header: Header
    /// The lowest height whose block is held.
    public var firstHeight: UInt64
    public var view: UInt64
    /// Peers to which a link is up.
    public var peers: Int
    /// The set that certifies now.
    public var validators: Int
    /// Whether it lacks so many final blocks that it takes no transactions.
    public var isCatchingUp: Bool
    /// Height of the block with which a recovery ended the present epoch elsewhere, although other blocks are final here.
    public var contradictedAt: UInt64?
    /// Whether the node votes, and why not.
    public var votes: VoteStanding
    public var version: String

    public init(
        header: Header, firstHeight: UInt64 = 0, view: UInt64, peers: Int, validators: Int,
        isCatchingUp: Bool = false, contradictedAt: UInt64? = nil, votes: VoteStanding,
        version: String
    ) {
        self.header = header
        self.firstHeight = firstHeight
        self.view = view
        self.peers = peers
        self.validators = validators
        self.isCatchingUp = isCatchingUp
        self.contradictedAt = contradictedAt
        self.votes = votes
        self.version = version
    }

    /// Entries in all final blocks: the log holds these and, for each block, its parent's header.
    public var transactions: UInt64 { header.logSize - header.height }
}
