import LightClient

/// A JSON value (RFC 8259) whose objects keep their order, so that one answer has one text.
///
/// Whole numbers keep all 64 bits; a `Double` never carries an amount.
public indirect enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case unsigned(UInt64)
    /// Below zero.
    case negative(Int64)
    /// With a fraction or an exponent, or too large for 64 bits.
    case real(Double)
    case text(String)
    case list([JSONValue])
    case object([JSONMember])

    public struct JSONMember: Equatable, Sendable {
        public let name: String
        public let value: JSONValue

        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    public static func integer(_ number: Int64) -> JSONValue {
        number < 0 ? .negative(number) : .unsigned(UInt64(number))
    }

    /// `.null` for nil.
    public static func optional(_ number: UInt64?) -> JSONValue {
        number.map { .unsigned($0) } ?? .null
    }

    public static func optional(_ text: String?) -> JSONValue { text.map { .text($0) } ?? .null }

    public static func texts(_ texts: [String]) -> JSONValue { .list(texts.map { .text($0) }) }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByStringLiteral,
    ExpressibleByArrayLiteral
{
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { JSONMember($0.0, $0.1) })
    }

    public init(stringLiteral value: String) { self = .text(value) }

    public init(arrayLiteral elements: JSONValue...) { self = .list(elements) }
}

// MARK: Reading

extension JSONValue {
    /// The first member of that name.
    public subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    public var text: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    public var unsigned: UInt64? {
        if case .unsigned(let number) = self { return number }
        return nil
    }

    public var bool: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    public var list: [JSONValue]? {
        if case .list(let items) = self { return items }
        return nil
    }

    public var members: [JSONMember]? {
        if case .object(let members) = self { return members }
        return nil
    }

    /// The texts of a list of texts.
    public var texts: [String]? {
        guard let list else { return nil }
        let texts = list.compactMap(\.text)
        return texts.count == list.count ? texts : nil
    }

    /// The object with these members after its own; a name that is there already is replaced in place.
    public func adding(_ added: [JSONMember]) -> JSONValue {
        guard case .object(var members) = self else { return self }
        for member in added {
            if let index = members.firstIndex(where: { $0.name == member.name }) {
                members[index] = member
            } else {
                members.append(member)
            }
        }
        return .object(members)
    }
}

// MARK: Writing

extension JSONValue {
    /// Without white space.
    public var encodedText: String {
        String(decoding: encodedBytes, as: UTF8.self)
    }

    public var encodedBytes: [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return bytes
    }

    public func write(into bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .unsigned(let number): bytes.append(contentsOf: String(number).utf8)
        case .negative(let number): bytes.append(contentsOf: String(number).utf8)
        case .real(let number):
            // JSON has neither infinities nor NaN.
            bytes.append(contentsOf: (number.isFinite ? "\(number)" : "null").utf8)
        case .text(let text): bytes.append(contentsOf: JSONNode.quoted(text).utf8)
        case .list(let items):
            bytes.append(0x5B)
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(0x2C) }
                item.write(into: &bytes)
            }
            bytes.append(0x5D)
        case .object(let members):
            bytes.append(0x7B)
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(0x2C) }
                bytes.append(contentsOf: JSONNode.quoted(member.name).utf8)
                bytes.append(0x3A)
                member.value.write(into: &bytes)
            }
            bytes.append(0x7D)
        }
    }

    /// For people: two spaces of indentation, one member or item a line.
    public func pretty(indent: Int = 0) -> String {
        let inner = String(repeating: "  ", count: indent + 1)
        let outer = String(repeating: "  ", count: indent)
        switch self {
        case .list(let items) where !items.isEmpty:
            let lines = items.map { inner + $0.pretty(indent: indent + 1) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(outer)]"
        case .object(let members) where !members.isEmpty:
            let lines = members.map {
                inner + JSONValue.text($0.name).encodedText + ": "
                    + $0.value.pretty(indent: indent + 1)
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        case .null, .bool, .unsigned, .negative, .real, .text, .list, .object:
            return encodedText
        }
    }
}
