import Ledger
import LedgerCrypto

/// Knows which transactions are in final blocks and not yet expired.
public protocol ReplayFilter {
    func contains(_ id: Digest) -> Bool
}

/// Ids of final transactions by the height at which they expire. Rebuilt from the newest
/// `Parameters.replayWindowBlocksMax` blocks: whatever is older has expired.
public struct ReplayWindow: ReplayFilter, Sendable, Equatable {
    private var ids: Set<Digest> = []
    private var byExpiry: [UInt64: [Digest]] = [:]
    /// Ids that expire at or below this height are gone.
    public private(set) var prunedHeight: UInt64 = 0

    public init() {}

    public var count: Int { ids.count }

    public func contains(_ id: Digest) -> Bool { ids.contains(id) }

    /// Takes over a final block's transactions; doing it twice changes nothing.
    public mutating func insert(_ block: ExecutedBlock) {
        for case let transaction? in block.transactions { insert(transaction) }
    }

    public mutating func insert(_ transaction: TransactionReference) {
        insert(transaction.id, lastValidHeight: transaction.lastValidHeight)
    }

    /// Takes over a stored block's transactions.
    ///
    /// - Throws: `EnvelopeError` for an envelope that cannot be in a block of this chain.
    public mutating func insert(
        _ block: Block, chain: ChainID, suite: Suite
    ) throws(EnvelopeError) {
        for entry in block.entries {
            guard case .envelope(let bytes) = entry else { continue }
            let envelope = try Envelope(bytes: bytes, chain: chain, suite: suite)
            insert(envelope.id, lastValidHeight: envelope.lastValidHeight)
        }
    }

    private mutating func insert(_ id: Digest, lastValidHeight: UInt64) {
        guard lastValidHeight > prunedHeight, ids.insert(id).inserted else { return }
        byExpiry[lastValidHeight, default: []].append(id)
    }

    /// Forgets what cannot be in a block above `height` any more.
    public mutating func prune(height: UInt64) {
        guard height > prunedHeight else { return }
        // Few heights hold anything when the window jumps far, as at a restart.
        if height - prunedHeight > UInt64(byExpiry.count) {
            for expiry in byExpiry.keys.sorted() where expiry <= height { forget(expiry) }
        } else {
            for expiry in (prunedHeight + 1)...height { forget(expiry) }
        }
        prunedHeight = height
    }

    private mutating func forget(_ expiry: UInt64) {
        for id in byExpiry.removeValue(forKey: expiry) ?? [] { ids.remove(id) }
    }
}
