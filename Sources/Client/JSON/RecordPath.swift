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

extension RecordType {
    /// Those whose records somebody may ask for: the seed of the salts is shown to nobody.
    public static var readable: [RecordType] { allCases.filter { $0 != .saltSeed } }

    /// How an id of that type is written.
    public var idForm: Bilingual {
        let digest = Bilingual(
            "it has \(2 * Digest.byteCount) lower-case hexadecimal digits",
            "应为 \(2 * Digest.byteCount) 位小写十六进制")
        let key = Bilingual(
            "it has \(2 * KeyID.byteCount) lower-case hexadecimal digits",
            "应为 \(2 * KeyID.byteCount) 位小写十六进制")
        return switch self {
        case .member, .bank:
            Bilingual(
                "it is a member id, such as an 18-character social credit code",
                "应为成员编号，例如 18 位统一社会信用代码")
        case .account:
            Bilingual(
                "it has two parts, the member id of who holds the account and that of the bank",
                "应为两段：账户成员的编号与清结算机构的成员编号")
        case .policy:
            Bilingual(
                "it is the policy's name, of letters, digits, full stops and hyphens",
                "应为规则名，由字母、数字、点和连字符组成")
        case .key, .votingKey: key
        case .asset, .attestation, .transfer, .offer, .agreement, .withdrawal, .job, .evidence:
            digest
        case .validators, .timerIndex: Bilingual("there is one, with the id 0", "仅有一条，编号为 0")
        case .timerDay, .timerHour: Bilingual("it is a number", "应为数字")
        case .saltSeed: Bilingual("it is shown to nobody", "不向任何人出示")
        }
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
