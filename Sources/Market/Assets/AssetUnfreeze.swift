import Encoding
import Ledger
import LedgerCrypto
import Records

/// Lifts the freeze of an office (解除冻结): signed by any member that holds that office, never for its own group.
///
/// With the last freeze the asset is again claimed or registered, as it was before.
public struct AssetUnfreeze: TransactionBody {
    public let asset: Digest
    public let office: Office
    /// Salted digest of the decision.
    public let referenceCommitment: Digest

    public init(
        asset: Digest, office: Office, referenceCommitment: Digest
    ) {
        self.asset = asset
        self.office = office
        self.referenceCommitment = referenceCommitment
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(3)
        encoder.field(1, asset)
        encoder.field(2, office)
        encoder.field(3, referenceCommitment)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        asset = try fields.value(1, &decoder)
        office = try fields.value(2, &decoder)
        referenceCommitment = try fields.value(3, &decoder)
        try fields.finish(&decoder)
    }
}

extension AssetUnfreeze {
    public static var kind: TransactionKind { .assetUnfreeze }
    public static var requiredRoles: [Role] { Office.allCases.map(\.role) }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [
            FieldSpec("asset", 1, .digest, .everyone, en: "the asset", zh: "数据资产"),
            FieldSpec(
                "office", 2, .choice(of: Office.self), .everyone,
                en: "whose freeze is lifted; among the sender's roles", zh: "解除哪一机构的冻结，须为签署方的角色"),
            FieldSpec(
                "referenceCommitment", 3, .commitment, .everyone, opening: .parties,
                en: "salted digest of the decision", zh: "决定文书的加盐摘要"),
        ]
    }

    public static var example: AssetUnfreeze {
        AssetUnfreeze(
            asset: Example.id, office: .regulator, referenceCommitment: Example.commitment)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        var record = try state.asset(asset, underOversightOf: office, in: context)
        guard record.freeze(by: office) != nil else { throw .wrongState }
        record.unfreeze(by: office)
        state.put(record)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.rightsTouch(
            asset, context, ("office", .text(office.name)),
            ("referenceCommitment", .bytes(referenceCommitment.bytes)))
    }
}
