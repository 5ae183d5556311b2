import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import TestLedgers
import Testing

/// Two certified histories are evidence, which names those whose own votes contradict each other.
@Suite struct ForkTests {
    static func fault(_ evidence: ForkEvidence, _ verifier: Verifier) -> EvidenceFault? {
        do throws(EvidenceProblem) {
            _ = try verifier.verifyFork(evidence.encoded)
            return nil
        } catch {
            return error.fault
        }
    }

    /// Two headers at height 4, each by three of four validators in the same view.
    static func sameView(_ suite: LedgerCrypto.Suite) throws -> (Fork, ForkEvidence) {
        let fork = Fork(suite)
        let left = fork.left.certified(4, signers: [0, 1, 2])
        let right = fork.right.certified(4, signers: [0, 2, 3])
        let trust = try #require(try fork.trust.advance(to: left).chain)
        let evidence = try #require(try trust.advance(to: right).evidence)
        // Whoever saw the other side first makes the same file.
        let other = try #require(try fork.trust.advance(to: right).chain)
        #expect(try other.advance(to: left).evidence == evidence)
        return (fork, evidence)
    }

    @Test(arguments: Suite.allCases) func doubleSignersOfOneViewAreNamed(
        suite: LedgerCrypto.Suite
    ) throws {
        let (fork, evidence) = try Self.sameView(suite)
        let proven = try fork.verifier.verifyFork(evidence.encoded)
        #expect(proven.contradiction == .sameHeight)
        #expect(proven.doubleSigners.map(\.seat) == [0, 2])
        #expect(proven.missing == nil)
        for signer in proven.doubleSigners {
            // Each pair stands alone: it is what the ledger takes as evidence of equivocation.
            for vote in [signer.votes.first, signer.votes.second] {
                #expect(
                    vote.verified(
                        chain: fork.common.chain, validators: fork.common.validators) != nil)
            }
            #expect(signer.validator == fork.common.validators.validators[signer.seat])
        }
        #expect(decodesExactly(evidence, limits: ForkEvidence.limits))
    }

    @Test func votesOfDifferentViewsNameNobodyWithoutANullification() throws {
        let fork = Fork(.ed25519SHA256)
        let trust = try #require(
            try fork.trust.advance(to: fork.left.certified(4, view: 5)).chain)
        let evidence = try #require(
            try trust.advance(to: fork.right.certified(4, view: 9)).evidence)
        let proven = try fork.verifier.verifyFork(evidence)
        #expect(proven.doubleSigners.isEmpty)
        #expect(proven.missing == .votes(epoch: 0, view: 5))
        // Nullify votes of another view name nobody either, those of view 5 do.
        let useless = fork.common.certificate(.nullify(epoch: 0, view: 7))
        let more = evidence.adding([useless])
        #expect(
            try fork.verifier.verifyFork(more).missing == .votes(epoch: 0, view: 5))
        let nullification = fork.common.certificate(
            .nullify(epoch: 0, view: 5), signers: [1, 2, 3])
        let full = more.adding([nullification, useless])
        #expect(full.more == [nullification, useless])
        let named = try fork.verifier.verifyFork(full.encoded)
        #expect(named.doubleSigners.map(\.seat) == [1, 2])
        #expect(named.missing == nil)
        #expect(decodesExactly(full, limits: ForkEvidence.limits))
        // Voting notarize for what one does not finalize is no contradiction.
        let subject = VoteSubject(fork.right.newest, suite: .ed25519SHA256)
        let notarization = fork.common.certificate(
            .notarize(epoch: 0, view: 5, subject), signers: [0, 1, 2])
        #expect(
            try fork.verifier.verifyFork(evidence.adding([notarization])).doubleSigners.isEmpty)
        let left = VoteSubject(fork.left.newest, suite: .ed25519SHA256)
        let twice = fork.common.certificate(
            .notarize(epoch: 0, view: 5, left), signers: [0, 2, 3])
        let both = evidence.adding([notarization, twice])
        #expect(try fork.verifier.verifyFork(both).doubleSigners.map(\.seat) == [0, 2])
        // Order and repetition.
        var disordered = full
        disordered.more.reverse()
        #expect(Self.fault(disordered, fork.verifier) == .outOfOrder)
        disordered.more = [useless, useless]
        #expect(Self.fault(disordered, fork.verifier) == .outOfOrder)
        var weak = evidence
        weak.more = [fork.common.certificate(.nullify(epoch: 0, view: 5), signers: [1, 2])]
        #expect(
            Self.fault(weak, fork.verifier)
                == .belowQuorum(signatures: 2, quorum: 3, validators: 4))
    }

    @Test func aLogThatIsNoExtensionIsShownByAnAncestor() throws {
        var fork = Fork(.ed25519SHA256)
        fork.right.grow(3)
        let trust = try #require(try fork.trust.advance(to: fork.left.certified(4)).chain)
        let high = fork.right.certified(7)
        // Nothing is shown without a link.
        let blind = try trust.advance(to: high)
        #expect(blind.chain != nil && blind.linkedTo == nil)
        let link = fork.right.ancestor(4, of: 7)
        let evidence = try #require(try trust.advance(to: high, links: [link]).evidence)
        #expect(evidence.ancestor == link)
        #expect(try fork.verifier.verifyFork(evidence).contradiction == .otherAncestor)
        #expect(decodesExactly(evidence, limits: ForkEvidence.limits))
        // The same the other way round: a lower header that the trusted one's log does not hold.
        let trusted = try #require(try fork.trust.advance(to: high).chain)
        let back = try trusted.advance(to: fork.left.certified(4), links: [link])
        #expect(back.evidence == evidence)
        // A history and its own continuation are no fork.
        var honest = evidence
        honest.lower = fork.right.certified(4)
        honest.ancestor = fork.right.ancestor(4, of: 7)
        #expect(Self.fault(honest, fork.verifier) == .noContradiction)
        honest.ancestor = nil
        #expect(Self.fault(honest, fork.verifier) == .noContradiction)
        var forged = evidence
        forged.ancestor = HeaderEvidence(header: link.header, path: link.path.dropLast())
        #expect(Self.fault(forged, fork.verifier) == .headerNotInLog)
        forged = evidence
        (forged.lower, forged.higher) = (forged.higher, forged.lower)
        #expect(Self.fault(forged, fork.verifier) == .outOfOrder)
        var needless = try Self.sameView(.ed25519SHA256).1
        needless.ancestor = link
        #expect(Self.fault(needless, fork.verifier) == .ancestorNotNeeded)
    }

    @Test func twoEndsOfAnEpochAreAFork() throws {
        var fork = Fork(.ed25519SHA256, epochs: 1)
        let before = fork
        let keys = (0..<4).map { TestChain.key(.ed25519SHA256, 700 + $0) }
        fork.left.changeEpoch(to: keys)
        fork.right.changeEpoch(to: keys, laterMs: 3)
        fork.left.grow(1)
        fork.right.grow(2)
        let trust = try #require(
            try fork.trust.advance(
                to: fork.left.certified(6), epochChanges: fork.left.changes
            ).chain)
        // The other history comes with other ends of the epochs: those contradict, in one set.
        let step = try trust.advance(
            to: fork.right.certified(7), epochChanges: fork.right.changes)
        let evidence = try #require(step.evidence)
        #expect(evidence.lower.header.height == 5 && evidence.higher.header.height == 5)
        #expect(evidence.epochChanges.map(\.header.epoch) == [0])
        let proven = try fork.verifier.verifyFork(evidence)
        #expect(proven.doubleSigners.map(\.seat) == [0, 1, 2])
        #expect(proven.doubleSigners.allSatisfy { $0.epoch == 1 })
        // A block of the epoch beyond its end.
        var beyond = before.right
        beyond.grow(2)
        let late = try trust.advance(to: beyond.certified(6))
        let lateEvidence = try #require(late.evidence)
        #expect(
            try fork.verifier.verifyFork(lateEvidence).contradiction == .beyondEpochEnd)
        // From genesis alone, the epoch's validators must be led to.
        var rootless = evidence
        rootless.epochChanges = []
        #expect(
            Self.fault(rootless, fork.verifier) == .unknownEpoch(epoch: 1, known: 0))
    }

    /// The headers are of different epochs: it is a fork, and whose is open until the end of the epoch is compared.
    @Test func votesOfDifferentEpochsNameNobody() throws {
        var fork = Fork(.ed25519SHA256)
        fork.right.changeEpoch(to: (0..<4).map { TestChain.key(.ed25519SHA256, 700 + $0) })
        fork.right.grow(1)
        let trust = try #require(try fork.trust.advance(to: fork.left.certified(4)).chain)
        let step = try trust.advance(
            to: fork.right.certified(6), epochChanges: fork.right.changes,
            links: [fork.right.ancestor(Int(fork.left.newest.height), of: 6)])
        let evidence = try #require(step.evidence)
        #expect(evidence.epochChanges == fork.right.changes)
        let proven = try fork.verifier.verifyFork(evidence.encoded)
        #expect(proven.doubleSigners.isEmpty && proven.missing == .sameEpoch(epoch: 0))
        #expect(
            EvidenceReport(proven).text.contains(
                "more than a third of the validators of one of the epochs 0…1"))
        // With the end of epoch 0 in that history they are of one epoch.
        let end = fork.right.changes[0]
        let within = try trust.advance(
            to: end.certified, links: [fork.right.ancestor(Int(fork.left.newest.height), of: 5)])
        #expect(
            try fork.verifier.verifyFork(try #require(within.evidence)).missing
                == .votes(epoch: 0, view: 4))
    }

    /// What the old validators certify after they handed over, and a log that stands still.
    @Test func eachContradictionIsToldByItsName() throws {
        var fork = Fork(.ed25519SHA256)
        var old = fork.left
        old.grow(4)
        fork.left.changeEpoch(to: (0..<4).map { TestChain.key(.ed25519SHA256, 700 + $0) })
        fork.left.grow(1)
        func contradiction(_ lower: CertifiedHeader, _ higher: CertifiedHeader) throws
            -> Contradiction
        {
            let evidence = ForkEvidence(
                chain: fork.common.chain, epochChanges: fork.left.changes, lower: lower,
                higher: higher)
            return try fork.verifier.verifyFork(evidence.encoded).contradiction
        }
        let end = fork.left.changes[0]
        #expect(try contradiction(fork.left.certified(6), old.certified(8)) == .epochGoesBack)
        #expect(try contradiction(end.certified, old.certified(8)) == .beyondEpochEnd)
        #expect(throws: EvidenceProblem(.fork, .noContradiction)) {
            try contradiction(end.certified, fork.left.certified(6))
        }
        let low = old.blocks[6].header
        let still = Header(
            chain: low.chain, height: 7, epoch: 0, parent: low.digest(.ed25519SHA256),
            timeMs: low.timeMs + 1, logSize: low.logSize, logRoot: low.logRoot,
            stateRoot: low.stateRoot, resultsRoot: low.resultsRoot, entryCount: 0,
            validators: low.validators)
        #expect(
            try contradiction(old.certified(low), old.certified(still)) == .logDoesNotGrow)
        let early = Header(
            chain: low.chain, height: 7, epoch: 0, parent: low.digest(.ed25519SHA256),
            timeMs: low.timeMs, logSize: low.logSize + 1, logRoot: low.logRoot,
            stateRoot: low.stateRoot, resultsRoot: low.resultsRoot, entryCount: 0,
            validators: low.validators)
        #expect(
            try contradiction(old.certified(low), old.certified(early)) == .timeDoesNotAdvance)
    }

    /// Nobody below a quorum raises a false alarm: a fork is told of certified headers only.
    @Test func uncertifiedHeadersAreNoFork() throws {
        var fork = Fork(.ed25519SHA256)
        let keys = (0..<4).map { TestChain.key(.ed25519SHA256, 700 + $0) }
        var forged = fork.right
        forged.usurp((0..<4).map { TestChain.key(.ed25519SHA256, 900 + $0) })
        fork.left.changeEpoch(to: keys)
        fork.left.grow(1)
        let trust = try #require(
            try fork.trust.advance(
                to: fork.left.certified(6), epochChanges: fork.left.changes
            ).chain)
        #expect(
            TrustTests.fault(trust, forged.certified(4)) == .badVote(validator: 0))
        forged.changeEpoch(to: keys)
        #expect(
            TrustTests.fault(trust, fork.left.certified(6), forged.changes)
                == .badVote(validator: 0))
        #expect(
            TrustTests.fault(trust, fork.right.certified(4, signers: [0, 1]))
                == .belowQuorum(signatures: 2, quorum: 3, validators: 4))
    }

    @Test func noChangedByteAccusesAnybodyElse() throws {
        let (fork, evidence) = try Self.sameView(.ed25519SHA256)
        let truth = try fork.verifier.verifyFork(evidence)
        let bytes = evidence.encoded
        for offset in bytes.indices {
            var flipped = bytes
            flipped[offset] ^= 1 << UInt8(offset % 8)
            guard let proven = try? fork.verifier.verifyFork(flipped) else { continue }
            #expect(proven == truth, "byte \(offset) flipped accuses somebody else")
        }
    }

    @Test func goldenEvidenceStays() throws {
        let (_, evidence) = try Self.sameView(.ed25519SHA256)
        #expect(
            Suite.ed25519SHA256.digest(evidence.encoded).hex
                == "f6d6d36be5df2c013c824ab62a973b3be1b12e62133cacb0a2f78a4fb8c89cd2")
        let chain = TrustTests.chain(.ed25519SHA256)
        let trust = try #require(
            try TrustedChain(genesis: chain.genesis)
                .advance(to: chain.certified(8), epochChanges: chain.changes).chain)
        #expect(
            Suite.ed25519SHA256.digest(trust.encoded).hex
                == "4e2afd450d5fa91d21c9663e9ba4e5b4aa2aa3b910d78b67a0bb520e25c9715f")
        let bundle = try EvidenceBundle.header(height: 4, from: chain)
        #expect(
            Suite.ed25519SHA256.digest(bundle.encoded).hex
                == "b166b784246de1d9cae6685c76f7e276e5fdf5f453f9002d96e56cdf00a0f355")
    }
}
