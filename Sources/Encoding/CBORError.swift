/// What a decoder accepts at most. Every decoder is given one; nothing is decoded without limits.
public struct CBORLimits: Sendable, Equatable {
    /// Bytes of the whole input.
    public var bytesMax: Int
    /// Levels of nesting. One level is one array, map or tag for `skip()` and `CBORValue`, and one
    /// nested codec (`value`, `list`, `optional`, `integerMap`) for typed decoding.
    public var depthMax: Int
    /// Elements of one array, or pairs of one map.
    public var itemsMax: Int
    /// Bytes of one byte string or text string.
    public var stringBytesMax: Int

    public init(bytesMax: Int, depthMax: Int, itemsMax: Int, stringBytesMax: Int) {
        // Depth bounds our recursion, so it must stay far below what a thread's stack holds.
        precondition(depthMax >= 1 && depthMax <= 256, "depthMax is 1...256")
        precondition(bytesMax >= 0 && itemsMax >= 0 && stringBytesMax >= 0)
        self.bytesMax = bytesMax
        self.depthMax = depthMax
        self.itemsMax = itemsMax
        self.stringBytesMax = stringBytesMax
    }

    /// 1 MiB, 16 levels, 65 536 items, strings up to 1 MiB.
    public static let standard = CBORLimits(
        bytesMax: 1 << 20, depthMax: 16, itemsMax: 65_536, stringBytesMax: 1 << 20)
}

/// Why bytes were refused. `offset` is the byte, counted from 0, where the refused item starts.
public enum CBORError: Error, Equatable, Sendable {
    /// The input ends inside an item.
    case truncated(offset: Int)
    /// The whole input is longer than `CBORLimits.bytesMax`.
    case inputTooLong(bytes: Int, max: Int)
    /// Bytes follow the last item.
    case trailingBytes(offset: Int, count: Int)
    /// A number or length is not in its shortest form (RFC 8949 §4.2.1).
    case notShortest(offset: Int)
    /// Indefinite lengths and stray breaks are not deterministic (RFC 8949 §4.2.1).
    case indefiniteLength(offset: Int)
    /// Additional information 28…30 is reserved (RFC 8949 §3).
    case reservedHeader(offset: Int)
    /// Floats, `undefined` and simple values other than true, false and null are not used.
    case unsupportedSimple(offset: Int)
    /// Another type of item was expected.
    case wrongType(offset: Int, expected: CBORItemType, initialByte: UInt8)
    /// The number does not fit the wanted integer type.
    case outOfRange(offset: Int, bits: Int)
    /// An array, map or byte string has another length than the one that the type demands.
    case wrongCount(offset: Int, expected: Int, found: UInt64)
    /// An array, map or string is longer than its limit.
    case tooMany(offset: Int, max: Int, found: UInt64)
    /// Another tag was expected.
    case wrongTag(offset: Int, expected: UInt64, found: UInt64)
    /// Nested deeper than `CBORLimits.depthMax`.
    case tooDeep(offset: Int, max: Int)
    /// A text string is not UTF-8.
    case invalidUTF8(offset: Int)
    /// Map keys must ascend in the bytewise order of their encodings (RFC 8949 §4.2.1).
    case keysOutOfOrder(offset: Int)
    /// A map key occurs twice (RFC 8949 §5.6).
    case duplicateKey(offset: Int)
    /// Well-formed CBOR that a codec refuses.
    case invalid(offset: Int, what: String)
}

/// The types of item that deterministic Huijin CBOR uses.
public enum CBORItemType: UInt8, Sendable, Equatable {
    case unsigned = 0
    case negative = 1
    case bytes = 2
    case text = 3
    case array = 4
    case map = 5
    case tag = 6
    case simple = 7
    /// Either sign: what `integer()` expects.
    case integer = 8
    case bool = 9
    case null = 10
}

extension CBORError: CustomStringConvertible {
    /// What was wrong and what would be right, in English and Chinese.
    public var description: String { "\(english) / \(chinese)" }

