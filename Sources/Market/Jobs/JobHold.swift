import Encoding
import Ledger
import LedgerCrypto
import Records

/// The sandbox ran a job and holds its output for review (输出待审).
public struct JobHold: TransactionBody {
    public let job: Digest
    public let outputCommitment: Digest
    public let rowsRead: UInt64
    public let groups: UInt64

    public init(
        job: Digest, outputCommitment: Digest, rowsRead: UInt64, groups: UInt64
    ) {
        self.job = job
        self.outputCommitment = outputCommitment
        self.rowsRead = rowsRead
        self.groups = groups
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(4)
        encoder.field(1, job)
        encoder.field(2, outputCommitment)
        encoder.field(3, rowsRead)
        encoder.field(4, groups)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        job = try fields.value(1, &decoder)
        outputCommitment = try fields.value(2, &decoder)
        rowsRead = try fields.number(3, &decoder)
        groups = try fields.number(4, &decoder)
        try fields.finish(&decoder)
    }
}

extension JobHold {
    public static var kind: TransactionKind { .jobHold }
    public static var requiredRoles: [Role] { [.sandboxOperator] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "job", 1, .digest, .everyone,
                en: "the job", zh: "作业"),
            FieldSpec(
                "outputCommitment", 2, .commitment, .everyone, opening: .parties,
                en: "salted digest of the output", zh: "输出的加盐摘要"),
            FieldSpec(
                "rowsRead", 3, .number, .parties,
                en: "rows of the table that were read", zh: "读取的行数"),
            FieldSpec(
                "groups", 4, .number, .parties,
                en: "rows of the output", zh: "输出的行数"),
        ]
    }

    public static var example: JobHold {
        JobHold(
            job: Example.id, outputCommitment: Example.commitment, rowsRead: 26_115, groups: 24)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        let (found, licence) = try state.jobAndLicence(job)
        var record = found
        guard licence.sandboxOperator == context.member.id else { throw .notPermitted }
        guard record.status == .submitted else { throw .wrongState }
        guard licence.isLive(at: context.timeMs) else { throw .licenceEnded }
        record.status = .held
        record.outputCommitment = outputCommitment
        record.rowsRead = rowsRead
        record.groups = groups
        state.put(record)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.jobTouch(job, context, [("outputCommitment", .bytes(outputCommitment.bytes))])
    }
}
