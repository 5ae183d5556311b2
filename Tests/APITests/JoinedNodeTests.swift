import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Market
import Node
import Records
import Testing

@testable import API

/// A node that joined by a snapshot answers for what it holds as one that was always there, and says what it does not hold.
@Suite(.serialized, .timeLimit(.minutes(3))) struct JoinedNodeTests {
    /// What happened on the ledger, by where it lies for the node that joined.
    private struct Past {
        /// Below the blocks that came with the snapshot.
        var old: SubmissionAnswer
        var oldRefusal: SubmissionAnswer
        /// In a block that came with the snapshot, and was not executed there.
        var held: SubmissionAnswer
        /// Executed by the node itself.
        var new: SubmissionAnswer
        /// Registered under the old code and approved by a transaction that the node executed.
        var approval: SubmissionAnswer
    }

    private static func asset(_ code: String) -> Digest {
        AssetRecord.id(provider: Market1.id(.provider), code: code, suite: .ed25519SHA256)
    }

    private func register(_ code: String, _ client: HuijinClient) async throws -> SubmissionAnswer {
        let answer = try await client.submit(
            AssetRegister.sample(code: code, titleEn: "Weather \(code)"))
        try accepted(answer)
        return answer
    }

    /// Runs `body` with a market, its node that joined, and what lies where.
    private func joined(
        _ body: (Market1, _ base: String, Past) async throws -> Void
    ) async throws {
        let joiner = try Joiner()
        try await Market1.with(parameters: joiner.edit, configuration: joiner.edit) { market in
            let provider = try market.client(.provider)
            let old = try await register("old", provider)
            let refusal = try await market.client(.buyer).submit(AssetRegister.sample(code: "no"))
            try await grow(market, to: Joiner.snapshotEveryBlocks - 6)
            let held = try await register("held", provider)
            try await grow(market, to: Joiner.snapshotEveryBlocks + 2)
            await joiner.waitForSnapshot(of: market.node)
            try await joiner.join(market) { node, base in
                let new = try await register("new", market.client(.provider, nodes: [base]))
                let approval = try await market.client(.registrar, nodes: [base]).submit(
                    AssetApprove(asset: Self.asset("old"), reviewCommitment: .zero))
                try accepted(approval)
                let past = Past(
                    old: old, oldRefusal: refusal, held: held, new: new, approval: approval)
                let first = node.status.firstHeight
                let heights = [old, refusal, held, new].compactMap(\.height)
                let executedFrom = try await node.history { (view: ArchiveView) in
                    view.reader.base.map { $0.joinedHeight + 1 }
                }
                let executed = try #require(executedFrom)
                // Else the test would not show what it is for.
                try #require(heights.count == 4 && heights[1] < first && first <= heights[2])
                try #require(heights[2] < executed && executed <= heights[3])
                try await body(market, base, past)
            }
        }
    }

    private func grow(_ market: Market1, to height: UInt64) async throws {
        let provider = try market.client(.provider)
        while market.height < height {
            let envelope = try provider.sign(RecordEvidence.example, atHeight: market.height)
            let answer = try await provider.post([envelope.bytes])[0]
            try #require(answer.isAccepted)
        }
    }

    /// Both nodes' answers.
    private func both(
        _ market: Market1, _ base: String, _ path: String, accept: String = "application/json"
    ) async throws -> (joined: HTTPAnswer, validator: HTTPAnswer) {
        let headers = [(name: "Accept", value: accept)]
        return (
            try await market.ask(path, node: base, headers: headers),
            try await market.ask(path, headers: headers)
        )
    }

    @Test func headersAndTransactions() async throws {
        try await joined { market, base, past in
            let status = try JSONValue.parse(try await market.ask("/v1/status", node: base).body)
            let first = try #require(status["firstHeight"]?.unsigned)
            let height = try #require(status["height"]?.unsigned)
            let whole = try JSONValue.parse(try await market.ask("/v1/status").body)
            #expect(whole["firstHeight"]?.unsigned == 0)
            #expect(whole["contradictedAt"] == .null)
            let metrics = try await market.ask("/metrics", node: base)
            let line = "\nhuijin_first_height \(first)\n"
            #expect(String(decoding: metrics.body, as: UTF8.self).contains(line))

            let oldHeight = try #require(past.old.height)
            for below in [0, 1, oldHeight, first - 1] as [UInt64] {
                let (joined, validator) = try await both(market, base, "/v1/headers/\(below)")
                #expect(joined.status == 410 && market.code(joined) == "not-held", "\(below)")
                let english = try JSONValue.parse(joined.body)["error"]?["messageEn"]?.text
                #expect(english?.contains("from height \(first) on") == true)
                #expect(validator.status == 200)
            }
            let later = [past.held, past.new].compactMap(\.height)
            for held in [first] + later {
                for accept in ["application/json", "application/cbor"] {
                    let (joined, validator) = try await both(
                        market, base, "/v1/headers/\(held)", accept: accept)
                    #expect(joined.status == 200 && joined.body == validator.body)
                }
            }
            let (leaves, all) = try await both(market, base, "/v1/log/bundles/0")
            #expect(leaves.status == 410 && market.code(leaves) == "not-held" && all.status == 200)
            // It has no seat, and so nothing to cosign.
            let (none, cosigned) = try await both(market, base, "/v1/log/checkpoint")
            #expect(market.code(none) == "no-checkpoint" && cosigned.status == 200)

            let ahead = try await market.ask("/v1/headers/\(height + 1_000)", node: base)
            #expect(ahead.status == 404 && market.code(ahead) == "not-found")

            for answer in [past.held, past.new, past.approval] {
                let id = try #require(answer.id).hex
                let (joined, validator) = try await both(market, base, "/v1/transactions/\(id)")
                #expect(joined.status == 200 && joined.body == validator.body)
            }
            let unknown = LedgerCrypto.Suite.ed25519SHA256.digest([1]).hex
            for id in [past.old.id?.hex, past.oldRefusal.id?.hex, unknown].compactMap({ $0 }) {
                for path in ["/v1/transactions/\(id)", "/v1/transactions/\(id)/bundle"] {
                    let (joined, validator) = try await both(market, base, path)
                    #expect(joined.status == 404 && market.code(joined) == "not-found-here")
                    #expect((market.code(validator) == "not-found") == (id == unknown))
                }
            }
        }
    }

    @Test func proofs() async throws {
        try await joined { market, base, past in
            let provider = try market.client(.provider, nodes: [base])
            let elsewhere = try market.client(.provider)
            for answer in [past.held, past.new, past.approval] {
                let question = EvidenceQuestion.transaction(try #require(answer.id))
                let found = try await provider.bundle(question).finding
                #expect(try await elsewhere.bundle(question).finding == found)
            }
            // The whole history of an asset is held when all of its events were executed here.
            let whole = EvidenceQuestion.assetHistory(
                asset: Self.asset("new"), logs: EventLogKind.allCases)
            let found = try await provider.bundle(whole).finding
            guard case .assetHistory(let history) = found else {
                Issue.record("\(found)")
                return
            }
            #expect(history.logs.map(\.events.count) == [1, 0, 0])
            #expect(try await elsewhere.bundle(whole).finding == found)
            for code in ["old", "held"] {
                let rights = EvidenceQuestion.assetHistory(
                    asset: Self.asset(code), logs: [.rights])
                let error = await #expect(throws: ClientError.self) {
                    try await provider.bundle(rights)
                }
                guard case .refused(base, 410, "not-held", _, _)? = error else {
                    Issue.record("\(code): \(String(describing: error))")
                    return
                }
                // A log without events is complete.
                let trades = EvidenceQuestion.assetHistory(
                    asset: Self.asset(code), logs: [.trades])
                let none = try await provider.bundle(trades).finding
                #expect(try await elsewhere.bundle(trades).finding == none)
                // A client that knows another node has it from there.
                let anywhere = try market.client(.provider, nodes: [base, market.base])
                let answered = try await anywhere.bundle(rights).finding
                #expect(try await elsewhere.bundle(rights).finding == answered)
            }
            let anywhere = try market.client(.provider, nodes: [base, market.base])
            let old = EvidenceQuestion.transaction(try #require(past.old.id))
            guard case .transaction(let entry) = try await anywhere.bundle(old).finding
            else {
                Issue.record("another finding")
                return
            }
            #expect(entry.height == past.old.height && entry.code == 0)
        }
    }

    /// The state came whole: records, their proofs, and search, whose words come from it.
    @Test func recordsAndSearch() async throws {
        try await joined { market, base, past in
            let codes = ["old", "held", "new"]
            for code in codes {
                let id = Self.asset(code)
                for path in ["/v1/assets/\(id.hex)", "/v1/records/asset/\(id.hex)"] {
                    let (joined, validator) = try await both(market, base, path)
                    #expect(joined.status == 200 && joined.body == validator.body)
                }
                let proven = try await market.client(nil, nodes: [base]).asset(id)
                #expect(proven.value?.code == code)
                let found = try await market.client(nil, nodes: [base]).searchAssets(
                    "Weather \(code)")
                #expect(found.compactMap { $0["code"]?.text } == [code])
            }
            let (joined, validator) = try await both(market, base, "/v1/assets?query=")
            let all = [joined, validator].map { answer in
                let json = try? JSONValue.parse(answer.body)
                #expect(json?["total"]?.unsigned == 3)
                return Set(json?["assets"]?.list?.compactMap { $0["code"]?.text } ?? [])
            }
            #expect(all == [Set(codes), Set(codes)])
            let nobody = try await market.client(nil, nodes: [base]).asset(Self.asset("no"))
            #expect(nobody.value == nil && nobody.height > 0)
            let absent = EvidenceQuestion.assetHistory(asset: Self.asset("no"), logs: [.rights])
            let finding = try await market.client(nil, nodes: [base]).bundle(absent).finding
            #expect(finding == .noSuchAsset(Self.asset("no")))
        }
    }
}
