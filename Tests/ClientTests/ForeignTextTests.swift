import Client
import Files
import Foundation
import LedgerCrypto
import LightClient
import Synchronization
import Testing

/// Nobody answers, for one reason.
private struct FailingTransport: HTTPTransport {
    let error: ClientError

    func perform(_ call: HTTPCall) async throws(ClientError) -> HTTPAnswer { throw error }
}

/// What is said of nodes that lie, fail or fall silent.
@Suite struct ForeignTextTests {
    private static let node = "http://127.0.0.1:1"

    private static func refusal(_ body: String, status: Int = 500) -> ClientError {
        HuijinClient.refusal(
            HTTPAnswer(status: status, contentType: "application/json", body: Array(body.utf8)),
            node: node)
    }

    private static func isChinese(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.value > 0x2E80 }
    }

    @Test func longTextsOfANodeAreCut() throws {
        let long = String(repeating: "x", count: 3_000_000)
        let error = Self.refusal(
            "{\"error\":{\"code\":\"\(long)\",\"messageEn\":\"\(long)\",\"messageZh\":\"\(long)\"}}"
        )
        #expect((1..<1_000).contains(error.english.utf8.count))
        #expect((1..<1_000).contains(error.chinese.utf8.count))
        #expect((error.code?.count ?? 0) < 100)
        let marks = String(repeating: "\u{1B}\u{301}", count: 100_000)
        #expect(marks.shortened().unicodeScalars.count <= ForeignText.charactersMax + 1)
        #expect(!marks.shortened().contains("\u{1B}"))
        #expect("短文".shortened() == "短文" && "12345".shortened(to: 4) == "1234…")
        #expect("1234".shortened(to: 4) == "1234" && "".shortened() == "")
        let nested: JSONValue = ["a": .list([.text(long), .unsigned(7)])]
        #expect(nested.shortened.encodedText.utf8.count < 1_000)
        #expect(nested.shortened["a"]?.list?.last == .unsigned(7))
    }

    @Test func aRefusalWithoutAReasonSaysItsStatusInBothLanguages() throws {
        let error = Self.refusal("{\"error\":{}}")
        #expect(error.english.contains("500") && error.chinese.contains("500"))
        #expect(Self.isChinese(error.chinese) && !Self.isChinese(error.english))
        let none = Self.refusal("", status: 502)
        #expect(none.english.contains("502") && none.chinese.contains("502"))
    }

    @Test func everyFaultHasItsReasonInBothLanguages() throws {
        let faults: [NetworkFault] = [
            .connectionRefused, .noRoute, .nameNotFound, .connectTimedOut, .answerTimedOut,
            .cutOff, .notHTTP, .tls(Bilingual("why", "原因")),
        ]
        var texts: Set<String> = []
        for fault in faults {
            let error = ClientError.unreachable(node: Self.node, reason: fault)
            #expect(Self.isChinese(error.chinese) && !Self.isChinese(error.english))
            #expect(error.english.contains(Self.node) && error.chinese.contains(Self.node))
            texts.formUnion([error.english, error.chinese])
        }
        #expect(texts.count == 2 * faults.count)
    }

    /// How a server fails, and what is made of it.
    @Test(.timeLimit(.minutes(1)))
    func whatAServerDoesIsCalledByItsName() async throws {
        func fault(_ server: StallingServer, _ base: String) async throws -> NetworkFault {
            defer { server.stop() }
            // No test waits for it to run out.
            let call = HTTPCall(base: base, path: "/", timeoutMs: 3_600_000)
            let error = await #expect(throws: ClientError.self) {
                try await NetworkTransport().perform(call)
            }
            guard case .unreachable(base, let fault) = error else {
                Issue.record("\(String(describing: error))")
                return .other("")
            }
            return fault
        }
        let half = try StallingServer(drips: false, hangsUp: true)
        #expect(try await fault(half, half.base) == .cutOff)
        let garbage = try StallingServer(drips: false, head: "garbage\r\n\r\n")
        #expect(try await fault(garbage, garbage.base) == .notHTTP)
        var found = NetworkFault.connectTimedOut
        // The library's own three seconds may pass on a machine that has much to do.
        while found == .connectTimedOut {
            let plain = try StallingServer(drips: false)
            found = try await fault(plain, plain.base.replacing("http:", with: "https:"))
        }
        guard case .tls(let reason) = found else {
            Issue.record("no TLS was spoken")
            return
        }
        #expect(!reason.english.contains("/") && Self.isChinese(reason.chinese))
    }

    @Test func aWatchersReasonHasTheLanguageOfItsHalf() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "huijin-reason-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (genesis, _) = try FailoverTests.genesis()
        let error = ClientError.unreachable(node: Self.node, reason: .connectionRefused)
        let claim = try FileClaim(folder.appending(path: "trust").path)
        var watch = try Watch(
            client: HuijinClient(
                nodes: [Self.node], genesis: genesis, transport: FailingTransport(error: error)),
            trust: claim, records: [], logs: [.rights])
        let told = Mutex<[FollowerAlert]>([])
        try await watch.look { alert, _ in told.withLock { $0.append(alert) } }
        let silent = try #require(
            told.withLock { $0 }.first { if case .silent = $0 { true } else { false } })
        let texts = silent.localTexts
        #expect(texts.english.hasSuffix(error.english) && !Self.isChinese(texts.english))
        #expect(texts.chinese.hasSuffix(error.chinese) && !texts.chinese.contains("refused"))
        #expect(silent.localJSON(evidence: nil).encodedText.contains(error.chinese))
    }

    @Test func nodesThatAreGivenTwiceAreNamedAndNotTheTrustFile() throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "huijin-twice-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (genesis, _) = try FailoverTests.genesis()
        let path = folder.appending(path: "trust").path
        let claim = try FileClaim(path)
        let client = try HuijinClient(nodes: [Self.node, Self.node + "/"], genesis: genesis)
        let error = #expect(throws: SetupError.self) {
            _ = try Watch(client: client, trust: claim, records: [], logs: [.rights])
        }
        #expect(error?.description.contains(Self.node) == true)
        #expect(error?.description.contains(path) == false)
        #expect(Watch.mistake(in: [Self.node]) == nil)
        #expect(Watch.mistake(in: (1...17).map { "http://127.0.0.1:\($0)" }) != nil)
        // Whoever has the file is no mistake in it.
        let used = #expect(throws: FileClaim.Problem.self) { _ = try FileClaim(path) }
        #expect(used.map { SetupError($0).isUnwritable } == true)
    }
}
