import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records

/// A record's place in the API: `/v1/records/{type}/{id…}`. One form for both sides.
public enum RecordPath {
    public static let prefix = "/v1/records/"

    /// The id as the light client's question names it, out of path segments that are already percent-decoded.
    ///
    /// - Returns: nil where no record of that type can have such an id.
    public static func id(_ type: RecordType, _ parts: [String]) -> [CBORValue]? {
        EvidenceQuestion.id(parts, of: type)
    }

    public static func path(_ type: RecordType, _ id: [CBORValue]) -> String {
        let segments = EvidenceQuestion.texts(ofID: id).map(URLText.encode)
        return prefix + type.name + "/" + segments.joined(separator: "/")
    }
}

/// Percent-encoding (RFC 3986 §2): everything but unreserved characters.
public enum URLText {
    public static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
            default: bytes.append(contentsOf: "%\(Hex.encode([byte]).uppercased())".utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// - Parameter plusIsSpace: as in queries of web forms.
    /// - Returns: nil for a bad escape or for bytes that are not UTF-8.
    public static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x25 {
                guard rest.count >= 2,
                    let escaped = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                    rest.first != 0x2B
                else { return nil }
                bytes.append(escaped)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(plusIsSpace && byte == 0x2B ? 0x20 : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
