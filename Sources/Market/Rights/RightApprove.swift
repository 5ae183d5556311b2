import Encoding
import Ledger
import LedgerCrypto
import Records

/// A registrar registers a transfer that was accepted (转让登记), never for its own group: now the rights change hands.
public struct RightApprove: TransactionBody {
    public let transfer: Digest
    /// Salted digest of the review file.
    public let reviewCommitment: Digest

    public init(
        transfer: Digest, reviewCommitment: Digest
    ) {
        self.transfer = transfer
        self.reviewCommitment = reviewCommitment
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(2)
        encoder.field(1, transfer)
        encoder.field(2, reviewCommitment)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        transfer = try fields.value(1, &decoder)
        reviewCommitment = try fields.value(2, &decoder)
        try fields.finish(&decoder)
    }
}

extension RightApprove {
    public static var kind: TransactionKind { .rightApprove }
    public static var requiredRoles: [Role] { [.registrar] }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [
            FieldSpec("transfer", 1, .digest, .everyone, en: "the transfer", zh: "转让"),
            FieldSpec(
                "reviewCommitment", 2, .commitment, .everyone, opening: .regulator,
                en: "salted digest of the review file", zh: "审查材料的加盐摘要"),
        ]
    }

    public static var example: RightApprove {
        RightApprove(transfer: Example.id, reviewCommitment: Example.commitment)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard var record = state.transfer(transfer) else { throw .unknownTransfer }
        guard record.status == .accepted else { throw .wrongState }
        try state.refuseOwnGroup(context.member, of: [record.from, record.to])
        let asset = try state.registeredAsset(record.asset)
        try record.checkHolder(in: asset)
        // Its role may have been withdrawn since it accepted.
        _ = try state.activeMember(record.to, role: .provider)
        record.registrar = context.member.id
        state.complete(&record, of: asset, in: context)
        state.put(record)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.transferTouch(
            transfer, context, ("reviewCommitment", .bytes(reviewCommitment.bytes)))
    }
}
