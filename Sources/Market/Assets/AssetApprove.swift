import Encoding
import Ledger
import LedgerCrypto
import Records

/// A registrar registers the rights that were claimed (确权登记), never for its own group.
public struct AssetApprove: TransactionBody {
    public let asset: Digest
    /// Salted digest of the review file.
    public let reviewCommitment: Digest

    public init(
        asset: Digest, reviewCommitment: Digest
    ) {
        self.asset = asset
        self.reviewCommitment = reviewCommitment
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(2)
        encoder.field(1, asset)
        encoder.field(2, reviewCommitment)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        asset = try fields.value(1, &decoder)
        reviewCommitment = try fields.value(2, &decoder)
        try fields.finish(&decoder)
    }
}

extension AssetApprove {
    public static var kind: TransactionKind { .assetApprove }
    public static var requiredRoles: [Role] { [.registrar] }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "asset", 1, .digest, .everyone,
                en: "the asset", zh: "数据资产"),
            FieldSpec(
                "reviewCommitment", 2, .commitment, .everyone, opening: .regulator,
                en: "salted digest of the review file: evidence, public notice, objections",
                zh: "审查材料（证据、公示、异议）的加盐摘要"),
        ]
    }

    public static var example: AssetApprove {
        AssetApprove(asset: Example.id, reviewCommitment: Example.commitment)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        var record = try state.unfrozenAsset(asset)
        guard record.status == .claimed else { throw .wrongState }
        try state.refuseOwnGroup(context.member, of: [record.provider])
        record.status = .registered
        record.registrar = context.member.id
        record.registeredHeight = context.height
        state.put(record)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.rightsTouch(
            asset, context, ("reviewCommitment", .bytes(reviewCommitment.bytes)))
    }
}
