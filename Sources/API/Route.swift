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
        let isRequired: Bool
        /// What it is where it is not given, and the greatest that is taken.
        let standard: UInt64?
        let maximum: UInt64?
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
        .init(
            name: name, place: .path, type: type, english: english, chinese: chinese,
            isRequired: true, standard: nil, maximum: nil)
    }

    static func query(
        _ name: String, _ english: String, _ chinese: String, type: String = "string",
        isRequired: Bool = false, standard: UInt64? = nil, maximum: UInt64? = nil
    ) -> Self {
        .init(
            name: name, place: .query, type: type, english: english, chinese: chinese,
            isRequired: isRequired, standard: standard, maximum: maximum)
    }
}

/// The query of one request, each name once.
struct Query {
    private var values: [String: String] = [:]

    /// - Throws: `malformedQuery`, and `badQuery` for a bad escape, a repeated name, or a name that the route does not know.
    init(_ request: Request, known: Set<String>) throws(APIError) {
        let path = request.head.path ?? ""
        guard let mark = path.firstIndex(of: "?") else { return }
        for pair in path[path.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = URLText.decode(parts[0], plusIsSpace: true) else {
                throw .malformedQuery
            }
            guard known.contains(name) else {
                let names = known.sorted().joined(separator: ", ")
                throw .badQuery(
                    name, "there is no such parameter, only \(names)", "没有此参数，仅有 \(names)")
            }
            guard
                let value = URLText.decode(
                    parts.count == 2 ? parts[1] : "", plusIsSpace: true)
            else { throw .badQuery(name, "it is not well formed", "格式有误") }
            guard values.updateValue(value, forKey: name) == nil else {
                throw .badQuery(name, "it is given twice", "重复给出")
            }
        }
    }

    subscript(_ name: String) -> String? { values[name] }

    /// False unless it is given as true.
    func flag(_ name: String) throws(APIError) -> Bool {
        switch values[name] {
        case nil, "false": false
        case "true": true
        default: throw .badQuery(name, "it must be true or false", "应为 true 或 false")
        }
    }

    func number(_ name: String, standard: UInt64, max: UInt64) throws(APIError) -> UInt64 {
        values[name] == nil ? standard : try number(name, max: max)
    }

    /// One that has to be given.
    func number(_ name: String, max: UInt64) throws(APIError) -> UInt64 {
        guard let text = values[name] else { throw .badQuery(name, "it is missing", "缺失") }
        guard let number = UInt64(text), number <= max else {
            throw .badQuery(
                name, "it must be a whole number from 0 to \(max)", "应为 0 至 \(max) 的整数")
        }
        return number
    }
}
