import Encoding
import Ledger
import LedgerCrypto
import Merkle

/// Where the final chain ends: written in the same transaction as the blocks up to there.
///
/// Stored as `[height, header digest, epoch, view, frontier, first pending body]`.
public struct Watermark: Equatable, Sendable {
    public let height: UInt64
    public let header: Digest
    /// Epoch and view of the certificate that made it final; 0 and 0 for genesis.
    public let epoch: UInt64
    public let view: UInt64
    /// The log after the block's leaves.
    public let frontier: LogFrontier
    /// Rows of `body` below this one are final.
    let firstPendingBody: Int64
}

extension Watermark: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(6)
        encoder.unsigned(height)
        encoder.value(header)
        encoder.unsigned(epoch)
        encoder.unsigned(view)
        encoder.value(frontier)
        encoder.integer(firstPendingBody)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 6)
        height = try decoder.unsigned()
        header = try decoder.value()
        epoch = try decoder.unsigned()
        view = try decoder.unsigned()
        frontier = try decoder.value()
        firstPendingBody = try decoder.integer()
    }
}

/// What a node needs to go on after a stop or a crash, beside the committed state itself.
public struct RecoveredChain: Sendable {
    public let watermark: Watermark
    public let header: Header
    /// The certificate that made `header` final; nil for genesis.
    public let finalization: Certificate?
    /// Blocks above the watermark whose bodies were stored before a notarize vote, lowest first.
    public let bodies: [Block]
    /// This node's own votes above the finalized view, in the order they were stored.
    public let votes: [VoteStatement]
    /// The notarizations that were stored with the finalize votes among them, in that order.
    public let certificates: [Certificate]
}
