import AsyncHTTPClient
import Files
import Foundation
import NIOCore
import NIOHTTP1

/// One thing said in both languages.
public struct Bilingual: Equatable, Sendable {
    public let english: String
    public let chinese: String

    public init(_ english: String, _ chinese: String) {
        self.english = english
        self.chinese = chinese
    }
}

extension Bilingual {
    /// What an error of ours says of itself: English and Chinese with ` / ` between them, else the same twice.
    public init(_ error: some Error) {
        let text = "\(error)"
        guard let slash = text.range(of: " / ") else {
            self.init(text, text)
            return
        }
        self.init(String(text[..<slash.lowerBound]), String(text[slash.upperBound...]))
    }
}

/// Why there is no answer at all.
public enum NetworkFault: Equatable, Sendable {
    case connectionRefused
    case noRoute
    case nameNotFound
    case connectTimedOut
    case answerTimedOut
    /// The connection was there, and ended before the answer did.
    case cutOff
    case tls(Bilingual)
    case notHTTP
    /// Something else that the system says.
    case system(SystemReason)
    /// In the words of whatever carries requests.
    case other(String)

    func texts(of node: String) -> Bilingual {
        switch self {
        case .connectionRefused:
            Bilingual(
                "\(node) cannot be reached: the connection was refused, nobody listens there",
                "无法连接 \(node)：连接被拒绝，该端口没有服务")
        case .noRoute:
            Bilingual(
                "\(node) cannot be reached: there is no way to that host", "无法连接 \(node)：网络不可达")
        case .nameNotFound:
            Bilingual(
                "\(node) cannot be reached: no host of that name was found",
                "无法连接 \(node)：找不到该主机名")
        case .connectTimedOut:
            Bilingual("\(node) cannot be reached: no connection in time", "无法连接 \(node)：连接超时")
        case .answerTimedOut:
            Bilingual("\(node) did not answer in time", "\(node) 未在限时内答复")
        case .cutOff:
            Bilingual(
                "\(node) ended the connection before its answer was complete",
                "\(node) 在应答完成前断开了连接")
        case .tls(let why):
            Bilingual(
                "\(node) cannot be reached: no TLS connection, \(why.english)",
                "无法连接 \(node)：未能建立 TLS 连接，\(why.chinese)")
        case .notHTTP:
            Bilingual(
                "\(node) answered with something that is not HTTP", "\(node) 的应答不是 HTTP")
        case .system(let reason):
            Bilingual(
                "\(node) cannot be reached: \(reason.english)", "无法连接 \(node)：\(reason.chinese)")
        case .other(let text):
            Bilingual("\(node) gave no answer (\(text))", "\(node) 没有应答（\(text)）")
        }
    }
}

/// For what carries requests without a network, such as a test's own ledger.
extension NetworkFault: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) { self = .other(text) }
}

extension NetworkFault {
    /// What the library says. Its own text is shown only where nothing else is known, and then shortened, without the paths of
    /// its source files.
    init(_ error: any Error) {
        if let error = error as? HTTPClientError {
            self.init(client: error)
        } else if let error = error as? IOError {
            self.init(number: error.errnoCode)
        } else if let error = error as? HTTPParserError {
            switch error {
            case .invalidEOFState, .closedConnection: self = .cutOff
            default: self = .notHTTP
            }
        } else if let error = error as? ChannelError {
            switch error {
            case .connectTimeout: self = .connectTimedOut
            case .eof, .inputClosed, .outputClosed, .ioOnClosedChannel, .alreadyClosed:
                self = .cutOff
            default: self = .other(Self.short(error))
            }
        } else {
            self.init(unimported: error)
        }
    }

    private init(client error: HTTPClientError) {
        switch error {
        case .deadlineExceeded, .readTimeout, .writeTimeout: self = .answerTimedOut
        case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout:
            self = .connectTimedOut
        case .remoteConnectionClosed, .uncleanShutdown: self = .cutOff
        default: self = .other(Self.short(error))
        }
    }

    /// - Parameter number: as in `errno`.
    private init(number: CInt) {
        switch number {
        case ECONNREFUSED: self = .connectionRefused
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EADDRNOTAVAIL: self = .noRoute
        case ETIMEDOUT: self = .connectTimedOut
        case ECONNRESET, ECONNABORTED, EPIPE: self = .cutOff
        default: self = .system(SystemReason(number: number))
        }
    }

    /// Errors of libraries that this room does not import: they are known by their names.
    private init(unimported error: any Error) {
        let name = String(reflecting: type(of: error))
        if name == "NIOPosix.NIOConnectionError" {
            // One for each address that the name stands for; none where it stands for none.
            let failures =
                Mirror(reflecting: error).descendant("connectionErrors")
                .map { Array(Mirror(reflecting: $0).children) } ?? []
            let causes = failures.compactMap {
                Mirror(reflecting: $0.value).descendant("error") as? any Error
            }
            self = causes.last.map { NetworkFault($0) } ?? .nameNotFound
        } else if name.hasPrefix("NIOSSL.") {
            let text = "\(error)"
            self = text.contains("uncleanShutdown") ? .cutOff : .tls(Self.tlsReason(text))
        } else {
            self = .other(Self.short(error))
        }
    }

    private static func tlsReason(_ text: String) -> Bilingual {
        if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("unableToValidate") {
            return Bilingual("its certificate is not trusted", "其证书不受信任")
        }
        if text.contains("failedToValidateHostname") {
            return Bilingual("its certificate is of another name", "其证书属于另一名称")
        }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
            return Bilingual("it does not speak TLS there", "该端口不使用 TLS")
        }
        return Bilingual("the handshake failed", "握手失败")
    }

    private static let textCharactersMax = 100

    private static func short(_ error: any Error) -> String {
        "\(error)".split(separator: " ").filter { !$0.contains("/") }
            .joined(separator: " ").shortened(to: textCharactersMax)
    }
}
