import Encoding
import Ledger
import Merkle

/// What a verifier looks at, at most. Work is linear in the bundle's size and the number of its questions, and this bounds both.
public struct EvidenceLimits: Sendable, Equatable {
    /// Bytes of the whole bundle.
    public var bundleBytesMax: Int
    /// Events of one log.
    public var eventsMax: Int
    /// Entries with evidence; each may cost one signature check.
    public var entriesMax: Int

    public init(bundleBytesMax: Int, eventsMax: Int, entriesMax: Int) {
        precondition(bundleBytesMax > 0 && eventsMax >= 0 && entriesMax >= 0)
        self.bundleBytesMax = bundleBytesMax
        self.eventsMax = eventsMax
        self.entriesMax = entriesMax
    }

    /// 256 MiB, 200 000 events in a log, 400 000 entries.
    public static let standard = EvidenceLimits(
        bundleBytesMax: 268_435_456, eventsMax: 200_000, entriesMax: 400_000)

    /// Questions that one bundle answers.
    public static let questionsMax = 256
    /// Epochs that a bundle may cross.
    public static let epochChangesMax = TrustedChain.epochsMax
    /// State records in one bundle: the subjects and the keys that signed.
    public static let recordsMax = 65_536
    /// Bytes of one stored state record.
    public static let recordBytesMax = 1_048_576
    /// Bytes of one event's leaf.
    public static let eventBytesMax = 65_536
    /// Siblings of an inclusion path.
    public static let pathMax = LogProof.inclusionPathMax

    public var decoding: CBORLimits {
        CBORLimits(
            bytesMax: bundleBytesMax, depthMax: 24,
            itemsMax: max(eventsMax, entriesMax, Self.recordsMax),
            stringBytesMax: Self.recordBytesMax)
    }
}
