import Encoding
import Ledger
import LedgerCrypto
import Policy
import Records

/// The holder of an asset's operating right says under which terms it can be licensed (发布报价).
///
/// The offer's id is the transaction's. It can be licensed once the venue that it names has admitted it, and as long as
/// the operating right stays with whoever published it.
public struct OfferPublish: TransactionBody {
    public let asset: Digest
    public let venue: MemberID
    public let sandboxOperator: MemberID
    /// For one use.
    public let priceFen: UInt64
    /// Codes of Policy's list, ascending.
    public let purposes: [String]
    public let columns: [String]
    public let durationMs: UInt64
    public let usesMax: UInt64
    public let groupMinimum: UInt64

    public init(
        asset: Digest, venue: MemberID, sandboxOperator: MemberID, priceFen: UInt64,
        purposes: [String], columns: [String], durationMs: UInt64, usesMax: UInt64,
        groupMinimum: UInt64
    ) {
        self.asset = asset
        self.venue = venue
        self.sandboxOperator = sandboxOperator
        self.priceFen = priceFen
        self.purposes = purposes
        self.columns = columns
        self.durationMs = durationMs
        self.usesMax = usesMax
        self.groupMinimum = groupMinimum
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(9)
        encoder.field(1, asset)
        encoder.field(2, venue)
        encoder.field(3, sandboxOperator)
        encoder.field(4, priceFen)
        encoder.field(5, list: purposes)
        encoder.field(6, list: columns)
        encoder.field(7, durationMs)
        encoder.field(8, usesMax)
        encoder.field(9, groupMinimum)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        asset = try fields.value(1, &decoder)
        venue = try fields.value(2, &decoder)
        sandboxOperator = try fields.value(3, &decoder)
        priceFen = try fields.number(4, &decoder)
        purposes = try fields.texts(
            5, max: RecordLimits.purposesMax, textMax: RecordLimits.codeBytesMax, &decoder)
        columns = try fields.texts(
            6, max: RecordLimits.columnsMax, textMax: RecordLimits.codeBytesMax, &decoder)
        durationMs = try fields.number(7, &decoder)
        usesMax = try fields.number(8, &decoder)
        groupMinimum = try fields.number(9, &decoder)
        try fields.finish(&decoder)
    }
}

extension OfferPublish {
    public static var kind: TransactionKind { .offerPublish }
    public static var requiredRoles: [Role] { [.provider] }
    public static var requiredMandates: [Mandate] { Mandate.persons }
    /// One second to ten years.
    public static let durationMsRange: ClosedRange<UInt64> = 1_000...315_576_000_000
    public static let usesRange: ClosedRange<UInt64> = 1...1_000_000

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "asset", 1, .digest, .everyone,
                en: "the asset", zh: "数据资产"),
            FieldSpec(
                "venue", 2, .memberID, .everyone,
                en: "where it is traded", zh: "交易机构"),
            FieldSpec(
                "sandboxOperator", 3, .memberID, .everyone,
                en: "who runs the jobs", zh: "沙箱运营方"),
            FieldSpec(
                "priceFen", 4, .fen, .everyone,
                en: "price of one use in fen; may be 0", zh: "单次使用价格（分），可为 0"),
            FieldSpec(
                "purposes", 5,
                .texts(max: RecordLimits.purposesMax, textMax: RecordLimits.codeBytesMax),
                .everyone,
                en: "codes of the market's list, ascending", zh: "用途代码，升序"),
            FieldSpec(
                "columns", 6,
                .texts(max: RecordLimits.columnsMax, textMax: RecordLimits.codeBytesMax), .everyone,
                en: "columns that jobs may read, ascending", zh: "可读取的列，升序"),
            FieldSpec(
                "durationMs", 7, .number, .everyone,
                en: "from agreement to expiry, in ms", zh: "许可期限（毫秒）"),
            FieldSpec(
                "usesMax", 8, .number, .everyone,
                en: "uses of one licence at most", zh: "单份许可最多使用次数"),
            FieldSpec(
                "groupMinimum", 9, .number, .everyone,
                en: "least number of entities behind an output row", zh: "输出每行至少涉及的主体数"),
        ]
    }

    public static var example: OfferPublish {
        OfferPublish(
            asset: Example.id, venue: Example.venue, sandboxOperator: Example.sandboxOperator,
            priceFen: 12_000, purposes: ["research", "weather-service"],
            columns: ["hour", "origin", "temp"], durationMs: 2_592_000_000, usesMax: 100,
            groupMinimum: 5)
    }

    public func check() throws(OutcomeCode) {
        guard PurposeList.isCanonical(purposes), Scope.isCanonical(columns),
            Self.durationMsRange.contains(durationMs), Self.usesRange.contains(usesMax),
            DisclosureRules.groupMinimumRange.contains(groupMinimum)
        else { throw .valueNotAllowed }
        guard priceFen <= RecordLimits.amountFenMax else { throw .amountOutOfRange }
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        let record = try state.registeredAsset(asset, operatedBy: context.member.id)
        guard let schema = Scope(record.columns.map(\.name)), let scope = Scope(columns),
            scope.isSubset(of: schema)
        else { throw .scopeNotPermitted }
        _ = try state.activeMember(venue, role: .venue)
        _ = try state.activeMember(sandboxOperator, role: .sandboxOperator)
        guard groupMinimum >= (try state.disclosureRules().groupMinimum) else {
            throw .valueNotAllowed
        }
        state.put(
            OfferRecord(
                id: context.transactionID, asset: asset, provider: context.member.id,
                venue: venue, sandboxOperator: sandboxOperator, priceFen: priceFen,
                purposes: purposes, columns: columns, durationMs: durationMs, usesMax: usesMax,
                groupMinimum: groupMinimum, status: .published, publishedHeight: context.height))
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.rightsTouch(
            asset, context, ("venue", .text(venue.text)),
            ("sandboxOperator", .text(sandboxOperator.text)), ("priceFen", .unsigned(priceFen)),
            ("purposes", .array(purposes.map(CBORValue.text))),
            ("columns", .array(columns.map(CBORValue.text))),
            ("durationMs", .unsigned(durationMs)), ("usesMax", .unsigned(usesMax)),
            ("groupMinimum", .unsigned(groupMinimum)))
    }
}
