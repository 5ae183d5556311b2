import Encoding
import Ledger
import LedgerCrypto
import Merkle

/// A column of a table. Wire: `[name, type]`.
public struct Column: Hashable, Sendable, CBORCodable {
    public let name: String
    public let type: ColumnType

    public init(_ name: String, _ type: ColumnType) {
        self.name = name
        self.type = type
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.text(name)
        encoder.value(type)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        name = try decoder.text(max: RecordLimits.codeBytesMax)
        type = try decoder.value()
    }
}

/// Where one of an asset's RFC 9162 logs stands. Wire: `[size, root, [peak…]]`.
///
/// The root follows from the peaks; it is written out so that a proof of this record is a proof of the root.
public struct EventLog: Hashable, Sendable, CBORCodable {
    public private(set) var size: UInt64
    public private(set) var root: Digest
    public private(set) var peaks: [Digest]

    /// The empty log.
    public init(_ suite: Suite) {
        let frontier = LogFrontier()
        size = 0
        root = frontier.root(suite)
        peaks = []
    }

    public mutating func append(_ event: AssetEvent, suite: Suite) {
        guard var frontier = LogFrontier(size: size, peaks: peaks) else {
            preconditionFailure("a log has one peak for each one bit of its size")
        }
        precondition(event.index == size, "events are numbered in log order")
        frontier.append(leafHash: event.leafHash(suite), suite: suite)
        size = frontier.size
        root = frontier.root(suite)
        peaks = frontier.peaks
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.unsigned(size)
        encoder.value(root)
        encoder.list(peaks)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        size = try decoder.unsigned()
        root = try decoder.value()
        peaks = try decoder.list(max: 64)
        guard peaks.count == size.nonzeroBitCount else {
            throw decoder.invalid("a log has one peak for each one bit of its size")
        }
    }
}

/// A registered data asset (数据资产): one version of one table, with the state of its event logs.
public struct AssetRecord: Hashable, Sendable {
    /// `AssetRecord.id(provider:code:suite:)`.
    public var id: Digest
    /// The provider's own name for it.
    public var code: String
    /// Who claimed it, and holds those of its rights that have not changed hands (`holder(of:)`).
    public var provider: MemberID
    public var titleZh: String
    public var titleEn: String
    public var keywords: [String]
    /// Empty for an asset that is only catalogued.
    public var columns: [Column]
    /// The column whose distinct values are counted in disclosure review.
    public var entityKey: String?
    public var rowCount: UInt64
    /// Salted digest of the data's bytes.
    public var dataCommitment: Digest
    /// Salted digest of a longer description.
    public var descriptionCommitment: Digest?
    /// Where the data comes from.
    public var source: String
    public var sourceURL: String
    public var ownerClass: OwnerClass
    public var level: DataLevel
    public var grade: DataGrade
    /// Rights claimed; ascending, each once.
    public var rights: [DataRight]
    public var status: AssetStatus
    /// Height at which a registrar registered the rights.
    public var registeredHeight: UInt64?
    public var registrar: MemberID?
    public var rightsLog: EventLog
    public var tradesLog: EventLog
    public var refusalsLog: EventLog
    /// Those in force, ascending by office; the status is `frozen` exactly while there is one.
    public var freezes: [Freeze]
    /// What it was derived from; ascending, empty for an original asset. The first event of its rights log has the pins.
    public var parents: [Digest]
    /// Of rights that have changed hands, ascending; all others the provider holds (`holder(of:)`).
    public var holders: [RightHolder]

