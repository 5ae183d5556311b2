import Client
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// Serves the sandbox over HTTP.
public struct SandboxServer: Sendable {
    private static let connectionsMax = 256
    private static let idleSeconds: Int64 = 60
    private static let stoppingSeconds: Int64 = 3

    private let routes: SandboxRoutes
    private let logger: Logger

    public init(service: JobService, logger: Logger) {
        routes = SandboxRoutes(service: service)
        self.logger = logger
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter onReady: given the port, which differs from `port` when that is 0.
    public func run(
        host: String, port: Int, onReady: @escaping @Sendable (Int) async -> Void = { _ in }
    ) async throws {
        let responder = CallbackResponder<BasicRequestContext> { request, _ in
            await answer(request)
        }
        let application = Application(
            responder: responder,
            server: .http1(
                configuration: .init(idleTimeout: .seconds(SandboxServer.idleSeconds))),
            configuration: .init(
                address: .hostname(host, port: port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    SandboxServer.connectionsMax)),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? port) },
            logger: logger)
        var configuration = ServiceGroupConfiguration(services: [application], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(SandboxServer.stoppingSeconds)
        let group = ServiceGroup(configuration: configuration)
        // In a task of its own, because cancelling the group's own task would cut requests off.
        let serving = Task { try await group.run() }
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            Task { await group.triggerGracefulShutdown() }
        }
    }

    private func answer(_ request: Request) async -> Response {
        do {
            let path = request.head.path ?? ""
            guard path.utf8.count <= SandboxRoutes.pathBytesMax else {
                throw SandboxError.badRequest
            }
            let answer = try await routes.answer(
                method: request.method.rawValue, path: path,
                authorization: request.headers[.authorization],
                body: try await body(of: request))
            return SandboxServer.response(answer.body, status: answer.status)
        } catch let error as SandboxError {
            return SandboxServer.response(error.json, status: error.status)
        } catch let error as ClientError {
            logger.warning("the ledger / 账本", metadata: ["error": "\(error)"])
            let refusal = SandboxError(error)
            return SandboxServer.response(refusal.json, status: refusal.status)
        } catch {
            logger.error("a request failed / 请求失败", metadata: ["error": "\(error)"])
            return SandboxServer.response(
                SandboxError.storage.json, status: SandboxError.storage.status)
        }
    }

    private func body(of request: Request) async throws -> [UInt8] {
        do {
            let buffer = try await request.body.collect(upTo: SandboxRoutes.bodyBytesMax)
            return [UInt8](buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw SandboxError.bodyTooLarge
        } catch {
            throw SandboxError.badRequest
        }
    }

    private static func response(_ json: JSONValue, status: Int) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/json; charset=utf-8"
        headers[.cacheControl] = "no-store"
        headers[.xContentTypeOptions] = "nosniff"
        return Response(
            status: .init(code: status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: json.encodedBytes)))
    }
}
