import Client
import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records
import Synchronization
import Testing

/// A node between the client and the real one that changes answers.
private final class LyingTransport: HTTPTransport {
    private let change: @Sendable (HTTPCall, HTTPAnswer) -> HTTPAnswer
    private let real = NetworkTransport()

    init(_ change: @escaping @Sendable (HTTPCall, HTTPAnswer) -> HTTPAnswer) {
        self.change = change
    }

    func perform(_ call: HTTPCall) async throws(ClientError) -> HTTPAnswer {
        change(call, try await real.perform(call))
    }
}

/// Nothing that money or rights depend on is believed without proof.
@Suite(.timeLimit(.minutes(2))) struct LyingNodeTests {
    /// Long enough for a busy machine, short enough to see patience end.
    private func quick() -> HuijinClient.Limits {
        var limits = HuijinClient.Limits()
        limits.patienceMs = 2_000
        return limits
    }

    @Test func aChangedBundleIsRefusedWhereverItIsChanged() async throws {
        try await Market1.with { market in
            let id = Market1.id(.provider)
            let good = try await market.client(nil).bundle(
                .record(type: .member, id: [.text(id.text)]))
            for place in stride(from: 0, to: good.bytes.count, by: 7) {
                let liar = LyingTransport { _, answer in
                    var changed = answer
                    guard answer.status == 200, place < changed.body.count else { return answer }
                    changed.body[place] ^= 0x10
                    return changed
                }
                let client = try market.client(nil, transport: liar, limits: quick())
                let error = await #expect(throws: ClientError.self) { try await client.member(id) }
                guard case .notProven? = error else {
                    Issue.record("byte \(place): \(String(describing: error))")
                    return
                }
            }
        }
    }

    @Test func aStatedOutcomeIsReplacedByTheProvenOne() async throws {
        try await Market1.with { market in
            let liar = LyingTransport { call, answer in
                guard call.path.hasPrefix("/v1/transactions") else { return answer }
                var changed = answer
                let text = String(decoding: answer.body, as: UTF8.self)
                    .replacing(/"code":\d+/, with: "\"code\":0")
                changed.body = Array(text.utf8)
                return changed
            }
            let client = try market.client(.buyer, transport: liar)
            let answer = try await client.submit(AssetRegister.sample(code: "x"))
            #expect(answer.code == .notPermitted)
        }
    }

    @Test func anotherRecordsProofIsNoAnswer() async throws {
        try await Market1.with { market in
            let other = try await market.client(nil).bundle(
                .record(type: .member, id: [.text(Market1.id(.bank).text)]))
            let liar = LyingTransport { _, answer in
                guard answer.status == 200 else { return answer }
                var changed = answer
                changed.body = other.bytes
                return changed
            }
            let client = try market.client(nil, transport: liar, limits: quick())
            await #expect(throws: ClientError.self) {
                try await client.member(Market1.id(.provider))
            }
        }
    }

    /// A node without a final block has nothing to prove, and the clients below have no patience.
    private func hasBegun(_ market: Market1) async throws {
        _ = try await market.client(nil).member(Market1.id(.bank))
    }

    @Test func anOldProofIsNotBelievedOnceANewerOneWasSeen() async throws {
        try await Market1.with { market in
            try await hasBegun(market)
            let kept = Mutex<[String: [UInt8]]>([:])
            let replay = LyingTransport { call, answer in
                // A node that is not ready yet says so; only a proof can be an old one.
                guard call.path.contains("/v1/bundle"), answer.status == 200 else { return answer }
                var changed = answer
                changed.body = kept.withLock { old in
                    if old[call.path] == nil { old[call.path] = answer.body }
                    return old[call.path] ?? []
                }
                return changed
            }
            let client = try market.client(.provider, transport: replay, limits: quick())
            let id = Market1.id(.provider)
            #expect(try await client.member(id).value != nil)
            try accepted(try await client.submit(AssetRegister.sample(code: "later")))
            let error = await #expect(throws: ClientError.self) { try await client.member(id) }
            guard case .behind? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test func anOldStateIsNotFresh() async throws {
        try await Market1.with { market in
            try await hasBegun(market)
            var limits = quick()
            limits.freshnessMs = 0
            let slow = LyingTransport { _, answer in answer }
            let client = try market.client(nil, transport: slow, limits: limits)
            let error = await #expect(throws: ClientError.self) {
                try await client.member(Market1.id(.bank))
            }
            guard case .stale? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test func absenceIsProvenToo() async throws {
        try await Market1.with { market in
            let nobody = try #require(MemberID("NOBODY:1"))
            let found = try await market.client(nil).member(nobody)
            #expect(found.value == nil && found.height > 0)
        }
    }
}
