import Encoding
import Ledger
import LedgerCrypto
import Records

/// The sandbox refuses a job, before or after running it (拒绝作业): the use is free again. The asset's refusals
/// log keeps why.
public struct JobRefuse: TransactionBody {
    public let job: Digest
    /// One of `RefusalReason.codes`.
    public let reason: OutcomeCode

    public init(
        job: Digest, reason: OutcomeCode
    ) {
        self.job = job
        self.reason = reason
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(2)
        encoder.field(1, job)
        encoder.field(2, reason.rawValue)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        job = try fields.value(1, &decoder)
        reason = try RefusalReason.read(2, &fields, &decoder)
        try fields.finish(&decoder)
    }
}

extension JobRefuse {
    public static var kind: TransactionKind { .jobRefuse }
    public static var requiredRoles: [Role] { [.sandboxOperator] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "job", 1, .digest, .everyone,
                en: "the job", zh: "作业"),
            FieldSpec(
                "reason", 2, .choice(RefusalReason.names), .everyone,
                en: "why", zh: "原因"),
        ]
    }

    public static var example: JobRefuse {
        JobRefuse(job: Example.id, reason: .rowLevelOutput)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        var (record, licence) = try state.jobAndLicence(job)
        guard licence.sandboxOperator == context.member.id else { throw .notPermitted }
        guard record.status.isOpen else { throw .wrongState }
        record.refusal = reason.rawValue
        if licence.status == .agreed {
            record.status = .refused
            licence.usesReserved -= 1
            state.put(licence)
        } else {
            // Expiry has settled the licence, and freed its reserved uses, before the sandbox came to it.
            record.status = .lapsed
        }
        state.put(record)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.jobTouch(job, log: .refusals, context, [("reason", .text(reason.name))])
    }
}
