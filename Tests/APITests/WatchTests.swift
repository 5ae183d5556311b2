import Client
import Encoding
import Files
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Market
import Node
import Records
import Storage
import Synchronization
import Testing

@testable import API

/// A node that lies about what its ledger holds, over its own real API.
private final class LyingNode: LedgerNode {
    enum Lie {
        case none
        /// The values of records, each by one bit of its salt.
        case values
        /// The signatures under the newest header.
        case signatures
        /// The first state that it was asked for, for ever.
        case oldState
    }

    private let real: HuijinNode
    private let lie: Lie
    private let old = Mutex<CertifiedState?>(nil)

    init(_ real: HuijinNode, _ lie: Lie) {
        self.real = real
        self.lie = lie
    }

    var genesis: Genesis { real.genesis }
    func checkpoint(height: UInt64?) -> CosignedCheckpoint? { real.checkpoint(height: height) }

    func submit(
        _ envelopes: [[UInt8]], wait: SubmissionWait, timeoutMs: UInt64
    ) async -> [SubmissionResult] {
        await real.submit(envelopes, wait: wait, timeoutMs: timeoutMs)
    }

    func certifiedState(_ keys: [Digest]) async throws -> CertifiedState {
        let state = try await real.certifiedState(keys)
        switch lie {
        case .none: return state
        case .values:
            let items = state.items.map { item in
                var value = item.value
                value?[2] ^= 1
                return CertifiedState.Item(value: value, proof: item.proof)
            }
            return CertifiedState(
                header: state.header, finalization: state.finalization, items: items)
        case .signatures:
            let forged = state.finalization.map { certificate in
                Certificate(
                    statement: certificate.statement,
                    signatures: certificate.signatures.map { signature in
                        CertificateSignature(
                            validator: signature.validator,
                            signature: signature.signature.reversed())
                    })
            }
            return CertifiedState(
                header: state.header, finalization: forged, items: state.items)
        case .oldState:
            return old.withLock { old in
                if old == nil { old = state }
                let first = old ?? state
                return CertifiedState(
                    header: first.header, finalization: first.finalization, items: state.items)
            }
        }
    }

    func history<Value: Sendable>(
        _ body: @escaping @Sendable (ArchiveReader) throws -> Value
    ) async throws -> Value {
        try await real.history(body)
    }

    func status() async -> LedgerStatus { await real.status() }
    func metrics() async -> String { await real.metrics() }
}

