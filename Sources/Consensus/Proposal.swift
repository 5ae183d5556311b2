import Encoding
import Ledger
import LedgerCrypto

/// A header and what its entries are called: whoever has the transactions can put the block together.
///
/// Wire: `[header, [item…]]` with items `[0, envelope digest]` and `[1, automatic action]`. That these are the entries
/// under the header shows when the block is executed: the header's log root covers their digests.
public struct BlockOutline: Sendable, Equatable, CBORCodable {
    public enum Item: Sendable, Equatable, CBORCodable {
        /// Digest of the envelope's exact bytes.
        case envelope(Digest)
        case automatic(AutomaticAction)

        public init(_ entry: Entry, digest: Digest) {
            switch entry {
            case .envelope: self = .envelope(digest)
            case .automatic(let action): self = .automatic(action)
            }
        }

        public func encode(into encoder: inout CBOREncoder) {
            encoder.array(2)
            switch self {
            case .envelope(let digest):
                encoder.unsigned(0)
                encoder.value(digest)
            case .automatic(let action):
                encoder.unsigned(1)
                encoder.value(action)
            }
        }

        public init(from decoder: inout CBORDecoder) throws(CBORError) {
            try decoder.array(exactly: 2)
            switch try decoder.unsigned() {
            case 0: self = .envelope(try decoder.value())
            case 1: self = .automatic(try decoder.value())
            default: throw decoder.invalid("an item is [0, envelope digest] or [1, action]")
            }
        }
    }

    public let header: Header
    public let items: [Item]

    public var hasEnvelopes: Bool {
        items.contains { if case .envelope = $0 { true } else { false } }
    }

    public init(header: Header, items: [Item]) {
        self.header = header
        self.items = items
    }

    public init(_ block: Block, suite: Suite) {
        header = block.header
        items = block.entries.map { Item($0, digest: $0.digest(suite)) }
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(header)
        encoder.list(items)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        header = try decoder.value()
        items = try decoder.list(max: LedgerLimits.entriesPerBlockMax)
    }
}

/// A leader's block for a view.
///
/// Wire: `[leader's notarize vote, parent view, outline, [certificate…]]`. The vote is the proposer's signature and
/// names epoch and view.
public struct Proposal: Sendable, Equatable, CBORCodable {
    /// The leader's own notarize vote for the block.
    public let vote: Vote
    /// The view in which the parent was notarized.
    public let parentView: UInt64
    public let outline: BlockOutline
    /// The parent's notarization and the nullifications of the views between, newest first, as far as they fit.
    public let justification: [Certificate]

    public var view: UInt64 { vote.statement.view }
    public var epoch: UInt64 { vote.statement.epoch }

    public init(
        vote: Vote, parentView: UInt64, outline: BlockOutline, justification: [Certificate]
    ) {
        self.vote = vote
        self.parentView = parentView
        self.outline = outline
        self.justification = justification
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(4)
        encoder.value(vote)
        encoder.unsigned(parentView)
        encoder.value(outline)
        encoder.list(justification)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 4)
        vote = try decoder.value()
        parentView = try decoder.unsigned()
        outline = try decoder.value()
        justification = try decoder.list(max: PeerLimits.justificationMax)
    }
}