    public init(
        id: Digest, code: String, provider: MemberID, titleZh: String, titleEn: String,
        keywords: [String], columns: [Column], entityKey: String? = nil, rowCount: UInt64,
        dataCommitment: Digest, descriptionCommitment: Digest? = nil, source: String,
        sourceURL: String, ownerClass: OwnerClass, level: DataLevel, grade: DataGrade,
        rights: [DataRight], status: AssetStatus, registeredHeight: UInt64? = nil,
        registrar: MemberID? = nil, rightsLog: EventLog, tradesLog: EventLog,
        refusalsLog: EventLog, freezes: [Freeze] = [], parents: [Digest] = [],
        holders: [RightHolder] = []
    ) {
        self.id = id
        self.code = code
        self.provider = provider
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
        self.status = status
        self.registeredHeight = registeredHeight
        self.registrar = registrar
        self.rightsLog = rightsLog
        self.tradesLog = tradesLog
        self.refusalsLog = refusalsLog
        self.freezes = freezes
        self.parents = parents
        self.holders = holders
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(
            fieldCount(
                19, entityKey != nil, descriptionCommitment != nil, registeredHeight != nil,
                registrar != nil, !freezes.isEmpty, !parents.isEmpty,
                !holders.isEmpty))
        encoder.field(1, id)
        encoder.field(2, code)
        encoder.field(3, provider)
        encoder.field(4, titleZh)
        encoder.field(5, titleEn)
        encoder.field(6, list: keywords)
        encoder.field(7, list: columns)
        encoder.field(8, ifPresent: entityKey)
        encoder.field(9, rowCount)
        encoder.field(10, dataCommitment)
        encoder.field(11, ifPresent: descriptionCommitment)
        encoder.field(12, source)
        encoder.field(13, sourceURL)
        encoder.field(14, ownerClass)
        encoder.field(15, level)
        encoder.field(16, grade)
        encoder.field(17, list: rights)
        encoder.field(18, status)
        encoder.field(19, ifPresent: registeredHeight)
        encoder.field(20, ifPresent: registrar)
        encoder.field(21, rightsLog)
        encoder.field(22, tradesLog)
        encoder.field(23, refusalsLog)
        encoder.field(24, unlessEmpty: freezes)
        encoder.field(25, unlessEmpty: parents)
        encoder.field(26, unlessEmpty: holders)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        id = try fields.value(1, &decoder)
        code = try fields.text(2, max: RecordLimits.codeBytesMax, &decoder)
        provider = try fields.value(3, &decoder)
        titleZh = try fields.text(4, max: RecordLimits.titleBytesMax, &decoder)
        titleEn = try fields.text(5, max: RecordLimits.titleBytesMax, &decoder)
        keywords = try fields.texts(
            6, max: RecordLimits.keywordsMax, textMax: RecordLimits.codeBytesMax, &decoder)
        columns = try fields.list(7, max: RecordLimits.columnsMax, &decoder)
        entityKey = try fields.optionalText(8, max: RecordLimits.codeBytesMax, &decoder)
        rowCount = try fields.number(9, &decoder)
        dataCommitment = try fields.value(10, &decoder)
        descriptionCommitment = try fields.optional(11, &decoder)
        source = try fields.text(12, max: RecordLimits.titleBytesMax, &decoder)
        sourceURL = try fields.text(13, max: RecordLimits.urlBytesMax, &decoder)
        ownerClass = try fields.value(14, &decoder)
        level = try fields.value(15, &decoder)
        grade = try fields.value(16, &decoder)
        rights = try fields.sortedList(17, max: DataRight.allCases.count, &decoder)
        status = try fields.value(18, &decoder)
        registeredHeight = try fields.optionalNumber(19, &decoder)
        registrar = try fields.optional(20, &decoder)
        rightsLog = try fields.value(21, &decoder)
        tradesLog = try fields.value(22, &decoder)
        refusalsLog = try fields.value(23, &decoder)
        freezes = try fields.optionalSortedList(24, max: Office.allCases.count, &decoder)
        parents = try fields.optionalSortedList(25, max: RecordLimits.parentsMax, &decoder)
        holders = try fields.optionalSortedList(26, max: DataRight.allCases.count, &decoder)
        try fields.finish(&decoder)
    }
}

extension AssetRecord {
    /// `H(CBOR ["huijin/asset", provider, code])`.
    public static func id(provider: MemberID, code: String, suite: Suite) -> Digest {
        var encoder = CBOREncoder(reserving: 128)
        encoder.array(3)
        encoder.text("huijin/asset")
        encoder.value(provider)
        encoder.text(code)
        return suite.digest(encoder.bytes)
    }

    public func log(_ kind: EventLogKind) -> EventLog {
        switch kind {
        case .rights: rightsLog
        case .trades: tradesLog
        case .refusals: refusalsLog
        }
    }

    public mutating func append(_ event: AssetEvent, suite: Suite) {
        switch event.log {
        case .rights: rightsLog.append(event, suite: suite)
        case .trades: tradesLog.append(event, suite: suite)
        case .refusals: refusalsLog.append(event, suite: suite)
        }
    }

    public func column(_ name: String) -> Column? { columns.first { $0.name == name } }
}
