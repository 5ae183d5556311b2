import Encoding
import Ledger
import LedgerCrypto

/// A deposited commitment (存证): that somebody knew these bytes at this height.
public struct EvidenceRecord: Hashable, Sendable {
    /// The transaction's id.
    public var id: Digest
    public var member: MemberID
    /// Salted digest of what is kept elsewhere.
    public var commitment: Digest
    public var mediaType: String
    public var note: String
    public var height: UInt64

    public init(
        id: Digest, member: MemberID, commitment: Digest, mediaType: String, note: String,
        height: UInt64
    ) {
        self.id = id
        self.member = member
        self.commitment = commitment
        self.mediaType = mediaType
        self.note = note
        self.height = height
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(6)
        encoder.field(1, id)
        encoder.field(2, member)
        encoder.field(3, commitment)
        encoder.field(4, mediaType)
        encoder.field(5, note)
        encoder.field(6, height)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        id = try fields.value(1, &decoder)
        member = try fields.value(2, &decoder)
        commitment = try fields.value(3, &decoder)
        mediaType = try fields.text(4, max: RecordLimits.codeBytesMax, &decoder)
        note = try fields.text(5, max: RecordLimits.noteBytesMax, &decoder)
        height = try fields.number(6, &decoder)
        try fields.finish(&decoder)
    }
}
