import Encoding
import Ledger
import LedgerCrypto
import Records

/// A buyer submits a job under its licence (提交作业), and thereby reserves one use.
///
/// The job's id is the transaction's. The query itself travels to the sandbox; the ledger holds its salted
/// digest.
public struct JobSubmit: TransactionBody {
    public let agreement: Digest
    public let purpose: String
    public let queryCommitment: Digest

    public init(
        agreement: Digest, purpose: String, queryCommitment: Digest
    ) {
        self.agreement = agreement
        self.purpose = purpose
        self.queryCommitment = queryCommitment
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(3)
        encoder.field(1, agreement)
        encoder.field(2, purpose)
        encoder.field(3, queryCommitment)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        agreement = try fields.value(1, &decoder)
        purpose = try fields.text(2, max: RecordLimits.codeBytesMax, &decoder)
        queryCommitment = try fields.value(3, &decoder)
        try fields.finish(&decoder)
    }
}

extension JobSubmit {
    public static var kind: TransactionKind { .jobSubmit }
    public static var requiredRoles: [Role] { [.buyer] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "agreement", 1, .digest, .everyone,
                en: "the licence", zh: "许可协议"),
            FieldSpec(
                "purpose", 2, .text(max: RecordLimits.codeBytesMax), .everyone,
                en: "what the result is for; must be the licensed purpose", zh: "结果用途，须与许可一致"),
            FieldSpec(
                "queryCommitment", 3, .commitment, .everyone, opening: .parties,
                en: "salted digest of the query", zh: "查询的加盐摘要"),
        ]
    }

    public static var example: JobSubmit {
        JobSubmit(
            agreement: Example.id, purpose: "weather-service",
            queryCommitment: Example.commitment)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard var licence = state.agreement(agreement) else { throw .unknownAgreement }
        try licence.checkUse(by: context.member.id, purpose: purpose, timeMs: context.timeMs)
        _ = try state.registeredAsset(licence.asset)
        licence.usesReserved += 1
        state.put(licence)
        state.put(
            JobRecord(
                id: context.transactionID, agreement: agreement, asset: licence.asset,
                buyer: licence.buyer, purpose: purpose, queryCommitment: queryCommitment,
                status: .submitted, submittedHeight: context.height))
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.tradeTouch(agreement, context) { _ in
            [
                ("job", .bytes(context.transactionID.bytes)), ("purpose", .text(purpose)),
                ("queryCommitment", .bytes(queryCommitment.bytes)),
            ]
        }
    }
}
