import Encoding
import LedgerCrypto

/// A JSON text in the making (RFC 8259), members in the order given.
public indirect enum JSONNode: Equatable, Sendable {
    case text(String)
    case number(UInt64)
    case bool(Bool)
    case null
    case list([JSONNode])
    case object([Member])

    public struct Member: Equatable, Sendable {
        public let name: String
        public let value: JSONNode

        public init(_ name: String, _ value: JSONNode) {
            self.name = name
            self.value = value
        }
    }

    public static func members(_ pairs: KeyValuePairs<String, JSONNode>) -> JSONNode {
        .object(pairs.map { Member($0.key, $0.value) })
    }

    /// The same in English and Chinese.
    public static func both(_ english: String, _ chinese: String) -> JSONNode {
        members(["en": .text(english), "zh": .text(chinese)])
    }

    static func hex(_ digest: Digest) -> JSONNode { .text(digest.hex) }

    /// Without white space; control characters escaped.
    public var encodedText: String {
        switch self {
        case .text(let text): return Self.quoted(text)
        case .number(let number): return "\(number)"
        case .bool(let value): return value ? "true" : "false"
        case .null: return "null"
        case .list(let items):
            return "[" + items.map { $0.encodedText }.joined(separator: ",") + "]"
        case .object(let members):
            let shown = members.map { Self.quoted($0.name) + ":" + $0.value.encodedText }
            return "{" + shown.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            default:
                if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                    result += "\\u00" + Hex.encode([UInt8(scalar.value)])
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
