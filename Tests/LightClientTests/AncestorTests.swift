import Encoding
import Ledger
import LedgerCrypto
import LightClient
import TestLedgers
import Testing

/// What a certified log holds is of its history, and that must be the trusted one: whoever has the keys of one epoch's quorum can certify any
/// log he likes, but not without showing it.
@Suite struct AncestorTests {
    private static func refusal(
        _ body: () throws(EvidenceProblem) -> Void
    ) -> EvidenceProblem? {
        do throws(EvidenceProblem) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    private static func contradicted(at height: UInt64) -> EvidenceProblem {
        EvidenceProblem(.ancestor(height: height), .contradictsTrusted)
    }

    @Test(arguments: Suite.allCases)
    func aLogBesideTheAcceptedHeaderIsNotBelieved(suite: LedgerCrypto.Suite) throws {
        var fork = Fork(suite)
        fork.right.grow(2)
        let accepted = fork.left.newest
        let start = try TrustedChain(
            accepting: accepted.digest(suite), header: accepted,
            validators: fork.left.genesis.validators)
        let reader = try Verifier(genesis: fork.common.genesis, trust: start)
        let other = try EvidenceBundle.header(height: accepted.height, from: fork.right)
        #expect(other.header.height > accepted.height)
        #expect(problem(other, reader) == Self.contradicted(at: accepted.height))
        // There are no votes for the accepted one, so it is no evidence against anybody.
        let followed = Self.refusal { () throws(EvidenceProblem) in
            _ = try reader.follow(other, nowMs: .max)
        }
        #expect(followed == Self.contradicted(at: accepted.height))
        // The reader's own history, and what is older than both.
        fork.left.grow(2)
        let own = try EvidenceBundle.header(height: accepted.height, from: fork.left)
        #expect(problem(own, reader) == nil)
        let older = try EvidenceBundle.header(height: 2, from: fork.right)
        #expect(problem(older, reader) == nil)
    }

    /// Votes for the accepted header may have come since.
    @Test func aLogBesideAnAcceptedHeaderWithVotesIsAFork() throws {
        var fork = Fork(.ed25519SHA256)
        fork.right.grow(2)
        let accepted = fork.left.newest
        let start = try TrustedChain(
            accepting: accepted.digest(.ed25519SHA256), header: accepted,
            validators: fork.left.genesis.validators)
        let known = try #require(
            try start.advance(to: fork.left.certified(Int(accepted.height))).chain)
        let reader = try Verifier(genesis: fork.common.genesis, trust: known)
        let other = try EvidenceBundle.header(height: accepted.height, from: fork.right)
        guard case .fork(let evidence) = try reader.follow(other, nowMs: .max) else {
            Issue.record("two histories are followed")
            return
        }
        #expect(try fork.verifier.verifyFork(evidence).lower.header == accepted)
        // As for another header of its very height.
        let twin = try #require(
            try known.advance(to: fork.right.certified(Int(accepted.height))).evidence)
        #expect(try fork.verifier.verifyFork(twin).contradiction == .sameHeight)
    }

    /// Moments are looked up by times, which ascend in every history.
    @Test func aLogThatContradictsItselfIsNotBelieved() throws {
        var chain = Fork(.ed25519SHA256).common
        let before = chain.newest
        chain.append([], laterMs: 50_000)
        chain.append([], timeMs: before.timeMs + 4_500)
        chain.append([], laterMs: 90_000)
        let verifier = Verifier(genesis: chain.genesis)
        for height in [before.height + 1, before.height + 2] {
            let bundle = try EvidenceBundle.header(height: height, from: chain)
            #expect(problem(bundle, verifier) == nil, "nothing shows it")
        }
        let both = try EvidenceBundle.answering(
            [
                .header(height: before.height + 1, digest: nil),
                .header(height: before.height + 2, digest: nil),
            ],
            from: chain)
        #expect(problem(both, verifier) == Self.contradicted(at: before.height + 2))
    }

    /// Two ends of one epoch at one height, and blocks of the next after each.
    private static func twoEnds(_ suite: Suite) -> Fork {
        var fork = Fork(suite)
        let next = (0..<4).map { TestChain.key(suite, 300 + $0) }
        fork.left.changeEpoch(to: next)
        fork.right.changeEpoch(to: next)
        fork.right.grow(2)
        return fork
    }

    @Test(arguments: Suite.allCases)
    func aLogBesideTheEndOfItsEpochIsAFork(suite: LedgerCrypto.Suite) throws {
        let fork = Self.twoEnds(suite)
        let end = try #require(fork.left.changes.first).header
        // The bundle brings the one end, and its header's log holds the other.
        var bundle = try EvidenceBundle.header(height: end.height, from: fork.right)
        bundle.epochChanges = fork.left.changes
        #expect(problem(bundle, fork.verifier) == Self.contradicted(at: end.height))
        guard case .fork(let evidence) = try fork.verifier.follow(bundle, nowMs: .max) else {
            Issue.record("the two ends are followed")
            return
        }
        #expect(try fork.verifier.verifyFork(evidence).contradiction == .otherAncestor)
        #expect(evidence.lower.header == end && evidence.higher.header == bundle.header)
        // Without the ancestor nothing shows it.
        let blind = try EvidenceBundle.header(height: bundle.header.height, from: fork.right)
        guard case .certified(let certified, _) = blind.head else {
            Issue.record("a bundle that is not detached has its header")
            return
        }
        let step = try fork.trust.advance(to: certified, epochChanges: fork.left.changes)
        #expect(step.chain != nil)
        let link = fork.right.ancestor(Int(end.height), of: Int(certified.header.height))
        let linked = try fork.trust.advance(
            to: certified, epochChanges: fork.left.changes, links: [link])
        // Of the same headers; each was signed anew, and SM2 signatures differ.
        let again = try #require(linked.evidence)
        #expect(again.lower.header == end && again.higher.header == evidence.higher.header)
        #expect(again.ancestor == evidence.ancestor)
    }

    @Test func aLogThatGoesBeyondTheEndOfItsEpochIsRefused() throws {
        var fork = Fork(.ed25519SHA256)
        let next = (0..<4).map { TestChain.key(.ed25519SHA256, 300 + $0) }
        fork.left.changeEpoch(to: next)
        // The other history's epoch ends two blocks later.
        fork.right.grow(2)
        fork.right.changeEpoch(to: next)
        fork.right.grow(1)
        let end = try #require(fork.left.changes.first).header
        var bundle = try EvidenceBundle.header(height: end.height + 1, from: fork.right)
        bundle.epochChanges = fork.left.changes
        #expect(problem(bundle, fork.verifier) == Self.contradicted(at: end.height + 1))
        let followed = Self.refusal { () throws(EvidenceProblem) in
            _ = try fork.verifier.follow(bundle, nowMs: .max)
        }
        #expect(followed == Self.contradicted(at: end.height + 1))
    }

    @Test func onlyTheNewestTrustedHeaderLinksAnAnswer() throws {
        var chain = Fork(.ed25519SHA256).common
        func follow(_ question: UInt64, _ trust: TrustedChain) throws -> FollowedAnswer {
            let bundle = try EvidenceBundle.header(height: question, from: chain)
            let reader = try Verifier(genesis: chain.genesis, trust: trust)
            guard case .proven(let followed) = try reader.follow(bundle, nowMs: .max) else {
                throw EvidenceProblem(.bundle, .contradictsTrusted)
            }
            return followed
        }
        let first = try follow(1, TrustedChain(genesis: chain.genesis))
        #expect(first.isLinked && first.isAdded && first.before == nil)
        let low = chain.newest.height
        chain.grow(2)
        let middle = chain.newest.height
        let second = try follow(low, first.trust)
        #expect(second.isLinked && second.linkedTo == low && second.before == low)
        let short = chain
        chain.grow(2)
        // It goes on from the older of the two, as far as is shown.
        let third = try follow(low, second.trust)
        #expect(!third.isLinked && third.isAdded && third.linkedTo == low)
        #expect(third.report.text.contains("of one history with that of height \(middle) (it is"))
        #expect(third.json.encodedText.contains("\"linked\":false,\"added\":true"))
        let fourth = try follow(middle, second.trust)
        #expect(fourth.isLinked && fourth.linkedTo == middle)
        // Below the newest nothing is added, whatever it goes on from.
        var lower = short
        lower.append([])
        let bundle = try EvidenceBundle.header(height: low, from: lower)
        let reader = try Verifier(genesis: chain.genesis, trust: fourth.trust)
        guard case .proven(let fifth) = try reader.follow(bundle, nowMs: .max) else {
            Issue.record("an older header of the same history is a fork")
            return
        }
        #expect(!fifth.isLinked && !fifth.isAdded && fifth.linkedTo == low)
        #expect(fifth.report.text.contains("so it is not added"))
    }
}
