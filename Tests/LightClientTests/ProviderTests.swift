import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import TestLedgers
import Testing

/// Several providers, of whom some are slow, broken or dishonest.
@Suite struct ProviderTests {
    static func answer(
        _ name: String, _ chain: TestChain, _ height: Int
    ) -> ProviderAnswer {
        ProviderAnswer(
            name: name, certified: chain.certified(height), epochChanges: chain.changes)
    }

    @Test func agreementAndLagAreTold() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        let trust = TrustedChain(genesis: chain.genesis)
        let agreed = ProviderComparison(
            [Self.answer("a", chain, 8), Self.answer("b", chain, 8)], trust: trust)
        #expect(agreed.standings.map(\.standing) == [.newest(height: 8), .newest(height: 8)])
        #expect(agreed.trust.newest?.header.height == 8)
        let lag = ProviderComparison(
            [
                Self.answer("a", chain, 7), Self.answer("b", chain, 8),
            ], trust: trust)
        #expect(
            lag.standings.map(\.standing) == [
                .behind(height: 7, newest: 8), .newest(height: 8),
            ])
        // All of them behind what is trusted already.
        let old = ProviderComparison([Self.answer("a", chain, 7)], trust: agreed.trust)
        #expect(old.standings.map(\.standing) == [.behind(height: 7, newest: 8)])
    }

    @Test func aLiarIsNamedAndDoesNoHarm() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        let trust = TrustedChain(genesis: chain.genesis)
        // Signatures of other keys under the right names.
        var impostor = TestChain(.ed25519SHA256, members: TestChain.members(.ed25519SHA256))
        impostor.grow(3)
        impostor.usurp((0..<4).map { TestChain.key(.ed25519SHA256, 900 + $0) })
        let lying = Self.answer("b", impostor, 3)
        let result = ProviderComparison(
            [lying, Self.answer("a", chain, 8)], trust: trust)
        #expect(
            result.standings[0].standing
                == .lies(EvidenceProblem(.certificate, .badVote(validator: 0))))
        #expect(result.standings[1].standing == .newest(height: 8))
        // Too few signatures are no lie that is proven.
        let weak = ProviderAnswer(
            name: "c", certified: chain.certified(8, signers: [0]), epochChanges: chain.changes)
        let unproven = ProviderComparison([weak], trust: trust)
        guard case .unproven? = unproven.standings.first?.standing else {
            Issue.record("\(unproven.standings)")
            return
        }
        #expect(unproven.trust == trust)
        // Nor is a clock that goes wrong.
        let early = ProviderComparison([Self.answer("a", chain, 8)], trust: trust, nowMs: 0)
        guard case .unproven? = early.standings.first?.standing else {
            Issue.record("\(early.standings)")
            return
        }
    }

    @Test func aForkBetweenProvidersIsEvidence() throws {
        let fork = Fork(.ed25519SHA256)
        let answers = [Self.answer("a", fork.left, 4), Self.answer("b", fork.right, 4)]
        let result = ProviderComparison(answers, trust: fork.trust)
        guard case .forked(let evidence, against: .provider("a")) = result.standings[1].standing
        else {
            Issue.record("two finalized headers at one height")
            return
        }
        #expect(try fork.verifier.verifyFork(evidence).doubleSigners.count == 3)
        #expect(result.standings[0].standing == .newest(height: 4))
        // The same against what was trusted before: the first provider did not bring it.
        let known = try #require(try fork.trust.advance(to: fork.left.certified(4)).chain)
        let again = ProviderComparison(answers, trust: known)
        #expect(again.standings[1].standing == .forked(evidence, against: .trusted))
        #expect(again.trust == known)
        let swapped = ProviderComparison(Array(answers.reversed()), trust: fork.trust)
        #expect(swapped.standings[1].standing == .forked(evidence, against: .provider("b")))
    }
}
