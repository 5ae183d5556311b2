import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Records
import Testing

@testable import API

@Suite(.timeLimit(.minutes(2))) struct LimitTests {
    private func array(_ count: Int, of bytes: [UInt8] = [1]) -> [UInt8] {
        var encoder = CBOREncoder()
        encoder.array(count)
        for _ in 0..<count { encoder.bytes(bytes) }
        return encoder.bytes
    }

    @Test func bodiesAreOneToAHundredEnvelopes() async throws {
        try await Market1.with { market in
            let good = try await market.ask("/v1/transactions", method: "POST", body: array(100))
            #expect(good.status == 200)
            for bad in [
                array(0), array(101), [], [0x80], [0x01], array(1) + [0], [0x81, 0x01],
                Array(array(2).dropLast()),
            ] {
                let answer = try await market.ask("/v1/transactions", method: "POST", body: bad)
                #expect(answer.status == 400 && market.code(answer) == "undecodable", "\(bad)")
            }
        }
    }

    @Test func sizesAreBounded() async throws {
        try await Market1.with { market in
            let large = [UInt8](repeating: 0x41, count: 4 * 1_048_576)
            let body = try await market.ask("/v1/transactions", method: "POST", body: large)
            #expect(body.status == 413 && market.code(body) == "body-too-large")
            let long = "/v1/assets?query=" + String(repeating: "a", count: 3_000)
            let path = try await market.ask(long)
            #expect(path.status == 414 && market.code(path) == "path-too-long")
            let query = "/v1/assets?query=" + String(repeating: "a", count: 300)
            #expect(market.code(try await market.ask(query)) == "bad-query")
            let header = (name: "X-Long", value: String(repeating: "a", count: 100_000))
            let answer = try? await market.ask("/v1/status", headers: [header])
            #expect(answer.map { $0.status >= 400 } ?? true)
            // The server is none the worse for it.
            #expect(try await market.ask("/v1/status").status == 200)
        }
    }

    @Test(arguments: [("/v1/status", "POST"), ("/v1/transactions", "PUT")])
    func anotherMethodIsNotAllowed(_ path: String, _ method: String) async throws {
        try await Market1.with { market in
            let answer = try await market.ask(path, method: method)
            #expect(answer.status == 405 && market.code(answer) == "method-not-allowed")
        }
    }

    /// RFC 9110 §15.5.6 asks for the methods that there are.
    @Test func whichMethodsThereAreIsSaid() async throws {
        try await Market1.with { market in
            for (method, path, allowed) in [
                ("POST", "/v1/status", "get, head"), ("PUT", "/v1/transactions", "post"),
                ("HEAD", "/v1/transactions", "post"), ("OPTIONS", "/healthz", "get, head"),
            ] {
                let answer = try await RawRequest.answer(method, path, of: market.base)
                let text = answer.lowercased()
                #expect(text.hasPrefix("http/1.1 405 "), "\(method) \(path): \(answer)")
                #expect(text.contains("\r\nallow: \(allowed)\r\n"), "\(method) \(path): \(answer)")
            }
        }
    }

    @Test func headIsAnsweredAsGetWithoutTheBody() async throws {
        try await Market1.with { market in
            for path in ["/healthz", "/metrics", "/v1/status", "/openapi.json"] {
                let answer = try await market.ask(path, method: "HEAD")
                #expect(answer.status == 200 && answer.body.isEmpty, "\(path)")
            }
            for path in ["/v1/headers/99999999", "/v1/nothing"] {
                #expect(try await market.ask(path, method: "HEAD").status == 404, "\(path)")
            }
            let raw = try await RawRequest.answer("HEAD", "/healthz", of: market.base)
            let get = try await market.ask("/healthz")
            #expect(raw.hasSuffix("\r\n\r\n"))
            #expect(raw.lowercased().contains("\r\ncontent-length: \(get.body.count)\r\n"))
        }
    }

    @Test(arguments: [
        ("/v1/assets?query=a&query=b", "query"), ("/v1/assets?x=1", "x"),
        ("/v1/assets?limit=-1", "limit"), ("/v1/assets?limit=201", "limit"),
        ("/v1/assets?query=%ff", "query"), ("/v1/log/checkpoint?height=x", "height"),
        ("/v1/checkpoint/bundle?epochs=", "epochs"),
    ])
    func badQueriesAreNamed(_ path: String, _ name: String) async throws {
        try await Market1.with { market in
            let answer = try await market.ask(path)
            #expect(answer.status == 400 && market.code(answer) == "bad-query")
            let error = try #require(try JSONValue.parse(answer.body)["error"])
            for message in ["messageEn", "messageZh"] {
                #expect(error[message]?.text?.contains(" \(name)") == true, "\(path)")
            }
            #expect(try await market.ask("/v1/assets?limit=200").status == 200)
        }
    }

    @Test func badPathsAreNamed() async throws {
        try await Market1.with { market in
            for path in [
                "/v1/assets/xyz", "/v1/assets/00", "/v1/headers/-1", "/v1/headers/a",
                "/v1/transactions/zz", "/v1/transactions/zz/bundle", "/v1/records/asset/zz",
                "/v1/records/account/A", "/v1/records/member/lower",
                "/v1/epochs/x/views/1/certificates", "/v1/epochs/0/views/-1/certificates",
            ] {
                let answer = try await market.ask(path)
                #expect(answer.status == 400 && market.code(answer) == "bad-path", "\(path)")
            }
            let zeros = String(repeating: "0", count: 64)
            for path in [
                "/v1/assets/\(zeros)", "/v1/headers/99999999", "/v1/transactions/\(zeros)",
                "/v1/records/nothing/A", "/v1/records/member/A",
                "/v1/epochs/0/views/99999999/certificates",
                "/v1/epochs/0/views/\(UInt64.max)/certificates",
                "/v1/epochs/\(UInt64.max)/views/1/certificates",
            ] {
                let answer = try await market.ask(path)
                #expect(answer.status == 404 && market.code(answer) == "not-found", "\(path)")
            }
            for bad in ["wait=maybe", "timeoutMs=x", "timeoutMs=999999999"] {
                let answer = try await market.ask(
                    "/v1/transactions?\(bad)", method: "POST", body: array(1))
                #expect(market.code(answer) == "bad-query", "\(bad)")
            }
        }
    }

    @Test func everyErrorHasBothLanguages() async throws {
        try await Market1.with { market in
            for path in ["/nothing", "/v1/assets/xyz", "/v1/records/bank/A"] {
                let answer = try await market.ask(path)
                let error = try #require(try JSONValue.parse(answer.body)["error"])
                let chinese = try #require(error["messageZh"]?.text)
                #expect(error["messageEn"]?.text?.isEmpty == false)
                #expect(chinese.unicodeScalars.contains { $0.value > 0x2E80 })
            }
        }
    }
}
