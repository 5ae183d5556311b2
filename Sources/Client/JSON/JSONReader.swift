/// Why bytes are not JSON that we read.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Byte offset.
    public let offset: Int
    public let what: String

    public var description: String { "\(what) at byte \(offset)" }

    /// What is wrong with an answer that had to be JSON.
    var asAnswer: Bilingual {
        Bilingual("it is not JSON: \(description)", "不是有效的 JSON（第 \(offset) 字节）")
    }
}

extension JSONValue {
    /// Nesting that is read at most.
    public static let depthMax = 64

    /// One JSON text (RFC 8259) and nothing after it but white space. Names that repeat are refused, because
    /// readers disagree about which one counts.
    public static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var reader = JSONReader(bytes)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.isAtEnd else { throw reader.error("something follows the value") }
        return value
    }
}

private struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // RFC 8259 §8.1 lets readers ignore a byte order mark.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    var isAtEnd: Bool { position == bytes.count }

    func error(_ what: String) -> JSONError { JSONError(offset: position, what: what) }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            position += 1
        }
    }

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= JSONValue.depthMax else { throw error("nested too deeply") }
        skipSpace()
        guard let byte = next else { throw error("a value is missing") }
        switch byte {
        case 0x7B: return try object(depth: depth)
        case 0x5B: return try list(depth: depth)
        case 0x22: return .text(try string())
        case 0x74: return try word("true", .bool(true))
        case 0x66: return try word("false", .bool(false))
        case 0x6E: return try word("null", .null)
        case 0x2D, 0x30...0x39: return try number()
        default: throw error("not a value")
        }
    }

    private mutating func word(
        _ text: StaticString, _ value: JSONValue
    ) throws(JSONError) -> JSONValue {
        let expected = Array(text.description.utf8)
        guard bytes[position...].starts(with: expected) else { throw error("not a value") }
        position += expected.count
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        position += 1
        var members: [JSONValue.JSONMember] = []
        var names: Set<String> = []
        skipSpace()
        if next == 0x7D {
            position += 1
            return .object([])
        }
        while true {
            skipSpace()
            guard next == 0x22 else { throw error("a name in quotes is missing") }
            let name = try string()
            guard names.insert(name).inserted else { throw error("a name repeats") }
            skipSpace()
            guard next == 0x3A else { throw error("a colon is missing") }
            position += 1
            members.append(JSONValue.JSONMember(name, try value(depth: depth + 1)))
            if try isLast(closing: 0x7D) { return .object(members) }
        }
    }

    private mutating func list(depth: Int) throws(JSONError) -> JSONValue {
        position += 1
        skipSpace()
        if next == 0x5D {
            position += 1
            return .list([])
        }
        var items: [JSONValue] = []
        while true {
            items.append(try value(depth: depth + 1))
            if try isLast(closing: 0x5D) { return .list(items) }
        }
    }

    /// Consumes a comma, or the closing bracket.
    private mutating func isLast(closing: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        guard let byte = next, byte == closing || byte == 0x2C else {
            throw error("a comma or the closing bracket is missing")
        }
        position += 1
        return byte == closing
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        if next == 0x2D { position += 1 }
        let leading = next
        let whole = digits()
        guard whole > 0, whole == 1 || leading != 0x30 else { throw error("not a number") }
        var isWhole = true
        if next == 0x2E {
            position += 1
            isWhole = false
            guard digits() > 0 else { throw error("not a number") }
        }
        if next == 0x65 || next == 0x45 {
            position += 1
            isWhole = false
            if next == 0x2B || next == 0x2D { position += 1 }
            guard digits() > 0 else { throw error("not a number") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let number = UInt64(text) { return .unsigned(number) }
        if isWhole, let number = Int64(text) { return .integer(number) }
        guard let number = Double(text), number.isFinite else { throw error("not a number") }
        return .real(number)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        var result: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case 0x22:
                guard let text = String(validating: result, as: UTF8.self) else {
                    throw error("a text is not valid UTF-8")
                }
                return text
            case 0x5C: try escape(into: &result)
            case 0x00..<0x20: throw error("a control character in a text")
            default: result.append(byte)
            }
        }
        throw error("a text does not end")
    }

    private mutating func escape(into result: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw error("a text does not end") }
        position += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: result.append(byte)
        case 0x62: result.append(0x08)
        case 0x66: result.append(0x0C)
        case 0x6E: result.append(0x0A)
        case 0x72: result.append(0x0D)
        case 0x74: result.append(0x09)
        case 0x75:
            var code = UInt32(try hexadecimal())
            if (0xD800..<0xDC00).contains(code), next == 0x5C, position + 1 < bytes.count,
                bytes[position + 1] == 0x75
            {
                position += 2
                let low = UInt32(try hexadecimal())
                guard (0xDC00..<0xE000).contains(low) else { throw error("a lone surrogate") }
                code = 0x1_0000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("a lone surrogate") }
            result.append(contentsOf: String(Character(scalar)).utf8)
        default: throw error("not an escape")
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt16 {
        guard position + 4 <= bytes.count,
            bytes[position..<position + 4].allSatisfy({
                (0x30...0x39).contains($0) || (0x41...0x46).contains($0 & 0xDF)
            }),
            let code = UInt16(
                String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw error("not four hexadecimal digits") }
        position += 4
        return code
    }
}
