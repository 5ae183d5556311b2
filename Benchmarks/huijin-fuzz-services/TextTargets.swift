import Client
import FuzzKit
import Interchange
import LightClient
import Records
import Synchronization

/// Readers of text that comes from nodes, members and other markets.
enum TextTargets {
    static func all(_ setting: Setting) throws -> [Subject] {
        [json, try answer(setting), catalogue]
    }

    /// What is read, written and read again is the same, and nothing in it turns a terminal's line around.
    private static var json: Subject {
        let examples = [
            #"{"results":[{"id":"00ff","status":"final","code":0,"height":18446744073709551615}]}"#,
            #"[null,true,false,-9223372036854775808,1.5e3,-0.25,"a\u202e\ud83d\ude00\\\"汇津",[],{}]"#,
            "\u{FEFF} { \"é\" : [ 1 , 2 ] , \"e\" : \"\\u0000\\n\" } ",
        ]
        return subject("json", examples) { input in
            guard let value = try? JSONValue.parse(input) else { return .refused }
            let text = value.encodedText
            for written in [text, value.pretty()] {
                guard (try? JSONValue.parse(Array(written.utf8)))?.encodedText == text else {
                    return .different
                }
            }
            return text.printable == text ? .same : .different
        }
    }

    /// A line with the status, then the body: what a node answers, to whatever it was asked.
    private static func answer(_ setting: Setting) throws -> Subject {
        let digest = String(repeating: "5a", count: 32)
        let examples = [
            #"200\n{"results":[{"id":"\#(digest)","envelope":"\#(digest)","status":"final","code":0,"codeName":"accepted","height":7,"index":0}]}"#,
            #"200\n{"height":7,"peers":3,"votes":"yes","catchingUp":false}"#,
            #"200\n{"assets":[{"asset":"\#(digest)","titleZh":"气象"}]}"#,
        ].map { $0.replacing("\\n", with: "\n") }
        let refusal =
            "404\n{\"error\":{\"code\":\"not-found\",\"messageEn\":\"no\",\"messageZh\":\"无\"}}"
        let node = AnsweringNode()
        var limits = HuijinClient.Limits()
        // Nobody does better in a moment.
        limits.patienceMs = 0
        let client = try HuijinClient(
            nodes: ["http://127.0.0.1:1"], genesis: setting.genesis, limits: limits, transport: node
        )
        return subject("answer", examples + [refusal]) { input in
            node.give(input)
            do {
                return try waiting {
                    // Each throws `ClientError` for what is of another form; a refusal is an answer, too.
                    _ = try? await client.post([[0]], waitForFinal: false)
                    _ = try? await client.searchAssets("x")
                    _ = try? await client.logBundle(0)
                    _ = try? await client.bundle(.header(height: 1, digest: nil))
                    _ = try await client.status()
                    return .same
                }
            } catch ClientError.refused {
                return .same
            } catch {
                return .refused
            }
        }
    }

    /// Whatever a line holds, an entry keeps the limits of records, and a code comes once.
    private static var catalogue: Subject {
        let examples = [
            #"{"id":"cn-a","name":{"zh":"甲","en":"A"},"description":{"zh":"说明","en":"Text"},"authority_level":"government","website":"https://a.cn","data_url":"https://a.cn/d","domains":["finance"],"tags":["t1"],"data_content":{"zh":["指数（月度）"],"en":["Index - monthly"]},"api_url":null}"#
        ]
        // A row of flags is one of letters that only its beginning tells apart.
        let flags = examples[0].replacing("t1", with: String(repeating: "🇨🇳", count: 8_000))
        return subject("catalogue", examples + [flags]) { input in
            var codes: Set<String> = []
            for case .success(let entry) in CatalogueReader.read(all: input) {
                let texts = entry.keywords + [entry.code]
                guard codes.insert(entry.code).inserted,
                    entry.keywords.count <= RecordLimits.keywordsMax,
                    texts.allSatisfy({ (1...RecordLimits.codeBytesMax).contains($0.utf8.count) }),
                    [entry.titleZh, entry.titleEn, entry.source].allSatisfy({
                        (1...RecordLimits.titleBytesMax).contains($0.utf8.count)
                    }), (1...RecordLimits.urlBytesMax).contains(entry.sourceURL.utf8.count)
                else { return .different }
            }
            return codes.isEmpty ? .refused : .same
        }
    }
}

/// Gives the same answer to every request.
private final class AnsweringNode: HTTPTransport {
    private let answer = Mutex(HTTPAnswer(status: 200, contentType: "", body: []))

    func give(_ input: [UInt8]) {
        let line = input.prefix { $0 != 0x0A }
        let status = Int(String(decoding: line, as: UTF8.self)) ?? 200
        let body = Array(input.dropFirst(line.count + 1))
        answer.withLock { $0 = HTTPAnswer(status: status, contentType: "", body: body) }
    }

    func perform(_ call: HTTPCall) async throws(ClientError) -> HTTPAnswer {
        answer.withLock { $0 }
    }
}
