import Encoding
import Ledger
import LedgerCrypto
import Records

/// A reviewer lets an output leave the sandbox (放行输出), and thereby meters the use. Never for its own group's.
///
/// It names the output's digest, so that the signature is over what was reviewed.
public struct OutputRelease: TransactionBody {
    public let job: Digest
    public let outputCommitment: Digest

    public init(
        job: Digest, outputCommitment: Digest
    ) {
        self.job = job
        self.outputCommitment = outputCommitment
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(2)
        encoder.field(1, job)
        encoder.field(2, outputCommitment)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        job = try fields.value(1, &decoder)
        outputCommitment = try fields.value(2, &decoder)
        try fields.finish(&decoder)
    }
}

extension OutputRelease {
    public static var kind: TransactionKind { .outputRelease }
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
        ]
    }

    public static var example: OutputRelease {
        OutputRelease(job: Example.id, outputCommitment: Example.commitment)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        var (record, licence) = try state.heldJob(
            job, outputCommitment, reviewedIn: context)
        // Until the freeze is lifted the output waits where it is; if the licence ends first, it never leaves.
        _ = try state.unfrozenAsset(record.asset)
        record.status = .released
        record.reviewer = context.member.id
        state.put(record)
        licence.usesReserved -= 1
        licence.usesMetered += 1
        state.put(licence)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.jobTouch(job, context, [("outputCommitment", .bytes(outputCommitment.bytes))])
    }
}
