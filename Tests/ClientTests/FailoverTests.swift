import Client
import Encoding
import Foundation
import Glibc
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records
import Synchronization
import TestLedgers
import Testing

/// Answers as a script says, and remembers who was asked.
private final class ScriptedTransport: HTTPTransport {
    private let answers: @Sendable (HTTPCall, Int) throws(ClientError) -> HTTPAnswer
    private let calls = Mutex<[HTTPCall]>([])

    init(_ answers: @escaping @Sendable (HTTPCall, Int) throws(ClientError) -> HTTPAnswer) {
        self.answers = answers
    }

    var asked: [HTTPCall] { calls.withLock { $0 } }

    func perform(_ call: HTTPCall) async throws(ClientError) -> HTTPAnswer {
        let number = calls.withLock { calls in
            calls.append(call)
            return calls.count - 1
        }
        return try answers(call, number)
    }
}

private func json(_ text: String, status: Int = 200) -> HTTPAnswer {
    HTTPAnswer(status: status, contentType: "application/json", body: Array(text.utf8))
}

@Suite struct FailoverTests {
    private let first = "http://127.0.0.1:1"
    private let second = "http://127.0.0.1:2"

    static func genesis() throws -> (Genesis, SigningKey) {
        let key = SigningKey.generate(.ed25519SHA256)
        let voting = SigningKey.generate(.ed25519SHA256)
        let id = try #require(MemberID("TEST:1"))
        var builder = GenesisBuilder(suite: .ed25519SHA256)
        try builder.add(
            member: id, nameZh: "一", nameEn: "One", roles: [.governor],
            keys: [.init(key.publicKey, person: "p")])
        let set = try #require(
            ValidatorSet(
                epoch: 0,
                validators: [
                    Validator(member: id, votingKey: voting.publicKey, transportKey: [1])
                ]))
        let genesis = builder.genesis(
            name: "test", timeMs: 1, parameters: Parameters(), validators: set)
        return (genesis, key)
    }

    private func client(
        _ transport: ScriptedTransport, signing: Bool = false
    ) throws -> HuijinClient {
        let (genesis, key) = try FailoverTests.genesis()
        let id = try #require(MemberID("TEST:1"))
        // No test waits for it to run out: on a busy machine other tests may take the clock far ahead.
        var limits = HuijinClient.Limits()
        limits.patienceMs = 3_600_000
        return try HuijinClient(
            nodes: [first, second], genesis: genesis,
            identity: signing ? Identity(member: id, key: key) : nil, limits: limits,
            transport: transport)
    }

    @Test func goesToTheNextNodeAndStaysThere() async throws {
        let down = first
        let transport = ScriptedTransport { (call, _) throws(ClientError) in
            guard call.base != down else {
                throw .unreachable(node: call.base, reason: "refused")
            }
            return json("{\"height\":7}")
        }
        let client = try client(transport)
        #expect(try await client.status()["height"] == .unsigned(7))
        #expect(try await client.status()["height"] == .unsigned(7))
        #expect(transport.asked.map(\.base) == [first, second, second])
    }

    /// The library would try a refused connection again until the request's time is up.
    @Test func aPortWithoutAServerIsReportedAtOnce() async throws {
        let call = HTTPCall(base: "http://127.0.0.1:1", path: "/", timeoutMs: 3_600_000)
        let error = await #expect(throws: ClientError.self) {
            try await NetworkTransport().perform(call)
        }
        #expect(error == .unreachable(node: call.base, reason: .connectionRefused))
    }

    /// A refusal is one node's word: another that answers is believed for its proof, and where none does it is the reason.
    @Test(arguments: [400, 401, 403, 404, 410, 413, 429, 500])
    func aRefusalOfOneNodeIsNotTheLedgers(_ status: Int) async throws {
        let liar = first
        for body in ["{\"error\":{\"code\":\"not-permitted\"}}", "{\"error\":\"forbidden\"}", ""] {
            let transport = ScriptedTransport { (call, _) throws(ClientError) in
                call.base == liar ? json(body, status: status) : json("{\"a\":1}")
            }
            #expect(try await client(transport).json("/v1/x")["a"] == .unsigned(1))
            #expect(transport.asked.map(\.base) == [first, second])
        }
    }

    /// Who waits until something is there does not wait for a node that is not ready as well.
    @Test func whatIsNotThereIsSaidThoughAnotherNodeLags() async throws {
        let (ready, status) = (first, 404)
        let transport = ScriptedTransport { (call, _) throws(ClientError) in
            call.base == ready
                ? json("{\"error\":{\"code\":\"not-found\"}}", status: status)
                : json("{\"error\":{\"code\":\"index-behind\"}}", status: 503)
        }
        let error = await #expect(throws: ClientError.self) {
            try await client(transport).json("/v1/x")
        }
        #expect(error?.code == "not-found" && transport.asked.map(\.base) == [first, second])
    }

    @Test func aRefusalIsTheReasonWhereNoNodeAnswers() async throws {
        let refusing = first
        let transport = ScriptedTransport { (call, _) throws(ClientError) in
            guard call.base == refusing else {
                throw .badAnswer(node: call.base, what: Bilingual("nothing", "无"))
            }
            return json(
                "{\"error\":{\"code\":\"not-permitted\",\"messageEn\":\"no\",\"messageZh\":\"不\"}}",
                status: 403)
        }
        let client = try client(transport)
        await #expect(
            throws: ClientError.refused(
                node: first, status: 403, code: "not-permitted", english: "no", chinese: "不")
        ) { try await client.status() }
        #expect(transport.asked.count == 2)
    }

    @Test func waitsForAnIndexThatIsBehind() async throws {
        let transport = ScriptedTransport { (_, number) throws(ClientError) in
            number < 4
                ? json("{\"error\":{\"code\":\"index-behind\"}}", status: 503) : json("{\"a\":1}")
        }
        let client = try client(transport)
        #expect(try await client.json("/v1/x")["a"] == .unsigned(1))
        #expect(transport.asked.count == 5)
    }

    /// A node that joined by a snapshot does not know what is older; another may.
    @Test(arguments: [(404, "not-found-here"), (410, "not-held")])
    func whatANodeDoesNotHoldAnotherIsAskedFor(_ status: Int, _ code: String) async throws {
        let newcomer = first
        let refusal = json("{\"error\":{\"code\":\"\(code)\"}}", status: status)
        let transport = ScriptedTransport { (call, _) throws(ClientError) in
            call.base == newcomer ? refusal : json("{\"a\":1}")
        }
        #expect(try await client(transport).json("/v1/x")["a"] == .unsigned(1))
        #expect(transport.asked.map(\.base) == [first, second])
        // Where nobody else is up, that is the answer.
        let alone = ScriptedTransport { (call, _) throws(ClientError) in
            guard call.base == newcomer else {
                throw .unreachable(node: call.base, reason: "refused")
            }
            return refusal
        }
        let error = await #expect(throws: ClientError.self) {
            try await client(alone).json("/v1/x")
        }
        #expect(error?.code == code)
        // Where the other only lags, it is asked again.
        let lagging = ScriptedTransport { (call, number) throws(ClientError) in
            if call.base == newcomer { return refusal }
            return number < 4
                ? json("{\"error\":{\"code\":\"index-behind\"}}", status: 503) : json("{\"a\":2}")
        }
        #expect(try await client(lagging).json("/v1/x")["a"] == .unsigned(2))
    }

    /// A node that is to join is compared with whoever of the others is furthest, and not with itself.
    @Test func theGreatestHeightOfTheOthers() async throws {
        let genesis = try Self.genesis().0
        func status(_ height: String, of chain: String? = nil) -> String {
            "{\"chain\":\"\(chain ?? genesis.chain.hex)\"\(height)}"
        }
        func client(_ heights: [String: String]) throws -> HuijinClient {
            let transport = ScriptedTransport { (call, _) throws(ClientError) in
                guard let status = heights[call.base] else {
                    throw .unreachable(node: call.base, reason: "refused")
                }
                return json(status)
            }
            return try HuijinClient(
                nodes: [first, second, "http://127.0.0.1:3"], genesis: genesis,
                transport: transport)
        }
        let heights = [first: status(",\"height\":900"), second: status(",\"height\":7")]
        let furthest = try await client(heights).statedHeight(without: "http://127.0.0.1:3")
        #expect(furthest.height == 900 && furthest.node == first)
        #expect(try await client(heights).statedHeight(without: first).height == 7)
        // No height, one that no ledger reaches, and another ledger's: as if it had not answered.
        for nonsense in [
            status(""), status(",\"height\":18446744073709551615"),
            status(",\"height\":8", of: "00"),
        ] {
            let heights = [first: nonsense, second: status(",\"height\":7")]
            #expect(try await client(heights).statedHeight(without: "x").height == 7)
            await #expect(throws: ClientError.self) {
                _ = try await client([first: nonsense]).statedHeight(without: second)
            }
        }
        let alone = try HuijinClient(nodes: [first], genesis: Self.genesis().0)
        await #expect(throws: ClientError.self) {
            _ = try await alone.statedHeight(without: first)
        }
    }

    /// The order in which nodes are asked says nothing about which of them will do.
    @Test func aNodeThatLagsIsAskedAgainThoughTheNextDoesNotHoldIt() async throws {
        let lagging = first
        let transport = ScriptedTransport { (call, number) throws(ClientError) in
            guard call.base == lagging else {
                return json("{\"error\":{\"code\":\"not-found-here\"}}", status: 404)
            }
            return number < 4
                ? json("{\"error\":{\"code\":\"index-behind\"}}", status: 503) : json("{\"a\":1}")
        }
        #expect(try await client(transport).json("/v1/x")["a"] == .unsigned(1))
    }

    /// A node that catches up takes no transactions; refusals that differ are of the transactions, not of the node.
    @Test func aNodeThatTakesNoTransactionsIsPassedOver() async throws {
        func results(_ codes: [OutcomeCode]) -> HTTPAnswer {
            let list = codes.map { "{\"status\":\"refused\",\"code\":\($0.rawValue)}" }
            return json("{\"results\":[\(list.joined(separator: ","))]}")
        }
        let catchingUp = first
        let other = results([.expired, .unavailable])
        let none = results([.unavailable, .unavailable])
        let transport = ScriptedTransport { (call, _) throws(ClientError) in
            call.base == catchingUp ? none : other
        }
        let codes = try await client(transport).post([[1], [2]]).map(\.code)
        #expect(codes == [.expired, .unavailable])
        #expect(transport.asked.map(\.base) == [first, second])
        let error = await #expect(throws: ClientError.self) {
            try await client(ScriptedTransport { (_, _) throws(ClientError) in none })
                .post([[1], [2]])
        }
        #expect(error?.code == "unavailable")
    }

    /// A server that says what is to come and then, a byte at a time or not at all, does not end.
    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func anAnswerThatDoesNotEndIsGivenUp(_ drips: Bool) async throws {
        let server = try StallingServer(drips: drips)
        defer { server.stop() }
        let call = HTTPCall(base: server.base, path: "/", timeoutMs: 300)
        let error = await #expect(throws: ClientError.self) {
            try await NetworkTransport().perform(call)
        }
        #expect(error == .unreachable(node: call.base, reason: .answerTimedOut))
    }

    @Test(arguments: ["", "{", "[]", "{\"results\":[]}", "{\"results\":[{\"status\":\"maybe\"}]}"])
    func aResultOfAnotherFormIsNotTrusted(_ body: String) async throws {
        let client = try client(
            ScriptedTransport { (_, _) throws(ClientError) in json(body) }, signing: true)
        await #expect(throws: ClientError.self) { try await client.post([[1]]) }
    }

    @Test func bytesThatProveNothingAreRefused() async throws {
        let client = try client(
            ScriptedTransport { (_, _) throws(ClientError) in
                HTTPAnswer(status: 200, contentType: "application/cbor", body: [0x80])
            })
        let id = try #require(MemberID("TEST:1"))
        let error = await #expect(throws: ClientError.self) { try await client.member(id) }
        guard case .notProven? = error else {
            Issue.record("expected a missing proof, got \(String(describing: error))")
            return
        }
    }

    @Test func everyRequestIsSignedForItsOwnPath() async throws {
        let transport = ScriptedTransport { (_, _) throws(ClientError) in json("{\"assets\":[]}") }
        let client = try client(transport, signing: true)
        _ = try await client.searchAssets("气象 a/b")
        let call = try #require(transport.asked.first)
        #expect(call.path == "/v1/assets?query=%E6%B0%94%E8%B1%A1%20a%2Fb&limit=50")
        let header = try #require(call.headers.first { $0.name == "Authorization" }?.value)
        let token = try RequestToken(header: header, chain: client.chain, suite: client.suite)
        #expect(token.path == call.path && token.method == "GET")
    }

    @Test func withoutAnIdentityNothingIsSigned() async throws {
        let client = try client(
            ScriptedTransport { (_, _) throws(ClientError) in json("{\"height\":1}") })
        let body = RecordEvidence.example
        await #expect(throws: ClientError.noIdentity) { try await client.submit(body) }
    }

    @Test func aHeightThatNoLedgerReachesIsRefused() async throws {
        let transport = ScriptedTransport { (_, _) throws(ClientError) in
            json("{\"height\":18446744073709551615}")
        }
        let client = try client(transport, signing: true)
        let error = await #expect(throws: ClientError.self) {
            try await client.submit(RecordEvidence.example)
        }
        guard case .badAnswer? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// Whoever has the keys of an epoch that is over can certify anything with any time, but nothing that goes on from what is trusted.
    @Test func keysOfAnEndedEpochProveNothingBesideWhatIsTrusted() async throws {
        var fork = Fork(.ed25519SHA256)
        fork.left.grow(3)
        fork.left.changeEpoch(to: (0..<4).map { TestChain.key(.ed25519SHA256, 200 + $0) })
        fork.left.grow(2)
        fork.right.grow(1)
        let newest = fork.left.certified(fork.left.newest)
        guard
            case .trusted(let trust, _) = try fork.trust.advance(
                to: newest, epochChanges: fork.left.epochChanges() ?? [])
        else {
            Issue.record("it is trusted")
            return
        }
        let question = EvidenceQuestion.header(height: 2, digest: nil)
        let forged = try EvidenceBundle.answering([question], from: fork.right).encoded
        let transport = ScriptedTransport { (_, _) throws(ClientError) in
            HTTPAnswer(status: 200, contentType: "application/cbor", body: forged)
        }
        var limits = HuijinClient.Limits()
        limits.freshnessMs = .max
        limits.patienceMs = 0
        let unwary = try HuijinClient(
            nodes: [first], genesis: fork.common.genesis, limits: limits, transport: transport)
        _ = try await unwary.bundle([question])
        let client = try HuijinClient(
            nodes: [first], genesis: fork.common.genesis, trust: trust, limits: limits,
            transport: transport)
        let error = await #expect(throws: ClientError.self) { try await client.bundle([question]) }
        guard case .behind? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func refusesAKeyOfAnotherSuite() throws {
        let (genesis, _) = try FailoverTests.genesis()
        let id = try #require(MemberID("TEST:1"))
        #expect(throws: ClientError.self) {
            try HuijinClient(
                nodes: [first], genesis: genesis,
                identity: Identity(member: id, key: .generate(.sm2SM3)))
        }
    }
}
