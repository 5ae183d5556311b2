import LightClient

extension Names {
    /// Whether a text can stand as the address of a web page: http or https, and only characters of RFC 3986.
    static func isWebAddress(_ text: String) -> Bool {
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) {
            let rest = text.utf8.dropFirst(scheme.utf8.count)
            return !rest.isEmpty && rest.allSatisfy(isAddressByte)
        }
        return false
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~:/?#[]@!$&'()*+,;=%".utf8.contains(byte)
        }
    }
}

extension JSONNode {
    /// A JSON-LD reference.
    static func reference(_ iri: String) -> JSONNode { .members(["@id": .text(iri)]) }

    /// A JSON-LD literal with a type of XML Schema; numbers as text keep all their digits.
    static func typed(_ text: String, _ type: String) -> JSONNode {
        .members(["@value": .text(text), "@type": .text("xsd:\(type)")])
    }

    static func inBoth(zh: String, en: String) -> JSONNode {
        .list([
            .members(["@value": .text(zh), "@language": .text("zh")]),
            .members(["@value": .text(en), "@language": .text("en")]),
        ])
    }
}
