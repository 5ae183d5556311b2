/// Why a text is not a unified social credit code. Positions count from 1, as the standard does.
public enum SocialCreditCodeError: Error, Equatable, Sendable, CustomStringConvertible {
    case length(found: Int)
    case character(position: Int)
    case checkCharacter(expected: String, found: String)

    public var description: String {
        switch self {
        case .length(let found):
            "a unified social credit code has 18 characters, not \(found)"
                + " / 统一社会信用代码应为 18 位，实际 \(found) 位"
        case .character(let position):
            "character \(position) is not allowed there (0-9 and A-Z without I, O, S, V, Z;"
                + " 3 to 8 are digits) / 第 \(position) 位字符不合规则（不用 I、O、S、V、Z，"
                + "第 3 至 8 位为数字）"
        case .checkCharacter(let expected, let found):
            "the check character is \(found); it must be \(expected), so some character is mistyped"
                + " / 校验码为 \(found)，应为 \(expected)，请核对各位字符"
        }
    }
}

/// A unified social credit code 统一社会信用代码 (GB 32100-2015): 18 characters.
///
/// 1 registering authority, 1 kind of organisation, 6 digits of the administrative division (GB/T 2260),
/// 9 characters of the organisation code (GB 11714), 1 check character. The inner check character of GB 11714 is
/// not enforced: codes given to sole traders and converted old registrations do not all carry it.
public struct SocialCreditCode: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    public static let characterCount = 18

    /// GB 32100-2015 table 2, in order of value: no I, O, S, V, Z.
    private static let alphabet = Array("0123456789ABCDEFGHJKLMNPQRTUWXY".utf8)
    /// GB 32100-2015 §5: 3^(i−1) mod 31 for positions 1…17.
    private static let weights = [
        1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
    ]

    public init(_ text: String) throws(SocialCreditCodeError) {
        let bytes = Array(text.utf8)
        guard bytes.count == Self.characterCount else { throw .length(found: text.count) }
        for (index, byte) in bytes.enumerated() {
            let isDigit = (0x30...0x39).contains(byte)
            guard Self.alphabet.contains(byte), isDigit || !(2...7).contains(index) else {
                throw .character(position: index + 1)
            }
        }
        let expected = Self.checkCharacter(bytes.prefix(17))
        guard bytes[17] == expected else {
            throw .checkCharacter(
                expected: String(decoding: [expected], as: UTF8.self),
                found: String(decoding: [bytes[17]], as: UTF8.self))
        }
        self.text = text
    }

    /// A well-formed code for demonstrations and tests, with both check characters right.
    ///
    /// - Parameters:
    ///   - authority: registering authority and kind, such as `91` (enterprise) or `12` (public institution).
    ///   - division: GB/T 2260 code, six digits.
    ///   - serial: 0…99 999 999, the body of the organisation code.
    /// - Returns: `nil` where a part has another form.
    public static func generate(
        authority: String = "91", division: String = "310000", serial: UInt32
    ) -> SocialCreditCode? {
        guard serial <= 99_999_999, authority.utf8.count == 2, division.utf8.count == 6 else {
            return nil
        }
        let digits = String(serial)
        let body = String(repeating: "0", count: 8 - digits.utf8.count) + digits
        let organisation = body + organisationCheck(Array(body.utf8))
        let head = Array((authority + division + organisation).utf8)
        guard head.allSatisfy({ alphabet.contains($0) }) else { return nil }
        let check = String(decoding: [checkCharacter(head[...])], as: UTF8.self)
        return try? SocialCreditCode(authority + division + organisation + check)
    }

    public var description: String { text }

    /// GB 32100-2015 §5: 31 minus the weighted sum modulo 31, and 0 for 31.
    private static func checkCharacter(_ bytes: ArraySlice<UInt8>) -> UInt8 {
        var sum = 0
        for (byte, weight) in zip(bytes, weights) {
            sum += (alphabet.firstIndex(of: byte) ?? 0) * weight
        }
        return alphabet[(31 - sum % 31) % 31]
    }

    /// GB 11714-1997: weights 3, 7, 9, 10, 5, 8, 4, 2 modulo 11; 10 is written X.
    private static func organisationCheck(_ digits: [UInt8]) -> String {
        var sum = 0
        for (digit, weight) in zip(digits, [3, 7, 9, 10, 5, 8, 4, 2]) {
            sum += (Int(digit) - 0x30) * weight
        }
        let check = (11 - sum % 11) % 11
        return check == 10 ? "X" : String(check)
    }
}
