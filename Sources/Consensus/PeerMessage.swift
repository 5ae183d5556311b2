import Encoding
import Ledger
import LedgerCrypto

/// A peer as the replica knows it: a validator by its seat in the epoch's set, any other node by a number of
/// the driver's, from `guestsFrom` on. The driver maps TLS keys to them, anew whenever an epoch begins.
public struct PeerID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Beyond every seat.
    public static let guestsFrom = 65_536

    public let seat: Int

    public init(_ seat: Int) {
        self.seat = seat
    }

    public var isGuest: Bool { seat >= PeerID.guestsFrom }
    public var description: String { isGuest ? "g\(seat - PeerID.guestsFrom)" : "v\(seat)" }

    public static func < (left: PeerID, right: PeerID) -> Bool { left.seat < right.seat }
}

/// Bounds of what one peer message holds.
public enum PeerLimits {
    /// Nullifications (and the parent's notarization) that a proposal carries.
    public static let justificationMax = 512
    public static let votesMax = 1_024
    public static let certificatesMax = 512
    /// Votes of the asking validator in an answer to what is held of them.
    public static let heldVotesMax = 256
    public static let transactionsMax = 1_024
    /// Bytes of envelopes after which an answer to a request for them ends.
    public static let requestedBytesMax = 1_048_576
    /// Blocks in one answer. The sender mostly stops at about `blocksBytesMax`; so many only where as many became final by one
    /// certificate: a quarter of an hour of heartbeats, a quarter of a second each, in which blocks were notarized and none was final.
    /// A longer stretch nobody can give: whoever is below it empties its folder and takes a snapshot.
    public static let blocksMax = 4_096
    /// Bytes of block bodies after which an honest answer ends at the next certified block. Small, because a replica
    /// handles an answer whole before it does anything else: about 500 empty blocks, or one full one.
    public static let blocksBytesMax = 131_072
    /// For the whole message; the largest is an answer whose last certified block is a full one.
    public static let message = CBORLimits(
        bytesMax: 4 * LedgerLimits.blockBytesMax, depthMax: 28,
        itemsMax: LedgerLimits.entriesPerBlockMax, stringBytesMax: LedgerLimits.blockBytesMax)
}

/// Where a replica stands. Wire: `[epoch, final height, final view, lowest open view, view]`.
public struct ReplicaStatus: Sendable, Hashable, CBORCodable {
    public let epoch: UInt64
    public let finalHeight: UInt64
    public let finalView: UInt64
    /// The lowest view above the final one for which the sender holds no certificate.
    public let openView: UInt64
    /// The view that the sender is in.
    public let view: UInt64

    public init(
        epoch: UInt64, finalHeight: UInt64, finalView: UInt64, openView: UInt64, view: UInt64
    ) {
        self.epoch = epoch
        self.finalHeight = finalHeight
        self.finalView = finalView
        self.openView = openView
        self.view = view
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(5)
        encoder.unsigned(epoch)
        encoder.unsigned(finalHeight)
        encoder.unsigned(finalView)
        encoder.unsigned(openView)
        encoder.unsigned(view)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 5)
        epoch = try decoder.unsigned()
        finalHeight = try decoder.unsigned()
        finalView = try decoder.unsigned()
        openView = try decoder.unsigned()
        view = try decoder.unsigned()
    }
}

/// A block with the certificate that makes it and its ancestors final, where the sender has one for this very block.
/// Wire: `[block, certificate / null]`.
public struct CertifiedBlock: Sendable, Equatable, CBORCodable {
    public let block: Block
    public let finalization: Certificate?

    public init(block: Block, finalization: Certificate?) {
        self.block = block
        self.finalization = finalization
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(block)
        encoder.optional(finalization)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        block = try decoder.value()
        finalization = try decoder.optional(Certificate.self)
    }
}

