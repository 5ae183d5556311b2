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

    /// Without white space.
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

    /// A text as all our JSON has it: what is not printable escaped as well as what RFC 8259 §7 demands, since members choose
    /// recorded texts and JSON is shown on terminals too. It is the same text to whoever reads it.
    public static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default:
                if scalar.isPrintable {
                    result.unicodeScalars.append(scalar)
                    continue
                }
                for unit in scalar.utf16 {
                    result +=
                        "\\u" + Hex.encode([UInt8(unit >> 8), UInt8(truncatingIfNeeded: unit)])
                }
            }
        }
        return result + "\""
    }
}
