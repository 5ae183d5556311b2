import Foundation
import Testing

@testable import API

/// docs/openapi.json is what the routes say; `make docs` writes it again.
@Suite(.timeLimit(.minutes(2))) struct DocumentationTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "docs/openapi.json")

    @Test func openAPIDocumentIsTheRouters() async throws {
        try await Market1.with { market in
            let answer = try await market.ask("/openapi.json")
            #expect(answer.status == 200)
            let text = try JSONDocument.pretty(answer.body)
            if ProcessInfo.processInfo.environment["HUIJIN_WRITE_DOCS"] != nil {
                try Data(text.utf8).write(to: Self.file)
            }
            let kept = try String(contentsOf: Self.file, encoding: .utf8)
            #expect(kept == text, "docs/openapi.json is not the routes'; run make docs")
        }
    }

    @Test func everyRouteAnswersAndNoOther() async throws {
        try await Market1.with { market in
            let routes = Routes(reads: LedgerReads(node: market.node, limits: APILimits())).all
            #expect(!routes.isEmpty)
            for route in routes {
                let path = route.path.replacing(/\{\w+\}/, with: "1")
                let answer = try await market.ask(path, method: route.method.rawValue)
                let code = market.code(answer)
                #expect(code != "method-not-allowed", "\(route.method) \(route.path)")
                // The only routes that may know nothing of "1" are those whose last part is an id.
                if !route.path.contains("{") { #expect(code != "not-found", "\(route.path)") }
                for parameter in route.parameters where parameter.place == .path {
                    #expect(route.path.contains("{\(parameter.name)}"))
                }
                let braces = route.path.count { $0 == "{" }
                #expect(route.parameters.count { $0.place == .path } == braces)
            }
            for path in ["/", "/v1", "/v1/nothing", "/v2/status", "/v1/assets/1/2/3"] {
                let answer = try await market.ask(path)
                #expect(answer.status == 404 && market.code(answer) == "not-found", "\(path)")
            }
        }
    }
}
