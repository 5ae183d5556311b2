import LightClient

/// A checkpoint of the log with one validator's cosignature.
public struct CosignedCheckpoint: Sendable {
    public let checkpoint: LogCheckpoint
    public let cosignature: LogCosignature

    init(_ checkpoint: LogCheckpoint, _ cosignature: LogCosignature) {
        self.checkpoint = checkpoint
        self.cosignature = cosignature
    }

    /// The note as it is served.
    public var note: String { checkpoint.note([cosignature]) }
}

/// The newest checkpoints that this validator cosigned. Whoever gathers a quorum asks each validator for the same height, and
/// one is not signed again when the log has grown: it would not be the longest then.
struct CheckpointShelf {
    /// With a block a second, a quarter of an hour; some hundred bytes each.
    static let countMax = 1_024

    private var items: [UInt64: CosignedCheckpoint] = [:]
    private var newest: UInt64 = 0

    mutating func add(_ checkpoint: CosignedCheckpoint, height: UInt64) {
        items[height] = checkpoint
        newest = height
        // Commits may jump over heights, so the oldest are looked for.
        if items.count > Self.countMax, let oldest = items.keys.min() { items[oldest] = nil }
    }

    func at(_ height: UInt64?) -> CosignedCheckpoint? { items[height ?? newest] }
}
