import Encoding
import Ledger
import LedgerCrypto

/// What nodes say to one another about snapshots; no replica sees it. Wire: `[tag, content]`, the tags being of the same row
/// as those of `PeerMessage`.
public enum SnapshotMessage: Sendable, Equatable {
    /// 16: which snapshots do you have? `[]`
    case offersRequest
    /// 17: the answer, and what a node sends that was asked for blocks it does not hold: its lowest block, its newest final
    /// height, its snapshots. `[first height, final height, [* [height, identity]]]`
    case offers(firstHeight: UInt64, finalHeight: UInt64, [SnapshotShelf.Offer])
    /// 18: a piece of the snapshot with that height and identity: 0 is the manifest, n + 1 is chunk n.
    /// `[height, identity, piece]`
    case pieceRequest(SnapshotShelf.Offer, piece: Int)
    /// 19: `[height, identity, piece, bstr]`
    case piece(SnapshotShelf.Offer, piece: Int, [UInt8])
    /// 22: the snapshot is gone, or the sender has too much to do. `[height, identity, piece]`
    case noPiece(SnapshotShelf.Offer, piece: Int)

    static let tags: [UInt8] = [16, 17, 18, 19, 22]
    /// Offers in one message.
    public static let offersMax = 8

    /// Whether a peer's frame is one of these and not a `PeerMessage`: both begin with an array of two and a tag.
    public static func isOne(_ frame: [UInt8]) -> Bool {
        frame.count > 1 && frame[0] == 0x82 && tags.contains(frame[1])
    }

    public static let limits = CBORLimits(
        bytesMax: SnapshotLimits.chunkBytesMax + 256, depthMax: 6, itemsMax: 64,
        stringBytesMax: SnapshotLimits.chunkBytesMax)
}

extension SnapshotMessage: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        switch self {
        case .offersRequest:
            encoder.unsigned(16)
            encoder.array(0)
        case .offers(let firstHeight, let finalHeight, let offers):
            encoder.unsigned(17)
            encoder.array(3)
            encoder.unsigned(firstHeight)
            encoder.unsigned(finalHeight)
            encoder.array(offers.count)
            for offer in offers {
                encoder.array(2)
                encoder.unsigned(offer.height)
                encoder.value(offer.digest)
            }
        case .pieceRequest(let offer, let piece):
            encoder.unsigned(18)
            encode(offer, piece, count: 3, into: &encoder)
        case .piece(let offer, let piece, let bytes):
            encoder.unsigned(19)
            encode(offer, piece, count: 4, into: &encoder)
            encoder.bytes(bytes)
        case .noPiece(let offer, let piece):
            encoder.unsigned(22)
            encode(offer, piece, count: 3, into: &encoder)
        }
    }

    private func encode(
        _ offer: SnapshotShelf.Offer, _ piece: Int, count: Int, into encoder: inout CBOREncoder
    ) {
        encoder.array(count)
        encoder.unsigned(offer.height)
        encoder.value(offer.digest)
        encoder.unsigned(UInt64(piece))
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        switch try decoder.unsigned() {
        case 16:
            try decoder.array(exactly: 0)
            self = .offersRequest
        case 17:
            try decoder.array(exactly: 3)
            let firstHeight = try decoder.unsigned()
            let finalHeight = try decoder.unsigned()
            var offers: [SnapshotShelf.Offer] = []
            for _ in 0..<(try decoder.array(max: Self.offersMax)) {
                try decoder.array(exactly: 2)
                offers.append(
                    SnapshotShelf.Offer(
                        height: try decoder.unsigned(), digest: try decoder.value()))
            }
            self = .offers(firstHeight: firstHeight, finalHeight: finalHeight, offers)
        case 18:
            let (offer, piece) = try Self.piece(count: 3, from: &decoder)
            self = .pieceRequest(offer, piece: piece)
        case 19:
            let (offer, piece) = try Self.piece(count: 4, from: &decoder)
            self = .piece(
                offer, piece: piece, try decoder.bytes(max: SnapshotLimits.chunkBytesMax))
        case 22:
            let (offer, piece) = try Self.piece(count: 3, from: &decoder)
            self = .noPiece(offer, piece: piece)
        default: throw decoder.invalid("a snapshot message's tag is 16 to 19, or 22")
        }
    }

    private static func piece(
        count: Int, from decoder: inout CBORDecoder
    ) throws(CBORError) -> (SnapshotShelf.Offer, Int) {
        try decoder.array(exactly: count)
        let offer = SnapshotShelf.Offer(
            height: try decoder.unsigned(), digest: try decoder.value())
        let piece = try decoder.unsigned()
        guard piece <= UInt64(SnapshotLimits.chunksMax) else {
            throw decoder.invalid("a snapshot has at most \(SnapshotLimits.chunksMax) chunks")
        }
        return (offer, Int(piece))
    }
}
