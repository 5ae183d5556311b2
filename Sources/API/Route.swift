import Client
import Hummingbird

/// One way into the API, as the router and docs/openapi.json have it.
struct Route: Sendable {
    typealias Handler = @Sendable (Request, BasicRequestContext) async throws -> Response

    struct Parameter: Sendable {
        enum Place: String, Sendable {
            case path
            case query
        }

        let name: String
        let place: Place
        /// A JSON Schema type.
        let type: String
        let english: String
        let chinese: String
    }

    let method: HTTPRequest.Method
    /// With parameters in braces, as in OpenAPI.
    let path: String
    let english: String
    let chinese: String
    let parameters: [Parameter]
    /// Media type of the request's body.
    let body: String?
    /// Media types of the answer.
    let answers: [String]
    /// The answer depends on who asks.
    let readsIdentity: Bool
    let handler: Handler

    init(
        _ method: HTTPRequest.Method, _ path: String, _ english: String, _ chinese: String,
        parameters: [Parameter] = [], body: String? = nil, answers: [String] = [Route.json],
        readsIdentity: Bool = false, handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.english = english
        self.chinese = chinese
        self.parameters = parameters
        self.body = body
        self.answers = answers
        self.readsIdentity = readsIdentity
        self.handler = handler
    }

    static let json = "application/json"
    static let cbor = "application/cbor"
    static let text = "text/plain"
    static let octets = "application/octet-stream"

    /// The router's spelling of `path`.
    var pattern: String {
        path.split(separator: "/").map { part in
            part.hasPrefix("{") ? ":" + part.dropFirst().dropLast() : String(part)
        }.joined(separator: "/")
    }
}

extension Route.Parameter {
    static func path(
        _ name: String, _ english: String, _ chinese: String, type: String = "string"
    ) -> Self {
        .init(name: name, place: .path, type: type, english: english, chinese: chinese)
    }

    static func query(
        _ name: String, _ english: String, _ chinese: String, type: String = "string"
    ) -> Self {
        .init(name: name, place: .query, type: type, english: english, chinese: chinese)
    }
}

/// The query of one request, each name once.
struct Query {
    private var values: [String: String] = [:]

    /// - Throws: `badQuery` for a bad escape, a repeated name, or a name that the route does not know.
    init(_ request: Request, known: Set<String>) throws(APIError) {
        let path = request.head.path ?? ""
        guard let mark = path.firstIndex(of: "?") else { return }
        for pair in path[path.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = URLText.decode(parts[0], plusIsSpace: true), known.contains(name),
                let value = URLText.decode(
                    parts.count == 2 ? parts[1] : "", plusIsSpace: true),
                values.updateValue(value, forKey: name) == nil
            else { throw .badQuery }
        }
    }

    subscript(_ name: String) -> String? { values[name] }

    /// False unless it is given as true.
    func flag(_ name: String) throws(APIError) -> Bool {
        switch values[name] {
        case nil, "false": false
        case "true": true
        default: throw .badQuery
        }
    }

    func number(_ name: String, standard: UInt64, max: UInt64) throws(APIError) -> UInt64 {
        guard let text = values[name] else { return standard }
        guard let number = UInt64(text), number <= max else { throw .badQuery }
        return number
    }
}
