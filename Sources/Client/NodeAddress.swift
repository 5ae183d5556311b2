import Foundation

/// Where a node or a sandbox answers: `http://host:port` or `https://host:port`, and nothing else. Without a port it is the
/// scheme's own.
///
/// The libraries below check less: of a port above 65535 they trap, or take the lower 16 bits.
public struct NodeAddress: Equatable, Sendable {
    /// Without a slash at its end.
    public let base: String

    /// Bytes of a name in the domain name system (RFC 1035 §2.3.4).
    private static let hostBytesMax = 253

    /// - Throws: `.invalid` that says what is wrong, and repeats no password.
    public init(_ text: String) throws(ClientError) {
        let base = text.hasSuffix("/") ? String(text.dropLast()) : text
        if let mistake = Self.mistake(in: base) {
            let shown = Self.withoutUser(text)
            throw .invalid(
                english:
                    "\(shown) is not a node's address: \(mistake.english); write it like http://127.0.0.1:8001",
                chinese: "\(shown) 不是节点地址：\(mistake.chinese)，请写成 http://127.0.0.1:8001")
        }
        self.base = base
    }

    /// Without what may be a name and a password.
    private static func withoutUser(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@") else { return text.shortened() }
        return "…" + String(text[at...]).shortened()
    }

    private static func mistake(in base: String) -> Bilingual? {
        guard let scheme = ["http://", "https://"].first(where: { base.hasPrefix($0) }) else {
            return Bilingual("it begins with http:// or https://", "须以 http:// 或 https:// 开头")
        }
        let rest = base.dropFirst(scheme.count).unicodeScalars
        if rest.contains("@") {
            return Bilingual("it has no user and no password", "不得含用户名或口令")
        }
        if rest.contains("?") || rest.contains("#") {
            return Bilingual("nothing follows the port, no query and no fragment", "端口之后不得有查询或片段")
        }
        if rest.contains("/") || rest.contains("\\") {
            return Bilingual("nothing follows the port, no path", "端口之后不得有路径")
        }
        // Of an IPv6 address the colons are within brackets.
        let end =
            rest.first == "["
            ? rest.firstIndex(of: "]").map { rest.index(after: $0) }
            : rest.firstIndex(of: ":") ?? rest.endIndex
        guard let hostEnd = end, isHost(String(rest[..<hostEnd])) else {
            return Bilingual("there is no host, or it is not well formed", "缺少主机，或其格式有误")
        }
        let port = rest[hostEnd...]
        guard port.isEmpty || Self.port(port) != nil else {
            return Bilingual("a port is a number from 1 to 65535", "端口应为 1 至 65535 的数字")
        }
        // What is dialled is what the library reads out of the text.
        guard let url = URL(string: base), url.host() != nil,
            url.port == Self.port(port).map({ Int($0) }), url.path().isEmpty
        else { return Bilingual("it is not well formed", "格式有误") }
        return nil
    }

    /// - Parameter text: with the colon before it.
    private static func port(_ text: Substring.UnicodeScalarView) -> UInt16? {
        let digits = text.dropFirst()
        guard text.first == ":", (1...5).contains(digits.count),
            digits.allSatisfy({ ("0"..."9").contains($0) }),
            let port = UInt16(String(digits)), port > 0
        else { return nil }
        return port
    }

    private static func isHost(_ host: String) -> Bool {
        guard !host.isEmpty, host.utf8.count <= hostBytesMax else { return false }
        if host.first == "[" {
            var address = in6_addr()
            return inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &address) == 1
        }
        return host.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_": true
            default: !scalar.isASCII && scalar.properties.isAlphabetic
            }
        }
    }
}