/// What validators say to one another. Wire: `[tag, content]`; tags are never reused. 1 was a proposal with its whole
/// block.
///
/// Messages pass through several queues: what is large is apart, so that all of them are small.
public enum PeerMessage: Sendable, Equatable {
    /// 10
    indirect case proposal(Proposal)
    /// 2
    case votes([Vote])
    /// 3
    case certificates([Certificate])
    /// 4: the exact bytes of envelopes that the sender has verified.
    case transactions([[UInt8]])
    /// 5: final blocks from this height upwards, as many as the sender cares to answer with.
    case finalBlocksRequest(from: UInt64)
    /// 6: the answer to 5: consecutive heights, the last one with its certificate.
    case finalBlocks([CertifiedBlock])
    /// 7: a block that is not yet final, by the digest of its header.
    case blockRequest(Digest)
    /// 8: the answer to 7.
    indirect case block(Block)
    /// 9
    indirect case status(ReplicaStatus)
    /// 20: which votes of mine do you hold in this epoch? The number comes back with the answer.
    case heldVotesRequest(epoch: UInt64, question: UInt64)
    /// 21: the answer to 20.
    indirect case heldVotes(HeldVotes)
    /// 11: transactions of a proposal, by the digests of their envelopes.
    case transactionsRequest([Digest])
    /// 12: the answer to 11, as many as fit.
    case requestedTransactions([[UInt8]])
}

extension PeerMessage: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        switch self {
        case .proposal(let proposal):
            encoder.unsigned(10)
            encoder.value(proposal)
        case .votes(let votes):
            encoder.unsigned(2)
            encoder.list(votes)
        case .certificates(let certificates):
            encoder.unsigned(3)
            encoder.list(certificates)
        case .transactions(let envelopes):
            encoder.unsigned(4)
            encoder.strings(envelopes)
        case .finalBlocksRequest(let height):
            encoder.unsigned(5)
            encoder.unsigned(height)
        case .finalBlocks(let blocks):
            encoder.unsigned(6)
            encoder.list(blocks)
        case .blockRequest(let digest):
            encoder.unsigned(7)
            encoder.value(digest)
        case .block(let block):
            encoder.unsigned(8)
            encoder.value(block)
        case .status(let status):
            encoder.unsigned(9)
            encoder.value(status)
        case .heldVotesRequest(let epoch, let question):
            encoder.unsigned(20)
            encoder.array(2)
            encoder.unsigned(epoch)
            encoder.unsigned(question)
        case .heldVotes(let answer):
            encoder.unsigned(21)
            encoder.value(answer)
        case .transactionsRequest(let digests):
            encoder.unsigned(11)
            encoder.list(digests)
        case .requestedTransactions(let envelopes):
            encoder.unsigned(12)
            encoder.strings(envelopes)
        }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        switch try decoder.unsigned() {
        case 2: self = .votes(try decoder.list(max: PeerLimits.votesMax))
        case 3: self = .certificates(try decoder.list(max: PeerLimits.certificatesMax))
        case 4: self = .transactions(try decoder.envelopes())
        case 5: self = .finalBlocksRequest(from: try decoder.unsigned())
        case 6: self = .finalBlocks(try decoder.list(max: PeerLimits.blocksMax))
        case 7: self = .blockRequest(try decoder.value())
        case 8: self = .block(try decoder.value())
        case 9: self = .status(try decoder.value())
        case 20:
            try decoder.array(exactly: 2)
            let epoch = try decoder.unsigned()
            self = .heldVotesRequest(epoch: epoch, question: try decoder.unsigned())
        case 21: self = .heldVotes(try decoder.value())
        case 10: self = .proposal(try decoder.value())
        case 11:
            self = .transactionsRequest(try decoder.list(max: PeerLimits.transactionsMax))
        case 12: self = .requestedTransactions(try decoder.envelopes())
        default: throw decoder.invalid("a peer message's tag is 2 to 12, 20 or 21")
        }
    }
}

extension CBOREncoder {
    fileprivate mutating func strings(_ strings: [[UInt8]]) {
        array(strings.count)
        for string in strings { bytes(string) }
    }
}

extension CBORDecoder {
    fileprivate mutating func envelopes() throws(CBORError) -> [[UInt8]] {
        let count = try array(max: PeerLimits.transactionsMax)
        var envelopes: [[UInt8]] = []
        envelopes.reserveCapacity(min(count, 64))
        for _ in 0..<count {
            envelopes.append(try bytes(max: LedgerLimits.envelope.bytesMax))
        }
        return envelopes
    }
}
