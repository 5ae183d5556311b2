import Encoding
import Ledger
import LedgerCrypto
import Policy
import Records

/// A provider claims a data asset that it made from others (衍生登记); it is reviewed, registered and attested like any claim.
///
/// Each parent is pinned to exactly where its rights log stands, so the derivation is the very next event of that log, and
/// names the child there. The basis is a live licence of the sender's for product development, or the parent's processing
/// right in the sender's own hands. Parents exist before their child, and an id is made of provider and code once and for
/// all, so no asset is its own ancestor.
public struct AssetDerive: TransactionBody {
    public let claim: AssetRegister
    /// Ascending by asset, 1 to `RecordLimits.parentsMax`.
    public let parents: [ParentPin]

    public init(
        claim: AssetRegister, parents: [ParentPin]
    ) {
        self.claim = claim
        self.parents = parents
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(2)
        encoder.field(1, claim)
        encoder.field(2, list: parents)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        claim = try fields.value(1, &decoder)
        parents = try fields.sortedList(2, max: RecordLimits.parentsMax, &decoder)
        try fields.finish(&decoder)
    }
}

extension AssetDerive {
    public static var kind: TransactionKind { .assetDerive }
    public static var requiredRoles: [Role] { [.provider] }
    public static var requiredMandates: [Mandate] { Mandate.persons }
    /// How far a derived asset was worked on.
    public static let levels: [DataLevel] = [.derived, .product]

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "claim", 1, .claim, .everyone,
                en: "the asset, as in asset.register; its level is derived or product",
                zh: "数据资产，字段同 asset.register，加工层级为衍生数据或数据产品"),
            FieldSpec(
                "parents", 2, .parents(max: RecordLimits.parentsMax), .everyone,
                en:
                    "what it was made from, ascending by asset: where each rights log stands, and the sender's "
                    + "licence, or null where it holds the processing right",
                zh: "来源资产，按资产编号升序：其权属日志的现状，以及所依据的许可，自有加工使用权则为空"),
        ]
    }

    public static var example: AssetDerive {
        let raw = AssetRegister.example
        return AssetDerive(
            claim: AssetRegister(
                code: "weather-daily", titleZh: "机场逐日气象指数", titleEn: "Daily airport weather index",
                keywords: raw.keywords,
                columns: [Column("day", .integer), Column("origin", .text)],
                entityKey: "origin", rowCount: 1_095, dataCommitment: raw.dataCommitment,
                source: "weather-hourly", sourceURL: "", ownerClass: .enterprise, level: .product,
                grade: .general, rights: [.operating]),
            parents: [
                ParentPin(asset: Example.id, rightsSize: 5, rightsRoot: Example.commitment),
                ParentPin(
                    asset: Example.otherID, rightsSize: 2, rightsRoot: Example.commitment,
                    basis: Example.id),
            ])
    }

    public func check() throws(OutcomeCode) {
        try claim.check()
        guard Self.levels.contains(claim.level), !parents.isEmpty else { throw .valueNotAllowed }
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        for pin in parents {
            let parent = try state.registeredAsset(pin.asset)
            guard pin.isPresent(in: parent) else { throw .parentChanged }
            try state.checkDerivation(from: parent, basis: pin.basis, in: context)
        }
        try claim.claim(in: &state, context, parents: parents.map(\.asset))
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        let child = claim.assetID(context)
        let actor = EventActor.member(context.member.id)
        let detail = claim.detail + [("parents", .array(parents.map(\.shown)))]
        var touches = [Touch(asset: child, log: .rights, actor: actor, detail: .detail(detail))]
        // A refused one may name its own id.
        for pin in parents where pin.asset != child {
            touches.append(
                Touch(
                    asset: pin.asset, log: .rights, actor: actor,
                    detail: .detail([
                        ("child", .bytes(child.bytes)), ("code", .text(claim.code)),
                        ("level", .text(claim.level.name)),
                        ("basis", pin.basis.map { .bytes($0.bytes) } ?? .null),
                    ])))
        }
        return touches
    }
}

extension StateView {
    /// - Throws: `unknownAgreement`, `licenceEnded`, `derivationNotPermitted`.
    fileprivate mutating func checkDerivation(
        from parent: AssetRecord, basis: Digest?, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard let basis else {
            guard parent.processor == context.member.id else { throw .derivationNotPermitted }
            return
        }
        guard let licence = agreement(basis) else { throw .unknownAgreement }
        // Nobody licenses a right that was never registered.
        guard licence.asset == parent.id, parent.rights.contains(.processing) else {
            throw .derivationNotPermitted
        }
        try licence.checkDerivation(by: context.member.id, timeMs: context.timeMs)
    }
}
