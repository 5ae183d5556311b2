import Encoding
import Ledger
import LedgerCrypto

/// One value of a policy.
public enum PolicyValue: Hashable, Sendable, CBORCodable {
    case number(Int64)
    case text(String)

    public func encode(into encoder: inout CBOREncoder) {
        switch self {
        case .number(let number): encoder.integer(number)
        case .text(let text): encoder.text(text)
        }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        switch try CBORValue(from: &decoder) {
        case .unsigned(let number) where number <= UInt64(Int64.max):
            self = .number(Int64(number))
        case .negative(let number) where number <= UInt64(Int64.max):
            self = .number(-1 - Int64(number))
        case .text(let text) where text.utf8.count <= RecordLimits.policyTextBytesMax:
            self = .text(text)
        case .unsigned, .negative, .text, .bytes, .array, .map, .tag, .bool, .null:
            throw decoder.invalid("a policy value is a 64-bit integer or a text")
        }
    }
}

/// A named value of a policy. Wire: `[name, value]`.
public struct PolicyEntry: Hashable, Comparable, Sendable, CBORCodable {
    /// ASCII letters, digits, `.` and `-`.
    public let name: String
    public let value: PolicyValue

    public init(_ name: String, _ value: PolicyValue) {
        self.name = name
        self.value = value
    }

    public static func < (left: PolicyEntry, right: PolicyEntry) -> Bool {
        left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.text(name)
        encoder.value(value)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        name = try decoder.text(max: RecordLimits.codeBytesMax)
        guard PolicyRecord.isName(name) else {
            throw decoder.invalid("a policy name is 1 to 64 of A-Z a-z 0-9 . -")
        }
        value = try decoder.value()
    }
}

/// A versioned rule of the market: rules are data.
public struct PolicyRecord: Hashable, Sendable {
    public var name: String
    /// Counts from 1; each change adds 1.
    public var version: UInt64
    public var tag: PolicyTag
    /// Ascending by name, each once.
    public var entries: [PolicyEntry]
    public var setHeight: UInt64

    public init(
        name: String, version: UInt64, tag: PolicyTag, entries: [PolicyEntry], setHeight: UInt64
    ) {
        self.name = name
        self.version = version
        self.tag = tag
        self.entries = entries
        self.setHeight = setHeight
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(5)
        encoder.field(1, name)
        encoder.field(2, version)
        encoder.field(3, tag)
        encoder.field(4, list: entries)
        encoder.field(5, setHeight)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        name = try fields.text(1, max: RecordLimits.codeBytesMax, &decoder)
        version = try fields.number(2, &decoder)
        tag = try fields.value(3, &decoder)
        entries = try fields.sortedList(4, max: RecordLimits.policyEntriesMax, &decoder)
        setHeight = try fields.number(5, &decoder)
        try fields.finish(&decoder)
    }
}

extension PolicyRecord {
    /// Rules of disclosure review: `group-minimum` (entities), `dominance-percent`.
    public static let review = "review"
    /// Prices of the market's services: `venue-basis-points`.
    public static let fees = "fees"
    /// What becomes of validators: `unseat-equivocators`.
    public static let validators = "validators"
    /// Rules on transfers of rights: `registrar-approval`.
    public static let transfers = "transfers"
    /// Rules on licences: `provider-revokes-breach`.
    public static let licences = "licences"

    public func number(_ entry: String) -> Int64? {
        for candidate in entries where candidate.name == entry {
            if case .number(let number) = candidate.value { return number }
        }
        return nil
    }

    public static func isName(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= RecordLimits.codeBytesMax else { return false }
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E: continue
            default: return false
            }
        }
        return true
    }
}
