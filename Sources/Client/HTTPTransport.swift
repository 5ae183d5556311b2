import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// One request as the client makes it.
public struct HTTPCall: Sendable {
    public var method: String
    /// `http://host:port` or `https://…`, without a path.
    public var base: String
    /// Path with query, already encoded.
    public var path: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    public var timeoutMs: UInt64
    public var answerBytesMax: Int

    public init(
        method: String = "GET", base: String, path: String,
        headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        timeoutMs: UInt64 = 10_000, answerBytesMax: Int = 4_194_304
    ) {
        self.method = method
        self.base = base
        self.path = path
        self.headers = headers
        self.body = body
        self.timeoutMs = timeoutMs
        self.answerBytesMax = answerBytesMax
    }
}

public struct HTTPAnswer: Sendable {
    public var status: Int
    public var contentType: String
    public var body: [UInt8]

    public init(status: Int, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

/// What carries requests: the network, or a test's own server.
public protocol HTTPTransport: Sendable {
    func perform(_ call: HTTPCall) async throws(ClientError) -> HTTPAnswer
}

/// Over one connection pool for the whole process. Follows no redirects.
public struct NetworkTransport: HTTPTransport {
    public init() {}

    static let connectTimeoutMs: Int64 = 3_000

    /// Refused connections are not tried again until the time is up, as the library would: another node is asked
    /// at once. Never shut down, because it lives as long as the process.
    private static let pool: HTTPClient = {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .milliseconds(connectTimeoutMs)))
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(
            eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }()

    private static let timeoutMsMax: UInt64 = 3_600_000

    /// The library's own time ends with the answer's head, and a server that then sends a byte a second would never be given
    /// up: this time is for the whole answer. When it is up the request is cancelled.
    private static func within(
        _ timeoutMs: UInt64, _ body: @escaping @Sendable () async throws -> HTTPAnswer
    ) async throws -> HTTPAnswer {
        try await withThrowingTaskGroup(of: HTTPAnswer.self) { group in
            group.addTask(operation: body)
            group.addTask {
                try await Task.sleep(for: .milliseconds(min(timeoutMs, timeoutMsMax)))
                throw HTTPClientError.deadlineExceeded
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else {
                preconditionFailure("a group of two has a first")
            }
            return first
        }
    }

    /// - Throws: `.invalid` where `base` is no `NodeAddress`, `.unreachable`, and `.badAnswer` for one that is too long.
    public func perform(_ call: HTTPCall) async throws(ClientError) -> HTTPAnswer {
        // Whoever makes a call may have its address from anywhere, and the library traps on some.
        _ = try NodeAddress(call.base)
        var request = HTTPClientRequest(url: call.base + call.path)
        request.method = HTTPMethod(rawValue: call.method)
        for header in call.headers { request.headers.add(name: header.name, value: header.value) }
        if !call.body.isEmpty { request.body = .bytes(call.body) }
        do {
            return try await NetworkTransport.within(call.timeoutMs) { [request] in
                let response = try await NetworkTransport.pool.execute(
                    request, timeout: .milliseconds(Int64(NetworkTransport.timeoutMsMax)))
                let buffer = try await response.body.collect(upTo: call.answerBytesMax)
                return HTTPAnswer(
                    status: Int(response.status.code),
                    contentType: response.headers.first(name: "content-type") ?? "",
                    body: Array(buffer.readableBytesView))
            }
        } catch is NIOTooManyBytesError {
            throw .badAnswer(
                node: call.base,
                what: Bilingual(
                    "more than \(call.answerBytesMax) bytes", "超过 \(call.answerBytesMax) 字节"))
        } catch {
            throw .unreachable(node: call.base, reason: NetworkFault(error))
        }
    }
}
