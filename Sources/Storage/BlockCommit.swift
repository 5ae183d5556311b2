import Encoding
import Ledger
import LedgerCrypto
import Merkle

/// An event of an asset's log, as its bytes are hashed into that log.
public struct StoredEvent: Equatable, Sendable {
    public let asset: Digest
    /// Which of the asset's logs: 0 rights, 1 trades, 2 refusals.
    public let log: UInt64
    /// Position in that log.
    public let index: UInt64
    public let bytes: [UInt8]

    public init(asset: Digest, log: UInt64, index: UInt64, bytes: [UInt8]) {
        self.asset = asset
        self.log = log
        self.index = index
        self.bytes = bytes
    }
}

/// What search finds an asset by. A later text of the same asset replaces the earlier one.
public struct AssetText: Equatable, Sendable {
    public let asset: Digest
    public let titleZh: String
    public let titleEn: String
    /// Anything else that may be searched: code, provider, keywords, separated by spaces.
    public let keywords: String

    public init(asset: Digest, titleZh: String, titleEn: String, keywords: String) {
        self.asset = asset
        self.titleZh = titleZh
        self.titleEn = titleEn
        self.keywords = keywords
    }
}

/// A block that has become final, with everything its execution gave.
public struct BlockCommit: Sendable {
    public let block: Block
    /// Digest of the block's header.
    public let header: Digest
    /// The finalization of this very block, where there is one: a block may be final by a
    /// descendant's. The last block of a commit always has its own.
    public let finalization: Certificate?
    /// One for each entry, in order.
    public let outcomes: [EntryOutcome]
    /// The block's leaves of the chain's log.
    public let log: LogGrowth
    /// The block's layer of the state map, built on its parent's state.
    public let layer: MapLayer
    /// The layer's keys with their values, ascending; nil for removed ones.
    public let changes: [(key: Digest, value: [UInt8]?)]
    public let events: [StoredEvent]
    public let texts: [AssetText]
    /// The next epoch's set, when the block is its epoch's last.
    public let nextValidators: ValidatorSet?

    public init(
        block: Block, header: Digest, finalization: Certificate?, outcomes: [EntryOutcome],
        log: LogGrowth, layer: MapLayer, changes: [(key: Digest, value: [UInt8]?)],
        events: [StoredEvent] = [],
        texts: [AssetText] = [], nextValidators: ValidatorSet? = nil
    ) {
        precondition(outcomes.count == block.entries.count, "one outcome for each entry")
        self.block = block
        self.header = header
        self.finalization = finalization
        self.outcomes = outcomes
        self.log = log
        self.layer = layer
        self.changes = changes
        self.events = events
        self.texts = texts
        self.nextValidators = nextValidators
    }
}

/// The chain log's leaves of a block: its parent's header, then its entries. Genesis has none.
func logLeaves(_ block: Block, outcomes: [EntryOutcome], suite: Suite) -> [Digest] {
    guard block.header.height > 0 else { return [] }
    var leaves = [LogLeaf.header(block.header.parent, suite: suite)]
    leaves.reserveCapacity(outcomes.count + 1)
    for (entry, outcome) in zip(block.entries, outcomes) {
        switch entry {
        case .envelope:
            leaves.append(LogLeaf.envelope(outcome.entryDigest, suite: suite))
        case .automatic:
            leaves.append(LogLeaf.automatic(outcome.entryDigest, suite: suite))
        }
    }
    return leaves
}

/// The codes of a block's outcomes as they are stored. The digests are those of the entries.
enum OutcomeCodes {
    /// Nil when every entry was accepted, which is the usual case and then costs nothing.
    static func encode(_ outcomes: [EntryOutcome]) -> [UInt8]? {
        guard outcomes.contains(where: { !$0.isAccepted }) else { return nil }
        var encoder = CBOREncoder(reserving: outcomes.count + 8)
        encoder.array(outcomes.count)
        for outcome in outcomes { encoder.unsigned(outcome.code) }
        return encoder.bytes
    }

    /// Nil unless there is one code for each of `count` entries.
    static func decode(_ bytes: [UInt8]?, count: Int) -> [UInt64]? {
        guard let bytes else { return [UInt64](repeating: 0, count: count) }
        var decoder = CBORDecoder(bytes.span.bytes, limits: LedgerLimits.block)
        let codes: [UInt64]? = try? decoder.list(max: count)
        guard let codes, codes.count == count, decoder.isAtEnd else { return nil }
        return codes
    }
}
