import Encoding
import Ledger
import LedgerCrypto
import Records

/// A regulator or an arbitrator freezes an asset (冻结), never one of its own group's.
///
/// While it is frozen there are no new approvals, attestations, offers, licences, jobs, releases, transfers or derivations
/// on it. Licences run on and end as agreed; outputs that are held stay inside the sandbox. Each office has a freeze
/// of its own, so that lifting one does not lift the other.
public struct AssetFreeze: TransactionBody {
    public let asset: Digest
    public let office: Office
    public let reason: FreezeReason
    /// Salted digest of the decision.
    public let referenceCommitment: Digest

    public init(
        asset: Digest, office: Office, reason: FreezeReason, referenceCommitment: Digest
    ) {
        self.asset = asset
        self.office = office
        self.reason = reason
        self.referenceCommitment = referenceCommitment
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(4)
        encoder.field(1, asset)
        encoder.field(2, office)
        encoder.field(3, reason)
        encoder.field(4, referenceCommitment)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        asset = try fields.value(1, &decoder)
        office = try fields.value(2, &decoder)
        reason = try fields.value(3, &decoder)
        referenceCommitment = try fields.value(4, &decoder)
        try fields.finish(&decoder)
    }
}

extension AssetFreeze {
    public static var kind: TransactionKind { .assetFreeze }
    public static var requiredRoles: [Role] { Office.allCases.map(\.role) }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [
            FieldSpec("asset", 1, .digest, .everyone, en: "the asset", zh: "数据资产"),
            FieldSpec(
                "office", 2, .choice(of: Office.self), .everyone,
                en: "in which office, which must be among the sender's roles", zh: "履职身份，须为签署方的角色"),
            FieldSpec(
                "reason", 3, .choice(of: FreezeReason.self), .everyone, en: "why", zh: "冻结事由"),
            FieldSpec(
                "referenceCommitment", 4, .commitment, .everyone, opening: .parties,
                en: "salted digest of the decision", zh: "决定文书的加盐摘要"),
        ]
    }

    public static var example: AssetFreeze {
        AssetFreeze(
            asset: Example.id, office: .regulator, reason: .investigation,
            referenceCommitment: Example.commitment)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        var record = try state.asset(asset, underOversightOf: office, in: context)
        guard record.status != .revoked, record.freeze(by: office) == nil else {
            throw .wrongState
        }
        record.freeze(
            Freeze(
                office: office, member: context.member.id, reason: reason,
                referenceCommitment: referenceCommitment, height: context.height))
        state.put(record)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.rightsTouch(
            asset, context, ("office", .text(office.name)), ("reason", .text(reason.name)),
            ("referenceCommitment", .bytes(referenceCommitment.bytes)))
    }
}

extension StateView {
    /// An asset on which the sender steps in.
    ///
    /// - Throws: `notPermitted` without the office, `unknownAsset`, `conflictOfInterest`.
    mutating func asset(
        _ id: Digest, underOversightOf office: Office, in context: ApplyContext
    ) throws(OutcomeCode) -> AssetRecord {
        guard context.member.has(office.role) else { throw .notPermitted }
        guard let record = asset(id) else { throw .unknownAsset }
        try refuseOwnGroup(context.member, of: record.concerned)
        return record
    }
}