    public var english: String {
        switch self {
        case .truncated(let offset):
            "byte \(offset): the input ends inside an item; the whole item is needed"
        case .inputTooLong(let bytes, let max):
            "the input has \(bytes) bytes; at most \(max) are accepted"
        case .trailingBytes(let offset, let count):
            "byte \(offset): \(count) byte(s) follow the last item; nothing may follow it"
        case .notShortest(let offset):
            "byte \(offset): a number or length is not in its shortest form"
        case .indefiniteLength(let offset):
            "byte \(offset): indefinite length; lengths must be definite"
        case .reservedHeader(let offset):
            "byte \(offset): reserved header; additional information 28 to 30 has no meaning"
        case .unsupportedSimple(let offset):
            "byte \(offset): a float, undefined or simple value; only true, false, null are used"
        case .wrongType(let offset, let expected, let initialByte):
            "byte \(offset): expected \(expected.english), found initial byte "
                + "0x\(Hex.encode([initialByte]))"
        case .outOfRange(let offset, let bits):
            "byte \(offset): the number does not fit \(bits) bits"
        case .wrongCount(let offset, let expected, let found):
            "byte \(offset): length is \(found); it must be \(expected)"
        case .tooMany(let offset, let max, let found):
            "byte \(offset): length is \(found); it must be at most \(max)"
        case .wrongTag(let offset, let expected, let found):
            "byte \(offset): tag is \(found); it must be \(expected)"
        case .tooDeep(let offset, let max):
            "byte \(offset): nested deeper than \(max) levels"
        case .invalidUTF8(let offset):
            "byte \(offset): a text string is not valid UTF-8"
        case .keysOutOfOrder(let offset):
            "byte \(offset): map keys must ascend in the bytewise order of their encodings"
        case .duplicateKey(let offset):
            "byte \(offset): a map key occurs twice; each key may occur once"
        case .invalid(let offset, let what):
            "byte \(offset): \(what)"
        }
    }

    public var chinese: String {
        switch self {
        case .truncated(let offset): "第 \(offset) 字节：输入在数据项中途结束，应给出完整数据项"
        case .inputTooLong(let bytes, let max): "输入共 \(bytes) 字节，最多接受 \(max) 字节"
        case .trailingBytes(let offset, let count): "第 \(offset) 字节：末项之后多出 \(count) 字节"
        case .notShortest(let offset): "第 \(offset) 字节：数值或长度未用最短编码"
        case .indefiniteLength(let offset): "第 \(offset) 字节：不定长编码，长度必须确定"
        case .reservedHeader(let offset): "第 \(offset) 字节：使用了保留的附加信息 28 至 30"
        case .unsupportedSimple(let offset):
            "第 \(offset) 字节：只接受 true、false、null，不接受浮点数、undefined 及其他简单值"
        case .wrongType(let offset, let expected, let initialByte):
            "第 \(offset) 字节：应为\(expected.chinese)，实际首字节为 0x\(Hex.encode([initialByte]))"
        case .outOfRange(let offset, let bits): "第 \(offset) 字节：数值超出 \(bits) 位整数"
        case .wrongCount(let offset, let expected, let found):
            "第 \(offset) 字节：长度为 \(found)，应为 \(expected)"
        case .tooMany(let offset, let max, let found):
            "第 \(offset) 字节：长度为 \(found)，最多为 \(max)"
        case .wrongTag(let offset, let expected, let found):
            "第 \(offset) 字节：标签为 \(found)，应为 \(expected)"
        case .tooDeep(let offset, let max): "第 \(offset) 字节：嵌套超过 \(max) 层"
        case .invalidUTF8(let offset): "第 \(offset) 字节：文本不是有效的 UTF-8"
        case .keysOutOfOrder(let offset): "第 \(offset) 字节：映射键必须按编码字节序递增"
        case .duplicateKey(let offset): "第 \(offset) 字节：映射键重复"
        case .invalid(let offset, let what): "第 \(offset) 字节：\(what)"
        }
    }
}

extension CBORItemType {
    var english: String {
        switch self {
        case .unsigned: "an unsigned integer"
        case .negative: "a negative integer"
        case .bytes: "a byte string"
        case .text: "a text string"
        case .array: "an array"
        case .map: "a map"
        case .tag: "a tag"
        case .simple: "a simple value"
        case .integer: "an integer"
        case .bool: "true or false"
        case .null: "null"
        }
    }

    var chinese: String {
        switch self {
        case .unsigned: "无符号整数"
        case .negative: "负整数"
        case .bytes: "字节串"
        case .text: "文本"
        case .array: "数组"
        case .map: "映射"
        case .tag: "标签"
        case .simple: "简单值"
        case .integer: "整数"
        case .bool: "true 或 false"
        case .null: "null"
        }
    }
}
