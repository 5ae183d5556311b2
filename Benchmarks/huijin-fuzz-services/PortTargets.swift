import Client
import Encoding
import Foundation
import FuzzKit
import Ledger
import LightClient
import Market

/// The two services' ports, with whatever a stranger may send there: the HTTP library's own reading, then ours.
enum PortTargets {
    static func all(_ setting: Setting) throws -> [Subject] {
        let node = Served(setting) { try NodeHost.start($0) }
        let sandbox = Served(setting) { try SandboxHost.start($0) }
        return [
            (target("api", setting, node), try api(setting)),
            (target("sandbox", setting, sandbox), try jobs(setting)),
        ]
    }

    /// Whatever is asked, there is an answer of the API's form: a fault of the service (500) is one of ours.
    private static func target(
        _ name: String, _ setting: Setting, _ served: Served
    ) -> FuzzTarget {
        FuzzTarget(name) { input in
            guard let bytes = served.port.exchange(completed(input, setting)) else {
                return .different
            }
            // The library hangs up on what is not HTTP, or says so without a body.
            guard let reply = HTTPReply(bytes), reply.status != 400 || reply.isJSON else {
                return .refused
            }
            guard reply.status < 500 || reply.status == 503 else { return .different }
            guard reply.isJSON, !reply.body.isEmpty else { return .same }
            guard let json = try? JSONValue.parse(reply.body),
                reply.status < 400 || json["error"]?["code"]?.text != nil
            else { return .different }
            return .same
        }
    }

    /// An input with what depends on all of it in the places that are left for it: a token that the governor signs for that method
    /// and path, the body's digest and its length. So changed bodies are read, too.
    private static func completed(_ input: [UInt8], _ setting: Setting) -> [UInt8] {
        let end = input.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound ?? input.count
        var head = input[..<end]
        let body = Array(input[end...])
        func fill(_ place: String, _ content: () -> String) {
            guard let found = head.firstRange(of: Array(place.utf8)) else { return }
            head.replaceSubrange(found, with: Array(content().utf8))
        }
        fill("DIGEST") { setting.genesis.suite.digest(body).hex }
        fill("LENGTH") { String(body.count) }
        fill("TOKEN") {
            let line = String(decoding: head.prefix { $0 != 0x0D }, as: UTF8.self)
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            return RequestToken.header(
                method: String(words[0]), path: words.count > 1 ? String(words[1]) : "",
                timeMs: Setting.nowMs, chain: setting.genesis.chain, with: setting.memberKey)
        }
        return head + body
    }

    private static func request(
        _ line: String, _ headers: String = "", body: [UInt8] = []
    ) -> [UInt8] {
        let length = body.isEmpty ? "" : "Content-Length: LENGTH\r\n"
        return Array("\(line) HTTP/1.1\r\nHost: a\r\n\(headers)\(length)\r\n".utf8) + body
    }

    private static let identity = "Authorization: TOKEN\r\n"

    private static func api(_ setting: Setting) throws -> [[UInt8]] {
        let member = setting.member
        let digest = String(repeating: "5a", count: 32)
        let transaction = Transaction(
            kind: RecordEvidence.kind.rawValue, nonce: [UInt8](repeating: 5, count: 16),
            lastValidHeight: 100, member: member, body: RecordEvidence.example.encoded)
        var envelopes = CBOREncoder()
        envelopes.array(1)
        envelopes.bytes(
            Envelope.sign(transaction, chain: setting.genesis.chain, with: setting.memberKey))
        let questions = QuestionList([
            .header(height: 0, digest: nil), .record(type: .member, id: [.text(member.text)]),
            .role(.governor, of: member, at: .height(0)),
        ]).encoded
        return [
            request("GET /v1/status"),
            request("GET /v1/headers/0", "Accept: application/cbor\r\n"),
            request("GET /v1/assets?query=%E6%B0%94+x&limit=5"),
            // Marks that are part of a `Character` (U+0600 before, U+0301 behind), and U+0000.
            request("GET /v1/assets?query=abc%00+%D8%80%22abc+%D8%80%25+%22%CC%81ab"),
            request("GET /v1/records/member/\(member)", identity),
            request("GET /v1/records/account/\(member)/\(member)", identity),
            request("GET /v1/assets/\(digest)/events?log=rights&from=0&to=1", identity),
            request("GET /v1/assets/\(digest)/bundle?logs=rights,trades&ancestors=true"),
            request("GET /v1/checkpoint/bundle?epochs=0"),
            request("GET /v1/log/checkpoint?height=0"), request("GET /v1/log/bundles/0"),
            request("GET /v1/transactions/\(digest)"),
            request("POST /v1/transactions?wait=final&timeoutMs=99", body: envelopes.bytes),
            request(
                "POST /v1/bundle?digest=DIGEST&ancestors=false", identity, body: questions),
        ]
    }

    private static func jobs(_ setting: Setting) throws -> [[UInt8]] {
        let job = SandboxHost.job.hex
        let body =
            #"{"agreement":"\#(SandboxHost.agreement.hex)","job":"\#(job)","purpose":"\#(SandboxHost.purpose)","sql":"\#(SandboxHost.sql)","salt":"\#(Hex.encode(SandboxHost.salt))"}"#
        return [
            request("GET /healthz"),
            request("POST /v1/jobs", identity, body: Array(body.utf8)),
            request("GET /v1/jobs/\(job)", identity),
            request("GET /v1/jobs/\(job)/output", identity),
            request("GET /v1/reviews", identity), request("GET /v1/reviews/\(job)", identity),
        ]
    }
}

/// A service that begins with the first input: who attacks something else does without it.
private final class Served {
    private let start: () throws -> Int

    private(set) lazy var port: Port = {
        do {
            return Port(try start())
        } catch {
            preconditionFailure("a service starts in a new folder on a free port: \(error)")
        }
    }()

    init(_ setting: Setting, _ start: @escaping (Setting) throws -> Int) {
        self.start = { try start(setting) }
    }
}
