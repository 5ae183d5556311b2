/// Any deterministic item, for tools and for fields whose shape others decide.
///
/// Floats, `undefined` and other simple values have no case: they are refused.
public enum CBORValue: Sendable {
    case unsigned(UInt64)
    /// The number −1 − n.
    case negative(UInt64)
    case bytes([UInt8])
    case text(String)
    case array([CBORValue])
    /// Pairs in canonical order of their keys; `canonicalMap` puts them in it.
    case map([(CBORValue, CBORValue)])
    indirect case tag(UInt64, CBORValue)
    case bool(Bool)
    case null

    public init(_ number: Int64) {
        self = number >= 0 ? .unsigned(UInt64(number)) : .negative(UInt64(bitPattern: ~number))
    }

    /// A map of the pairs in canonical order (RFC 8949 §4.2.1). Keys must differ.
    public static func canonicalMap(_ pairs: [(CBORValue, CBORValue)]) -> CBORValue {
        let keyed = pairs.map { (key: $0.0.encoded, pair: $0) }
        let sorted = keyed.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return .map(sorted.map { $0.pair })
    }
}

extension CBORValue: Equatable {
    public static func == (left: CBORValue, right: CBORValue) -> Bool {
        switch (left, right) {
        case (.unsigned(let a), .unsigned(let b)), (.negative(let a), .negative(let b)): a == b
        case (.bytes(let a), .bytes(let b)): a == b
        // Swift compares canonically equivalent strings as equal; their encodings differ.
        case (.text(let a), .text(let b)): a.utf8.elementsEqual(b.utf8)
        case (.array(let a), .array(let b)): a == b
        case (.map(let a), .map(let b)): a.elementsEqual(b, by: ==)
        case (.tag(let a, let x), .tag(let b, let y)): a == b && x == y
        case (.bool(let a), .bool(let b)): a == b
        case (.null, .null): true
        case (.unsigned, _), (.negative, _), (.bytes, _), (.text, _), (.array, _), (.map, _),
            (.tag, _), (.bool, _), (.null, _):
            false
        }
    }
}

extension CBORValue: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        switch self {
        case .unsigned(let number): encoder.unsigned(number)
        case .negative(let number): encoder.head(.negative, number)
        case .bytes(let bytes): encoder.bytes(bytes)
        case .text(let text): encoder.text(text)
        case .array(let items): encoder.list(items)
        case .map(let pairs):
            encoder.map(pairs.count)
            for (key, value) in pairs {
                key.encode(into: &encoder)
                value.encode(into: &encoder)
            }
        case .tag(let number, let item):
            encoder.tag(number)
            item.encode(into: &encoder)
        case .bool(let value): encoder.bool(value)
        case .null: encoder.null()
        }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        let start = decoder.offset
        let initial = try decoder.initialByte()
        switch initial >> 5 {
        case 0: self = .unsigned(try decoder.argument(initial))
        case 1: self = .negative(try decoder.argument(initial))
        case 2:
            decoder.position = start
            self = .bytes(try decoder.bytes())
        case 3:
            decoder.position = start
            self = .text(try decoder.text())
        case 4:
            decoder.position = start
            self = .array(try decoder.list())
        case 5:
            decoder.position = start
            self = .map(try Self.pairs(&decoder))
        case 6:
            let number = try decoder.argument(initial)
            self = .tag(number, try decoder.value())
        default:
            try decoder.simple(initial)
            self = initial == 0xF6 ? .null : .bool(initial == 0xF5)
        }
    }

    private static func pairs(
        _ decoder: inout CBORDecoder
    ) throws(CBORError) -> [(CBORValue, CBORValue)] {
        let count = try decoder.map()
        try decoder.enter()
        var pairs: [(CBORValue, CBORValue)] = []
        pairs.reserveCapacity(Swift.min(count, 1_024))
        var last: Range<Int>?
        for _ in 0..<count {
            let start = decoder.offset
            let key = try CBORValue(from: &decoder)
            let range = start..<decoder.offset
            if let last { try decoder.requireAscending(last, range) }
            last = range
            pairs.append((key, try CBORValue(from: &decoder)))
        }
        decoder.leave()
        return pairs
    }
}

extension CBORValue: CustomStringConvertible {
    public var description: String { diagnostic }

    /// Diagnostic notation (RFC 8949 §8).
    public var diagnostic: String {
        switch self {
        case .unsigned(let number): return "\(number)"
        case .negative(let number):
            // −1 − n overflows only for n = 2^64 − 1.
            return number == .max ? "-18446744073709551616" : "-\(number + 1)"
        case .bytes(let bytes): return "h'\(Hex.encode(bytes))'"
        case .text(let text): return Self.quoted(text)
        case .array(let items):
            return "[" + items.map { $0.diagnostic }.joined(separator: ", ") + "]"
        case .map(let pairs):
            let shown = pairs.map { "\($0.0.diagnostic): \($0.1.diagnostic)" }
            return "{" + shown.joined(separator: ", ") + "}"
        case .tag(let number, let item): return "\(number)(\(item.diagnostic))"
        case .bool(let value): return value ? "true" : "false"
        case .null: return "null"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    result += "\\u00" + Hex.encode([UInt8(scalar.value)])
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
