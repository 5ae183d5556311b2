import Client
import Hummingbird
import HummingbirdCore
import Ledger
import LedgerCrypto
import Logging
import NIOCore
import Node
import ServiceLifecycle

/// Serves the API of one node.
public struct APIServer: Sendable {
    private let routes: Routes
    private let limits: APILimits
    private let logger: Logger

    public init(node: any LedgerNode, limits: APILimits = APILimits(), logger: Logger) {
        routes = Routes(reads: LedgerReads(node: node, limits: limits))
        self.limits = limits
        self.logger = logger
    }

    /// Serves until the task is cancelled. Then no request is begun any more, and those in progress have
    /// `APILimits.stoppingMs` to finish.
    ///
    /// - Parameter onReady: given the port, which differs from `port` when that is 0.
    public func run(
        host: String, port: Int, onReady: @escaping @Sendable (Int) async -> Void = { _ in }
    ) async throws {
        let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: limits.headerFieldBytesMax,
            maxHeaderListSize: limits.headerBytesMax, maxHeaderFieldCount: limits.headerFieldsMax)
        let application = Application(
            router: router(),
            server: .http1(
                configuration: .init(
                    idleTimeout: .milliseconds(Int64(limits.idleMs)),
                    httpDecoderConfiguration: decoder)),
            configuration: .init(
                address: .hostname(host, port: port), serverName: nil, backlog: 1_024,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    limits.connectionsMax)),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? port) },
            logger: logger)
        var configuration = ServiceGroupConfiguration(services: [application], logger: logger)
        configuration.maximumGracefulShutdownDuration = .milliseconds(Int64(limits.stoppingMs))
        let group = ServiceGroup(configuration: configuration)
        // In a task of its own, because cancelling the group's own task would cut requests off.
        let serving = Task { try await group.run() }
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            Task { await group.triggerGracefulShutdown() }
        }
    }

    /// Of others a path is unknown.
    private static let methods: [HTTPRequest.Method] = [
        .get, .head, .post, .put, .patch, .delete, .options, .trace,
    ]

    func router() -> Router<BasicRequestContext> {
        // Load balancers ask by HEAD.
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: Guard(limits: limits, logger: logger))
        for route in routes.all {
            router.on(RouterPath(route.pattern), method: route.method, use: route.handler)
        }
        for (pattern, served) in Dictionary(grouping: routes.all, by: \.pattern) {
            var allowed = served.map(\.method)
            if allowed.contains(.get) { allowed.append(.head) }
            let names = allowed.map(\.rawValue).joined(separator: ", ")
            for method in Self.methods where !allowed.contains(method) {
                router.on(RouterPath(pattern), method: method) { _, _ -> Response in
                    var response = APIError.methodNotAllowed.response
                    // RFC 9110 §15.5.6: it must be there.
                    response.headers[.allow] = names
                    return response
                }
            }
        }
        return router
    }
}

/// Refuses what is too long, and turns every error into the API's form.
private struct Guard: RouterMiddleware {
    let limits: APILimits
    let logger: Logger

    func handle(
        _ request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        let response = try await answer(request, context: context, next: next)
        // Whoever asks by HEAD reads what follows the head as the next answer.
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(
        _ request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        guard (request.head.path ?? "").utf8.count <= limits.pathBytesMax else {
            return APIError.pathTooLong.response
        }
        do {
            return try await next(request, context)
        } catch let error as APIError {
            return error.response
        } catch let error as HTTPError {
            switch error.status {
            case .notFound: return APIError.notFound.response
            case .methodNotAllowed: return APIError.methodNotAllowed.response
            default:
                return APIError(
                    error.status.code, "bad-request", "not a request of this API", "请求无效"
                )
                .response
            }
        } catch {
            logger.error("a request failed / 请求失败", metadata: ["error": "\(error)"])
            return APIError.storage.response
        }
    }
}
