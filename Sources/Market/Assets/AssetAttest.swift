import Encoding
import Ledger
import LedgerCrypto
import Records

/// An assessor states what it found about an asset (评估), never for its own group.
///
/// A later attestation does not replace an earlier one: each has its own expiry, and the rights log keeps all
/// of them.
public struct AssetAttest: TransactionBody {
    public let asset: Digest
    public let assessment: AttestationKind
    /// 0…10000, hundredths of a percent.
    public let score: UInt64
    /// Unix time.
    public let expiresMs: UInt64
    public let reportCommitment: Digest

    public init(
        asset: Digest, assessment: AttestationKind, score: UInt64, expiresMs: UInt64,
        reportCommitment: Digest
    ) {
        self.asset = asset
        self.assessment = assessment
        self.score = score
        self.expiresMs = expiresMs
        self.reportCommitment = reportCommitment
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(5)
        encoder.field(1, asset)
        encoder.field(2, assessment)
        encoder.field(3, score)
        encoder.field(4, expiresMs)
        encoder.field(5, reportCommitment)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        asset = try fields.value(1, &decoder)
        assessment = try fields.value(2, &decoder)
        score = try fields.number(3, &decoder)
        expiresMs = try fields.number(4, &decoder)
        reportCommitment = try fields.value(5, &decoder)
        try fields.finish(&decoder)
    }
}

extension AssetAttest {
    public static var kind: TransactionKind { .assetAttest }
    public static var requiredRoles: [Role] { [.assessor] }
    public static var requiredMandates: [Mandate] { Mandate.persons }
    public static let scoreMax: UInt64 = 10_000

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "asset", 1, .digest, .everyone,
                en: "the asset", zh: "数据资产"),
            FieldSpec(
                "assessment", 2, .choice(of: AttestationKind.self), .everyone,
                en: "what was assessed", zh: "评估类别"),
            FieldSpec(
                "score", 3, .number, .everyone,
                en: "0 to 10000, hundredths of a percent", zh: "评分，万分制"),
            FieldSpec(
                "expiresMs", 4, .timeMs, .everyone,
                en: "valid until", zh: "有效期至"),
            FieldSpec(
                "reportCommitment", 5, .commitment, .everyone, opening: .parties,
                en: "salted digest of the report", zh: "评估报告的加盐摘要"),
        ]
    }

    public static var example: AssetAttest {
        AssetAttest(
            asset: Example.id, assessment: .quality, score: 9_650, expiresMs: 1_798_732_800_000,
            reportCommitment: Example.commitment)
    }

    public func check() throws(OutcomeCode) {
        guard score <= Self.scoreMax else { throw .valueNotAllowed }
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        let record = try state.unfrozenAsset(asset)
        guard record.status == .claimed || record.status == .registered else { throw .wrongState }
        guard expiresMs > context.timeMs else { throw .valueNotAllowed }
        try state.refuseOwnGroup(context.member, of: record.concerned)
        state.put(
            AttestationRecord(
                id: context.transactionID, asset: asset, assessor: context.member.id,
                kind: assessment, score: score, expiresMs: expiresMs,
                reportCommitment: reportCommitment, height: context.height))
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.rightsTouch(
            asset, context, ("assessment", .text(assessment.name)), ("score", .unsigned(score)),
            ("expiresMs", .unsigned(expiresMs)),
            ("reportCommitment", .bytes(reportCommitment.bytes)))
    }
}
