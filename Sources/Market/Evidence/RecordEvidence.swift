import Encoding
import Ledger
import LedgerCrypto
import Records

/// Deposits a commitment, so that it can be proved to have existed (存证).
public struct RecordEvidence: TransactionBody {
    /// Salted digest of what is kept elsewhere.
    public let commitment: Digest
    public let mediaType: String
    public let note: String

    public init(
        commitment: Digest, mediaType: String, note: String
    ) {
        self.commitment = commitment
        self.mediaType = mediaType
        self.note = note
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(3)
        encoder.field(1, commitment)
        encoder.field(2, mediaType)
        encoder.field(3, note)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        commitment = try fields.value(1, &decoder)
        mediaType = try fields.text(2, max: RecordLimits.codeBytesMax, &decoder)
        note = try fields.text(3, max: RecordEvidence.noteBytesMax, &decoder)
        try fields.finish(&decoder)
    }
}

extension RecordEvidence {
    public static var kind: TransactionKind { .evidenceRecord }
    public static var requiredRoles: [Role] { [] }
    public static let noteBytesMax = 200

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "commitment", 1, .commitment, .members, opening: .parties,
                en: "salted digest of what is kept elsewhere", zh: "存证内容的加盐摘要"),
            FieldSpec(
                "mediaType", 2, .text(max: RecordLimits.codeBytesMax), .members,
                en: "media type of the content", zh: "内容类型"),
            FieldSpec(
                "note", 3, .text(max: noteBytesMax), .members,
                en: "a remark; nothing confidential", zh: "备注，不含保密内容"),
        ]
    }

    public static var example: RecordEvidence {
        RecordEvidence(
            commitment: Example.commitment, mediaType: "text/csv", note: "气象观测日报 2024-01")
    }

    public func check() throws(OutcomeCode) {
        guard !mediaType.isEmpty else { throw .valueNotAllowed }
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        state.put(
            EvidenceRecord(
                id: context.transactionID, member: context.member.id, commitment: commitment,
                mediaType: mediaType, note: note, height: context.height))
    }
}
