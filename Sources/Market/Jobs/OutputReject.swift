import Encoding
import Ledger
import LedgerCrypto
import Records

/// A reviewer keeps an output inside the sandbox (驳回输出): the use is free again. Never for its own group's.
public struct OutputReject: TransactionBody {
    public let job: Digest
    public let outputCommitment: Digest
    /// One of `RefusalReason.codes`.
    public let reason: OutcomeCode

    public init(
        job: Digest, outputCommitment: Digest, reason: OutcomeCode
    ) {
        self.job = job
        self.outputCommitment = outputCommitment
        self.reason = reason
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(3)
        encoder.field(1, job)
        encoder.field(2, outputCommitment)
        encoder.field(3, reason.rawValue)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        job = try fields.value(1, &decoder)
        outputCommitment = try fields.value(2, &decoder)
        reason = try RefusalReason.read(3, &fields, &decoder)
        try fields.finish(&decoder)
    }
}

extension OutputReject {
    public static var kind: TransactionKind { .outputReject }
    public static var requiredRoles: [Role] { [.outputReviewer] }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "job", 1, .digest, .everyone,
                en: "the job", zh: "作业"),
            FieldSpec(
                "outputCommitment", 2, .commitment, .everyone, opening: .parties,
                en: "salted digest of the output that was reviewed", zh: "所审核输出的加盐摘要"),
            FieldSpec(
                "reason", 3, .choice(RefusalReason.names), .everyone,
                en: "why", zh: "原因"),
        ]
    }

    public static var example: OutputReject {
        OutputReject(
            job: Example.id, outputCommitment: Example.commitment, reason: .dominantContributor)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        var (record, licence) = try state.heldJob(
            job, outputCommitment, reviewedIn: context)
        record.status = .rejected
        record.reviewer = context.member.id
        record.refusal = reason.rawValue
        state.put(record)
        licence.usesReserved -= 1
        state.put(licence)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.jobTouch(job, log: .refusals, context, [("reason", .text(reason.name))])
    }
}
