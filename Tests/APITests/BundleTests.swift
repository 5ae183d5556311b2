import Client
import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records
import Testing

@testable import API

/// `POST /v1/bundle`: any questions at one header.
@Suite(.serialized, .timeLimit(.minutes(1))) struct BundleTests {
    /// Registers what the provider processes itself, made from `parent` if that is given.
    private func register(
        _ code: String, from parent: Digest?, on market: Market1
    ) async throws -> Digest {
        let provider = try market.client(.provider)
        if let parent {
            let raw = AssetRegister.example
            let claim = AssetRegister(
                code: code, titleZh: "衍生\(code)", titleEn: "Derived \(code)", keywords: [],
                columns: raw.columns, entityKey: raw.entityKey, rowCount: 3,
                dataCommitment: raw.dataCommitment, source: "own", sourceURL: "",
                ownerClass: .enterprise, level: .product, grade: .general, rights: [.processing])
            let pin = ParentPin(try #require(try await provider.asset(parent).value))
            try accepted(
                try await provider.submit(AssetDerive(claim: claim, parents: [pin])))
        } else {
            try accepted(try await provider.submit(AssetRegister.sample(code: code)))
        }
        let asset = AssetRecord.id(
            provider: Market1.id(.provider), code: code, suite: market.genesis.suite)
        try accepted(
            try await market.client(.registrar).submit(
                AssetApprove(asset: asset, reviewCommitment: .zero)))
        return asset
    }

    /// What is asked twice is answered once, and counts once.
    @Test func aQuestionThatIsRepeatedCostsNoMore() async throws {
        var limits = APILimits()
        limits.bundleEventsMax = 1
        try await Market1.with(limits: limits) { market in
            let provider = try market.client(.provider)
            try accepted(try await provider.submit(AssetRegister.sample(code: "once")))
            let asset = AssetRecord.id(
                provider: Market1.id(.provider), code: "once", suite: market.genesis.suite)
            let question = EvidenceQuestion.assetHistory(asset: asset, logs: [.rights])
            for count in [1, 256] {
                let answer = try await market.ask(
                    "/v1/bundle", method: "POST",
                    body: QuestionList(Array(repeating: question, count: count)).encoded)
                #expect(answer.status == 200, "\(market.code(answer) ?? "")")
            }
        }
    }

    /// What lies further back than one bundle follows is named as unproven, and the bundle is made all the same.
    @Test func aDeepLineIsProvenAsFarAsOneBundleFollowsIt() async throws {
        var limits = APILimits()
        limits.ancestorGenerationsMax = 3
        try await Market1.with(limits: limits) { market in
            var line = [try await register("source", from: nil, on: market)]
            for number in 1...5 {
                line.append(try await register("\(number)", from: line[number - 1], on: market))
            }
            let client = try market.client(nil)
            for (start, ancestors) in [(5, 3), (3, 3), (1, 1)] {
                let question = EvidenceQuestion.assetHistory(asset: line[start], logs: [.rights])
                let answer = try await client.bundle([question], withAncestors: true).answer
                #expect(answer.histories.count == 1 + ancestors)
                let unproven = answer.histories.flatMap(\.parents).filter { !$0.isIncluded }
                let first = start - ancestors
                #expect(unproven.map(\.asset) == (first == 0 ? [] : [line[first - 1]]))
            }
        }
    }

    /// More questions than went into a path, and the token is good for these alone.
    @Test func aTokenIsForItsQuestions() async throws {
        try await Market1.with { market in
            let client = try market.client(.bank)
            // The longest list that a node takes: of absent records, since heights take time to grow.
            let questions = (1...EvidenceLimits.questionsMax).map { number in
                EvidenceQuestion.record(
                    type: .asset,
                    id: [.bytes(market.genesis.suite.digest([UInt8(number & 255)]).bytes)])
            }
            #expect(try await client.bundle(questions).answer.questions.count == questions.count)

            let secret = EvidenceQuestion.record(
                type: .bank, id: [.text(Market1.id(.bank).text)])
            let bodies = [questions, [secret]].map { QuestionList($0).encoded }
            func ask(_ digest: Digest?, _ body: [UInt8]) async throws -> HTTPAnswer {
                let path = "/v1/bundle" + (digest.map { "?digest=\($0.hex)" } ?? "")
                return try await market.ask(
                    path, method: "POST",
                    headers: [market.token(market.key(.bank), path, method: "POST")], body: body)
            }
            let digests = bodies.map { market.genesis.suite.digest($0) }
            #expect(try await ask(digests[1], bodies[1]).status == 200)
            for digest in [digests[0], nil] {
                #expect(market.code(try await ask(digest, bodies[1])) == "token-other-request")
            }
            let anonymous = try await market.ask("/v1/bundle", method: "POST", body: bodies[1])
            #expect(market.code(anonymous) == "needs-identity")
            #expect(try await market.ask("/v1/bundle?questions=gA").status == 405)
        }
    }
}
