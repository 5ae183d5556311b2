import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import TestLedgers
import Testing

/// What is trusted grows by what quorums certified, and by nothing else.
@Suite struct TrustTests {
    /// Two changes of epoch, at heights 3 and 6, and eight blocks.
    static func chain(_ suite: LedgerCrypto.Suite) -> TestChain {
        var chain = TestChain(suite, members: TestChain.members(suite))
        chain.grow(2)
        chain.changeEpoch(to: (0..<4).map { TestChain.key(suite, 200 + $0) })
        chain.grow(2)
        chain.changeEpoch(to: (0..<7).map { TestChain.key(suite, 300 + $0) })
        chain.grow(2)
        return chain
    }

    static func fault(
        _ trust: TrustedChain, _ new: CertifiedHeader, _ changes: [EpochChange] = [],
        links: [HeaderEvidence] = [], nowMs: UInt64? = nil
    ) -> EvidenceFault? {
        do throws(EvidenceProblem) {
            _ = try trust.advance(
                to: new, epochChanges: changes, links: links, nowMs: nowMs)
            return nil
        } catch {
            return error.fault
        }
    }

    @Test(arguments: Suite.allCases) func onlyWhatCameSinceIsNeeded(
        suite: LedgerCrypto.Suite
    ) throws {
        let chain = Self.chain(suite)
        let early = TestChain(suite, members: TestChain.members(suite))
        var young = early
        young.grow(2)
        let genesis = TrustedChain(genesis: chain.genesis)
        let first = try #require(
            try genesis.advance(to: young.certified(2)).chain)
        #expect(first.newest?.header == chain.blocks[2].header)
        let link = chain.ancestor(2, of: 8)
        let step = try first.advance(
            to: chain.certified(8), epochChanges: chain.changes, links: [link])
        #expect(step.linkedTo == 2)
        let second = try #require(step.chain)
        #expect(second.validators.epoch == 2)
        #expect(second.headers.map(\.header.height) == [2, 8])
        // From here on, no epoch change is needed, and the known ones do no harm.
        var longer = chain
        longer.grow(1)
        #expect(try second.advance(to: longer.certified(9)).chain != nil)
        let third = try #require(
            try second.advance(to: longer.certified(9), epochChanges: chain.changes).chain)
        #expect(third.headers.map(\.header.height) == [2, 8, 9])
        #expect(
            third.epochs(through: 2).map(\.basis) == [
                .genesis, .handedOver(height: 3), .handedOver(height: 6),
            ])
        #expect(third.epochs(through: 1).count == 2)
    }

    @Test func goingBackLosesNothing() throws {
        let chain = Self.chain(.ed25519SHA256)
        let genesis = TrustedChain(genesis: chain.genesis)
        let trust = try #require(
            try genesis.advance(to: chain.certified(8), epochChanges: chain.changes).chain)
        let link = chain.ancestor(7, of: 8)
        let step = try trust.advance(to: chain.certified(7), links: [link])
        #expect(step.linkedTo == 8)
        #expect(step.chain?.headers.map(\.header.height) == [7, 8])
        #expect(step.chain?.epochChanges == trust.epochChanges)
        // A header of an epoch that is over, under the set of then.
        let old = chain.changes[0]
        let further = try trust.advance(to: old.certified)
        #expect(further.chain?.headers.map(\.header.height) == [3, 8])
        #expect(further.chain?.validators.epoch == 2)
    }

    @Test func theKeptHeadersAreBounded() throws {
        var chain = TestChain(.ed25519SHA256, members: TestChain.members(.ed25519SHA256))
        chain.grow(20)
        var trust = TrustedChain(genesis: chain.genesis)
        for height in 2...19 {
            trust = try #require(try trust.advance(to: chain.certified(height)).chain)
        }
        #expect(trust.headers.map(\.header.height) == (4...19).map { UInt64($0) })
        let again = try trust.advance(
            to: chain.certified(3), links: [chain.ancestor(3, of: 19)])
        #expect(again.chain == trust)
        #expect(again.linkedTo == 19)
    }

    /// Whoever finds the keys of an epoch that is over can certify what he likes beside its true end.
    @Test func leakedKeysOfAnEndedEpochAddNothing() throws {
        var fork = Fork(.ed25519SHA256)
        fork.left.grow(3)
        fork.left.changeEpoch(to: (0..<4).map { TestChain.key(.ed25519SHA256, 200 + $0) })
        fork.left.grow(2)
        fork.right.grow(10)
        let newest = fork.left.certified(fork.left.newest)
        let trust = try #require(
            try fork.trust.advance(
                to: newest, epochChanges: fork.left.epochChanges() ?? []
            ).chain)
        // Below the newest, nothing contradicts it, and nothing shows that it is true.
        let below = try trust.advance(to: fork.right.certified(5))
        #expect(below.chain == trust && below.linkedTo == nil)
        let true5 = CertifiedHeader(
            header: fork.left.blocks[5].header,
            certificate: fork.common.certified(fork.left.blocks[5].header).certificate)
        #expect(try trust.advance(to: true5).chain == trust)
        let linked = try trust.advance(
            to: true5, links: [fork.left.ancestor(5, of: Int(newest.header.height))])
        #expect(linked.chain?.headers.map(\.header.height) == [5, newest.header.height])
        // Beyond the end of its epoch it is a fork, of keys that have had their time.
        let beyond = try #require(
            try trust.advance(to: fork.right.certified(fork.right.newest)).evidence)
        let endMs = fork.left.changes[0].header.timeMs
        #expect(trust.isByEndedKeys(beyond, nowMs: endMs + TrustedChain.keyLifeMs))
        // Shortly after, it may be the true one, and the trusted end the work of who broke the rules.
        #expect(!trust.isByEndedKeys(beyond, nowMs: endMs + TrustedChain.keyLifeMs - 1))
        // Of those whose keys count, it is one that nobody can decide.
        var other = Fork(.ed25519SHA256, epochs: 1)
        other.right.grow(1)
        let young = try #require(
            try other.trust.advance(
                to: other.left.certified(4), epochChanges: other.left.epochChanges() ?? []
            ).chain)
        let fresh = try #require(try young.advance(to: other.right.certified(4)).evidence)
        #expect(!young.isByEndedKeys(fresh, nowMs: .max))
    }

    @Test func whatIsRefusedSaysWhy() throws {
        let chain = Self.chain(.ed25519SHA256)
        let genesis = TrustedChain(genesis: chain.genesis)
        let newest = chain.certified(8)
        let unknown = try #require(Self.fault(genesis, newest))
        #expect(unknown == .unknownEpoch(epoch: 2, known: 0))
        #expect(unknown.standing == .notYet)
        let few = try #require(
            Self.fault(genesis, chain.certified(8, signers: [0, 1]), chain.changes))
        #expect(few == .belowQuorum(signatures: 2, quorum: 5, validators: 7))
        #expect(few.standing == .notProven)
        var signatures = newest.certificate.signatures
        signatures[1] = CertificateSignature(validator: 1, signature: signatures[0].signature)
        let forged = CertifiedHeader(
            header: newest.header,
            certificate: Certificate(
                statement: newest.certificate.statement, signatures: signatures))
        let bad = try #require(Self.fault(genesis, forged, chain.changes))
        #expect(bad == .badVote(validator: 1))
        #expect(bad.standing == .provenFalse)
        let nowMs = newest.header.timeMs - TrustedChain.clockDriftMsMax
        #expect(Self.fault(genesis, newest, chain.changes, nowMs: nowMs) == nil)
        let early = try #require(Self.fault(genesis, newest, chain.changes, nowMs: nowMs - 1))
        #expect(early == .aheadOfClock(timeMs: newest.header.timeMs, nowMs: nowMs - 1))
        #expect(early.standing == .notYet)
        #expect(Self.fault(genesis, newest, chain.changes, nowMs: .max) == nil)
        let trust = try #require(
            try genesis.advance(to: newest, epochChanges: chain.changes).chain)
        let link = chain.ancestor(7, of: 8)
        let seven = chain.certified(7)
        let wrong = HeaderEvidence(header: link.header, path: link.path.dropLast())
        #expect(Self.fault(trust, seven, links: [wrong]) == .headerNotInLog)
        #expect(
            Self.fault(trust, seven, links: Array(repeating: link, count: 17))
                == .tooMany(what: "links", found: 17, max: 16))
        let repeated = chain.changes + [chain.changes[1]]
        #expect(
            Self.fault(genesis, newest, repeated) == .otherEpoch(found: 1, expected: 2))
        #expect(Self.fault(trust, newest, repeated) == .outOfOrder)
        let other = EpochChange(
            header: chain.changes[0].header, certificate: chain.changes[0].certificate,
            next: chain.changes[1].next)
        #expect(Self.fault(trust, newest, [other]) == .otherNextValidators)
    }

    @Test func trustStartsWhereTheUserSays() throws {
        let chain = Self.chain(.ed25519SHA256)
        let header = chain.blocks[4].header
        let digest = header.digest(.ed25519SHA256)
        let set = chain.changes[0].next
        #expect(throws: EvidenceProblem(.start, .otherHeader)) {
            try TrustedChain(accepting: .zero, header: header, validators: set)
        }
        #expect(throws: EvidenceProblem(.start, .otherValidators)) {
            try TrustedChain(
                accepting: digest, header: header, validators: chain.genesis.validators)
        }
        let start = try TrustedChain(accepting: digest, header: header, validators: set)
        #expect(try start.advance(to: chain.changes[1].certified).chain != nil)
        // What is before the start is left aside, whatever it says.
        let trust = try #require(
            try start.advance(to: chain.certified(8), epochChanges: chain.changes).chain)
        #expect(trust.epochChanges == [chain.changes[1]])
        #expect(
            trust.epochs(through: 2).map(\.basis) == [
                .checkpoint(height: 4, header: digest), .handedOver(height: 6),
            ])
        let before = try #require(Self.fault(trust, chain.changes[0].certified))
        #expect(before == .epochBeforeStart(epoch: 0, first: 1))
        #expect(before.standing == .notYet)
        // Another header at the height of the start: no votes for the start are here, so nobody is named.
        var other = TestChain(.ed25519SHA256, members: TestChain.members(.ed25519SHA256))
        other.grow(2)
        other.changeEpoch(to: (0..<4).map { TestChain.key(.ed25519SHA256, 200 + $0) })
        other.append([], laterMs: 9)
        #expect(Self.fault(trust, other.certified(4)) == .contradictsTrusted)
        // The verifier begins there too, and says so.
        let verifier = try Verifier(genesis: chain.genesis, trust: trust)
        let bundle = try EvidenceBundle.header(height: 4, from: chain)
        let answer = try verifier.verify(bundle)
        #expect(answer.checkpoint.epochs.count == 2)
        #expect(EvidenceReport(answer).text.contains("accepted by the user"))
        var short = bundle
        short.epochChanges = []
        #expect(try verifier.verify(short) == answer)
        #expect(throws: EvidenceProblem.self) {
            try Verifier(genesis: Fixture(.ed25519SHA256).chain.genesis, trust: trust)
        }
    }

    @Test(arguments: Suite.allCases) func theFormIsExact(suite: LedgerCrypto.Suite) throws {
        let chain = Self.chain(suite)
        let genesis = TrustedChain(genesis: chain.genesis)
        #expect(decodesExactly(genesis, limits: TrustedChain.limits))
        let trust = try #require(
            try genesis.advance(to: chain.certified(8), epochChanges: chain.changes).chain)
        #expect(decodesExactly(trust, limits: TrustedChain.limits))
        let header = chain.blocks[4].header
        let start = try TrustedChain(
            accepting: header.digest(suite), header: header, validators: chain.changes[0].next)
        #expect(decodesExactly(start, limits: TrustedChain.limits))
    }

    /// A damaged file is noticed where digests can show it: in all but signatures and start.
    @Test func damageIsNoticed() throws {
        let chain = Self.chain(.ed25519SHA256)
        let trust = try #require(
            try TrustedChain(genesis: chain.genesis)
                .advance(to: chain.certified(8), epochChanges: chain.changes).chain)
        let bytes = trust.encoded
        let verifier = try Verifier(genesis: chain.genesis, trust: trust)
        var unnoticed = 0
        for offset in stride(from: 0, to: bytes.count, by: 3) {
            var damaged = bytes
            damaged[offset] ^= 1
            guard let read = try? TrustedChain.decode(damaged, limits: TrustedChain.limits)
            else { continue }
            unnoticed += 1
            guard let other = try? Verifier(genesis: chain.genesis, trust: read) else { continue }
            #expect(other.trust.validators == verifier.trust.validators)
            #expect(other.trust.headers.map(\.header) == trust.headers.map(\.header))
            #expect(other.trust.epochChanges.map(\.next) == trust.epochChanges.map(\.next))
        }
        // 11 signatures of 64 bytes, the view numbers, and little else.
        #expect(unnoticed < bytes.count / 3 / 3)
    }

    /// An epoch is two or three blocks; the last of many is still proven from genesis.
    @Test func manyEpochsAreFollowed() throws {
        var chain = TestChain(
            .ed25519SHA256, validators: 1, members: TestChain.members(.ed25519SHA256))
        for epoch in 0..<120 {
            chain.changeEpoch(to: [TestChain.key(.ed25519SHA256, 512 + epoch)])
        }
        chain.grow(1)
        var trust = TrustedChain(genesis: chain.genesis)
        for part in [0..<50, 50..<120] {
            let end = chain.changes[part.upperBound - 1]
            trust = try #require(
                try trust.advance(
                    to: end.certified, epochChanges: Array(chain.changes[part])
                ).chain)
        }
        let last = try trust.advance(to: chain.certified(121))
        #expect(last.chain?.validators.epoch == 120)
        let answer = try Verifier(genesis: chain.genesis, trust: try #require(last.chain))
            .verify(try EvidenceBundle.header(height: 60, from: chain))
        #expect(answer.checkpoint.epochs.count == 121)
        let text = EvidenceReport(answer).text
        #expect(text.contains("… 105 more / 另有 105 届"))
        #expect(text.contains("epoch 120, 1 of 1, handed over to at height 120"))
    }
}