/// The live client over real HTTP: an honest node, a lying one beside it, and files that outlive the program.
@Suite(.serialized, .timeLimit(.minutes(1))) struct WatchTests {
    private struct Told {
        let alert: FollowerAlert
        let evidence: String?
    }

    private static func watch(
        _ market: Market1, _ nodes: [String], _ asset: Digest, _ trust: FileClaim
    ) throws -> Watch {
        var limits = Follower.Limits()
        // Nodes of one machine: behind by a few blocks is behind.
        limits.behindMs = 0
        let record = try #require(WatchedRecord(type: .asset, id: [.bytes(asset.bytes)]))
        return try Watch(
            client: market.client(nil, nodes: nodes),
            trust: trust,
            records: [record], logs: [.rights], limits: limits)
    }

    private static func claim(_ market: Market1) throws -> FileClaim {
        try FileClaim(market.folder.appending(path: "trust.cbor").path)
    }

    private static func look(_ watch: inout Watch) async throws -> [Told] {
        let told = Mutex<[Told]>([])
        try await watch.look { alert, evidence in
            told.withLock { $0.append(Told(alert: alert, evidence: evidence)) }
        }
        return told.withLock { $0 }
    }

    private static func kinds(_ told: [Told]) -> [EventKind] {
        told.compactMap { if case .event(_, let event) = $0.alert { event.kind } else { nil } }
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func whatHappensIsToldOnceAcrossRuns(_ suite: LedgerCrypto.Suite) async throws {
        try await Market1.with(suite: suite) { market in
            let provider = try market.client(.provider)
            let asset = AssetRecord.id(
                provider: Market1.id(.provider), code: "watched", suite: suite)
            try accepted(try await provider.submit(AssetRegister.sample(code: "first")))
            let trust = try Self.claim(market)
            var watch = try Self.watch(market, [market.base], asset, trust)
            let first = try await Self.look(&watch)
            #expect(first.map(\.alert.topic) == [.record])
            try accepted(try await provider.submit(AssetRegister.sample(code: "watched")))
            let freeze = AssetFreeze(
                asset: asset, office: .regulator, reason: .investigation,
                referenceCommitment: AssetFreeze.example.referenceCommitment)
            try accepted(try await market.client(.regulator).submit(freeze))
            let second = try await Self.look(&watch)
            #expect(
                Self.kinds(second) == [.transaction(.assetRegister), .transaction(.assetFreeze)])
            #expect(second.map(\.alert.topic).contains(.freeze))
            // Another run goes on from the files, and tells nothing twice.
            try accepted(
                try await market.client(.regulator).submit(
                    AssetUnfreeze(
                        asset: asset, office: .regulator,
                        referenceCommitment: AssetUnfreeze.example.referenceCommitment)))
            var again = try Self.watch(market, [market.base], asset, trust)
            #expect(again.follower.trust == watch.follower.trust)
            #expect(again.follower.watched == watch.follower.watched)
            #expect(
                Self.kinds(try await Self.look(&again)) == [.transaction(.assetUnfreeze)])
        }
    }

    @Test(arguments: [LyingNode.Lie.values, .signatures, .oldState])
    fileprivate func aLyingNodeIsNamedAndDoesNoHarm(_ lie: LyingNode.Lie) async throws {
        // No block between two questions makes the honest node's answer an old one.
        try await Market1.with(parameters: Market1.blocksComeWithTransactionsAlone) { market in
            let provider = try market.client(.provider)
            try accepted(try await provider.submit(AssetRegister.sample(code: "watched")))
            let asset = AssetRecord.id(
                provider: Market1.id(.provider), code: "watched", suite: market.genesis.suite)
            let (port, serving) = try await Market1.serve(LyingNode(market.node, lie))
            defer { serving.cancel() }
            let liar = "http://127.0.0.1:\(port)"
            let trust = try Self.claim(market)
            var watch = try Self.watch(market, [liar, market.base], asset, trust)
            var told = try await Self.look(&watch)
            try accepted(
                try await market.client(.regulator).submit(
                    AssetFreeze(
                        asset: asset, office: .regulator, reason: .courtOrder,
                        referenceCommitment: AssetFreeze.example.referenceCommitment)))
            told += try await Self.look(&watch)
            #expect(Self.kinds(told) == [.transaction(.assetFreeze)])
            guard case .asset(let record)? = watch.follower.watched.records[0].record else {
                Issue.record("the asset is known")
                return
            }
            #expect(record.status == .frozen)
            let accused = told.compactMap { told -> (String, AlertTopic, String?)? in
                switch told.alert {
                case .refused(let name, _, _), .behind(let name, _, _), .silent(let name, _):
                    (name, told.alert.topic, told.evidence)
                default: nil
                }
            }
            #expect(!accused.isEmpty && accused.allSatisfy { $0.0 == liar }, "\(told)")
            guard lie != .oldState else { return }
            let path = try #require(accused.compactMap(\.2).first)
            let evidence = [UInt8](try Data(contentsOf: URL(filePath: path)))
            let problem = #expect(throws: EvidenceProblem.self) {
                try Verifier(genesis: market.genesis).verify(evidence)
            }
            #expect(problem?.standing == .provenFalse)
        }
    }

    @Test func whatMayNotBeReadIsToldAndHoldsNothingUp() async throws {
        try await Market1.with { market in
            let provider = try market.client(.provider)
            try accepted(try await provider.submit(AssetRegister.sample(code: "watched")))
            let asset = AssetRecord.id(
                provider: Market1.id(.provider), code: "watched", suite: market.genesis.suite)
            let records = [
                WatchedRecord(type: .asset, id: [.bytes(asset.bytes)]),
                WatchedRecord(
                    type: .account,
                    id: [.text(Market1.id(.provider).text), .text(Market1.id(.bank).text)]),
            ].compactMap { $0 }
            var watch = try Watch(
                client: market.client(nil),
                trust: Self.claim(market), records: records,
                logs: [.rights])
            let told = try await Self.look(&watch)
            #expect(told.map(\.alert.topic) == [.unreadableRecord, .record])
            #expect(watch.follower.trust.newest != nil)
        }
    }

    @Test func eventsAreForThoseWhoMayReadThem() async throws {
        try await Market1.with { market in
            let provider = try market.client(.provider)
            try accepted(try await provider.submit(AssetRegister.sample(code: "watched")))
            let asset = AssetRecord.id(
                provider: Market1.id(.provider), code: "watched", suite: market.genesis.suite)
            let path = "/v1/assets/\(asset.hex)/events"
            let good = try await market.ask(path + "?from=0&to=1")
            #expect(good.status == 200)
            let leaves = try EventLeaves.decode(good.body)
            #expect(try leaves.leaves.map { try AssetEvent.decode($0).index } == [0])
            for (query, code) in [
                ("?from=1&to=1", "bad-query"), ("?from=0&to=5000", "bad-query"),
                ("?log=x&from=0&to=1", "bad-query"), ("", "bad-query"), ("?from=0", "bad-query"),
                ("?to=1", "bad-query"), ("?from=0&to=2", "beyond-log"),
                ("?from=1&to=2", "beyond-log"), ("?from=7&to=9", "beyond-log"),
                ("?log=trades&from=0&to=1", "needs-identity"),
            ] {
                #expect(market.code(try await market.ask(path + query)) == code, "\(query)")
            }
            let beyond = try await market.ask(path + "?from=0&to=99")
            let message = try JSONValue.parse(beyond.body)["error"]?["messageEn"]?.text
            #expect(beyond.status == 404 && message?.contains("has 1 event") == true)
            let zeros = String(repeating: "0", count: 64)
            #expect(try await market.ask("/v1/assets/\(zeros)/events?from=0&to=1").status == 404)
        }
    }

    @Test func postedQuestionsAreBounded() async throws {
        try await Market1.with { market in
            _ = try await market.client(.provider).submit(AssetRegister.sample(code: "x"))
            let question = EvidenceQuestion.header(height: 1, digest: nil)
            let good = try await market.ask(
                "/v1/bundle?epochs=0", method: "POST", body: QuestionList([question]).encoded)
            let answer = try Verifier(genesis: market.genesis).verify(good.body, asked: [question])
            #expect(answer.questions == [question])
            for body in [[], [0x80], [0xFF], [0x81, 0x01]] as [[UInt8]] {
                let bad = try await market.ask("/v1/bundle", method: "POST", body: body)
                #expect(bad.status == 400 && market.code(bad) == "undecodable", "\(body)")
            }
            let large = [UInt8](repeating: 0x41, count: 70_000)
            #expect(try await market.ask("/v1/bundle", method: "POST", body: large).status == 413)
            #expect(try await market.ask("/v1/checkpoint/bundle?epochs=x").status == 400)
        }
    }
}
