import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records
import TestLedgers
import Testing

/// An epoch that the genesis' recovery rule began: believed under that rule alone, and told apart from those handed over.
@Suite struct RecoveryTests {
    static func keys(_ suite: LedgerCrypto.Suite) -> [SigningKey] {
        (0..<3).map { TestChain.key(suite, 800 + $0) }
    }

    static func newcomers(_ suite: LedgerCrypto.Suite) -> [SigningKey] {
        (0..<4).map { TestChain.key(suite, 200 + $0) }
    }

    /// Recovered at height 3, by two of three keys unless others are given.
    static func chain(
        _ suite: LedgerCrypto.Suite, rule: Bool = true,
        signers: ([SigningKey]) -> [(index: Int, key: SigningKey)] = { [(0, $0[0]), (2, $0[2])] }
    ) -> TestChain {
        let keys = keys(suite)
        var chain = TestChain(
            suite, members: TestChain.members(suite), recoveryKeys: rule ? keys : [])
        chain.grow(2)
        chain.recover(to: newcomers(suite), signers: signers(keys))
        chain.grow(2)
        return chain
    }

    static func fault(_ chain: TestChain) -> EvidenceFault? {
        TrustTests.fault(
            TrustedChain(genesis: chain.genesis), chain.certified(5), chain.changes)
    }

    @Test(arguments: Suite.allCases)
    func itIsAnEventOfTrust(suite: LedgerCrypto.Suite) throws {
        let chain = Self.chain(suite)
        let rule = try #require(chain.genesis.recovery)
        let step = try TrustedChain(genesis: chain.genesis).advance(
            to: chain.certified(5), epochChanges: chain.changes)
        let trust = try #require(step.chain)
        #expect(
            trust.epochs(through: 1).map(\.basis) == [
                .genesis, .recovered(height: 3, signatures: 2, rule: rule),
            ])
        // Read back from a file, which does not hold the rule: the genesis does.
        let kept = try TrustedChain.decode(trust.encoded, limits: TrustedChain.limits)
        let verifier = try Verifier(genesis: chain.genesis, trust: kept)
        let bundle = try EvidenceBundle.answering(
            [.header(height: 1, digest: nil)], from: chain)
        for verifier in [verifier, Verifier(genesis: chain.genesis)] {
            let answer = try verifier.verify(bundle.encoded)
            let report = EvidenceReport(answer)
            #expect(report.text.contains("NOT HANDED OVER: 1 of these"))
            #expect(report.text.contains("begun after height 3 by 2 of the 3 recovery keys"))
            #expect(report.text.contains("由创世文件 3 个恢复密钥中的 2 个"))
            #expect(answer.json.encodedText.contains("\"recovered\":3"))
            #expect(answer.checkpoint.recovery == nil)
        }
    }

    /// The newest header is the one that the recovery made final: no validator signed it.
    @Test func theRecoveredHeaderItselfHasNoVotes() throws {
        var chain = TestChain(
            .ed25519SHA256, members: TestChain.members(.ed25519SHA256),
            recoveryKeys: Self.keys(.ed25519SHA256))
        chain.grow(2)
        let keys = Self.keys(.ed25519SHA256)
        chain.recover(to: Self.newcomers(.ed25519SHA256), signers: [(0, keys[0]), (1, keys[1])])
        let bundle = try EvidenceBundle.answering([.header(height: 1, digest: nil)], from: chain)
        let answer = try Verifier(genesis: chain.genesis).verify(bundle.encoded)
        #expect(answer.checkpoint.recovery != nil && answer.checkpoint.signatures == 2)
        let text = EvidenceReport(answer).text
        #expect(text.contains("made final by a recovery: 2 of the 3 recovery keys"))
        #expect(!text.contains("of 4 validators"))
        let json = answer.json.encodedText
        #expect(json.contains("\"recovery\":true,\"finalizedBy\":{\"en\":\"made final by a rec"))
        // Nobody voted for it, so there are no receipts of it; nothing is false about that.
        let nobody = EvidenceProblem(.certificate, .nobodyVoted)
        #expect(nobody.standing == .notProven)
        #expect(throws: nobody) {
            try Verifier(genesis: chain.genesis).receipts(bundle.encoded)
        }
    }

    @Test(arguments: Suite.allCases)
    func nothingElseBeginsAnEpoch(suite: LedgerCrypto.Suite) {
        #expect(Self.fault(Self.chain(suite)) == nil)
        #expect(Self.fault(Self.chain(suite, rule: false)) == .noRecoveryRule)
        #expect(
            Self.fault(Self.chain(suite) { [(0, $0[0])] })
                == .belowThreshold(signatures: 1, threshold: 2, keys: 3))
        #expect(
            Self.fault(Self.chain(suite) { [(0, $0[0]), (1, $0[2])] })
                == .badRecoverySignature(key: 1))
        #expect(
            Self.fault(Self.chain(suite) { [(0, $0[0]), (3, $0[2])] })
                == .badRecoverySignature(key: 3))
        // The voting keys of the very epoch.
        let voting = (0..<3).map { TestChain.key(suite, 100 + $0) }
        #expect(
            Self.fault(Self.chain(suite) { _ in voting.enumerated().map { ($0, $1) } })
                == .badRecoverySignature(key: 0))
        #expect(
            Self.fault(Self.chain(suite) { [(0, $0[0]), (0, $0[0])] })
                == .outOfOrder)
    }

    /// A recovery of a block that ends no epoch would be a way to finalize anything.
    @Test func aRecoveryEndsItsEpoch() throws {
        let keys = Self.keys(.ed25519SHA256)
        var chain = TestChain(
            .ed25519SHA256, members: TestChain.members(.ed25519SHA256), recoveryKeys: keys)
        chain.grow(3)
        let statement = VoteStatement.recover(
            epoch: 0, VoteSubject(chain.newest, suite: chain.suite))
        let certificate = Certificate(
            statement: statement,
            signatures: [0, 1].map {
                RecoveryRule.sign(statement, at: $0, with: keys[$0], chain: chain.chain)
            })
        #expect(
            TrustTests.fault(
                TrustedChain(genesis: chain.genesis),
                CertifiedHeader(header: chain.newest, certificate: certificate))
                == .noNextValidators)
    }

    /// Validators who went on after their epoch was recovered made a second history.
    @Test func goingOnAfterARecoveryIsAFork() throws {
        let keys = Self.keys(.ed25519SHA256)
        var chain = TestChain(
            .ed25519SHA256, members: TestChain.members(.ed25519SHA256), recoveryKeys: keys)
        chain.grow(2)
        var old = chain
        old.grow(3)
        chain.recover(to: Self.newcomers(.ed25519SHA256), signers: [(1, keys[1]), (2, keys[2])])
        chain.grow(1)
        let trust = try #require(
            try TrustedChain(genesis: chain.genesis).advance(
                to: chain.certified(4), epochChanges: chain.changes
            ).chain)
        let step = try trust.advance(to: old.certified(5))
        let evidence = try #require(step.evidence)
        // However late: keys that were lost cannot be taken for destroyed.
        #expect(!trust.isByEndedKeys(evidence, nowMs: .max))
        let proven = try Verifier(genesis: chain.genesis).verifyFork(evidence.encoded)
        #expect(proven.contradiction == .beyondEpochEnd)
        #expect(proven.missing == .recovery(epoch: 0) && proven.doubleSigners.isEmpty)
        let text = EvidenceReport(proven).text
        #expect(text.contains("epoch 0 has two ends"))
        #expect(!text.contains("validators of epoch 0 broke the rules"))
        #expect(text.contains("made final by a recovery: 2 of the 3"))
    }
}
