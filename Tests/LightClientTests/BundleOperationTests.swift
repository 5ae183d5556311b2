import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records
import TestLedgers
import Testing

/// Bundles taken apart, put together and with parts withheld. What comes out is byte for byte what a node would have made.
@Suite struct BundleOperationTests {
    private struct World {
        let ledger: ExecutedLedger
        let source: Digest
        let questions: [EvidenceQuestion]

        init(_ suite: LedgerCrypto.Suite = .ed25519SHA256) throws {
            let family = try ProvenanceTests.Family(suite)
            ledger = family.ledger
            source = family.source
            let event = try AssetEvent.decode(
                try #require(family.ledger.events(asset: family.source, log: .trades)?.first),
                limits: AssetEvent.limits)
            questions = EvidenceQuestion.sorted([
                .assetHistory(asset: family.source, logs: EventLogKind.allCases),
                ProvenanceTests.history(family.youngest),
                ProvenanceTests.history(.zero),
                .transaction(event.transactionID),
                .record(
                    type: .account,
                    id: [
                        .text(ExecutedLedger.member(2).text), .text(ExecutedLedger.member(1).text),
                    ]),
                .header(height: 3, digest: nil),
            ])
        }

        var verifier: Verifier { Verifier(genesis: ledger.genesis) }

        func bundle(
            _ numbers: Set<Int>? = nil,
            disclosing: @escaping EvidenceBundle.Disclosure = { _ in true }
        ) throws -> EvidenceBundle {
            try EvidenceBundle.answering(
                questions.enumerated().filter { numbers?.contains($0.offset) ?? true }
                    .map(\.element), from: ledger, disclosing: disclosing)
        }
    }

    @Test(arguments: Suite.allCases) func splitsAreWhatANodeWouldMake(
        suite: LedgerCrypto.Suite
    ) throws {
        let world = try World(suite)
        let whole = try world.bundle()
        let all = Set(whole.questions.indices)
        for choice in 1..<(1 << all.count) {
            let numbers = all.filter { choice >> $0 & 1 == 1 }
            let part = try whole.split(numbers, suite)
            // SM2 signatures of the certificate are made anew each time.
            var made = try world.bundle(numbers)
            made.certificate = whole.certificate
            #expect(part.encoded == made.encoded, "\(numbers)")
            guard choice % 8 == 7 else { continue }
            #expect(problem(part, world.verifier) == nil)
            if numbers == all {
                #expect(part == whole)
            } else {
                let rest = try whole.split(all.subtracting(numbers), suite)
                #expect(try part.merged(with: rest, suite) == whole)
                #expect(try rest.merged(with: part, suite) == whole)
            }
        }
        #expect(throws: BundleProblem.noSuchQuestion(6)) { try whole.split([0, 6], suite) }
        #expect(throws: BundleProblem.noSuchQuestion(nil)) { try whole.split([], suite) }
    }

    @Test func whatIsWithheldIsNotThere() throws {
        let world = try World()
        let suite = world.ledger.suite
        // The transaction's own envelope cannot be withheld from the answer about it.
        let number = try #require(
            world.questions.firstIndex { if case .transaction = $0 { true } else { false } })
        let whole = try world.bundle(Set(world.questions.indices).subtracting([number]))
        for entry in whole.entries {
            guard case .envelope(let bytes) = entry.content else { continue }
            let digest = entry.content.digest(suite)
            let envelope = try Envelope(bytes: bytes, chain: whole.chain, suite: suite)
            let redacted = try whole.withholding(envelopes: [digest], records: [], suite)
            let made = try world.bundle(
                Set(world.questions.indices).subtracting([number]),
                disclosing: { $0 != envelope.transaction })
            #expect(redacted == made)
            let answer = try world.verifier.verify(redacted.encoded)
            #expect(answer.claims.contains(.withheld(count: 1)))
            #expect(EvidenceReport(answer).text.contains("信封未披露"))
            #expect(try redacted.merged(with: whole, suite) == whole)
            #expect(try whole.merged(with: redacted, suite) == whole)
        }
        let needed = try world.bundle([number])
        let hidden = try needed.withholding(
            envelopes: [needed.entries[0].content.digest(suite)], records: [], suite)
        #expect(problem(hidden, world.verifier)?.fault == .entryNotIncluded)
        #expect(throws: BundleProblem.noSuchEnvelope(.zero)) {
            try whole.withholding(envelopes: [.zero], records: [], suite)
        }
    }

    @Test func aWithheldRecordIsNamed() throws {
        let world = try World()
        let suite = world.ledger.suite
        let whole = try world.bundle()
        let account = StateKey.account(
            member: ExecutedLedger.member(2), bank: ExecutedLedger.member(1), suite)
        let redacted = try whole.withholding(envelopes: [], records: [account], suite)
        #expect(decodesExactly(redacted.records[0], limits: .standard))
        let answer = try world.verifier.verify(redacted.encoded)
        let question = try #require(
            whole.questions.first { if case .record = $0 { true } else { false } })
        guard case .record(.withheld(let digest))? = answer[question] else {
            Issue.record("the record is withheld")
            return
        }
        #expect(answer.claims.contains(.recordsWithheld(count: 1)))
        #expect(EvidenceReport(answer).text.contains(digest.hex))
        #expect(try redacted.merged(with: whole, suite) == whole)
        // What the answer needs is missed, a key's record is not.
        let asset = StateKey.digest(.asset, world.source, suite: suite)
        let useless = try whole.withholding(envelopes: [], records: [asset], suite)
        #expect(problem(useless, world.verifier)?.fault == .recordWithheld)
        #expect(problem(useless, world.verifier)?.standing == .notProven)
        let keys = whole.records.filter {
            guard case .value(let value) = $0.content,
                case .key? = try? StoredRecord.decode(value: value)
            else { return false }
            return true
        }
        let unchecked = try whole.withholding(
            envelopes: [], records: Set(keys.map(\.key)), suite)
        let claims = try world.verifier.verify(unchecked).claims
        #expect(claims.contains { if case .signaturesNotRechecked = $0 { true } else { false } })
        #expect(throws: BundleProblem.noSuchRecord(.zero)) {
            try whole.withholding(envelopes: [], records: [.zero], suite)
        }
        // Another digest than that of what the state holds is refused.
        var lie = redacted
        let place = try #require(lie.records.firstIndex { $0.key == account })
        lie.records[place] = StateEvidence(
            key: account, content: .withheld(.zero), proof: lie.records[place].proof)
        #expect(problem(lie, world.verifier)?.fault == .wrongStateProof)
    }

    @Test(arguments: Suite.allCases) func aDetachedBundleIsForThoseWhoTrustItsHeader(
        suite: LedgerCrypto.Suite
    ) throws {
        let world = try World(suite)
        let whole = try world.bundle()
        let detached = whole.detached(suite)
        #expect(
            detached.encoded.count + whole.head.encoded.count == whole.encoded.count
                + whole.head.digest(suite).encoded.count)
        let answer = try world.verifier.verify(whole)
        let (header, digest) = (whole.header, whole.header.digest(suite))
        #expect(
            problem(detached, world.verifier)
                == EvidenceProblem(.bundle, .headerNotTrusted(digest)))
        #expect(EvidenceFault.headerNotTrusted(digest).standing == .notYet)

        // Accepted by its digest, without a vote.
        let start = try TrustedChain(
            accepting: digest, header: header, validators: world.ledger.genesis.validators)
        let reader = try Verifier(genesis: world.ledger.genesis, trust: start)
        let read = try reader.verify(detached.encoded)
        #expect(read.findings == answer.findings)
        #expect(read.checkpoint.signatures == 0)
        #expect(EvidenceReport(read).text.contains("以信任起点的区块头为准"))
        #expect(read.json.encodedText.contains("\"signatures\":0,"))

        // Followed to before.
        guard case .proven(let followed) = try world.verifier.follow(whole.encoded, nowMs: .max)
        else { throw Unexpected() }
        let follower = try Verifier(genesis: world.ledger.genesis, trust: followed.trust)
        #expect(try follower.verify(detached.encoded) == answer)
        guard case .proven(let again) = try follower.follow(detached.encoded, nowMs: .max) else {
            throw Unexpected()
        }
        #expect(again.trust == followed.trust)
        #expect(again.linkedTo == answer.height)
        // From the end of an epoch, below the newest header.
        var chain = TestChain(suite, members: TestChain.members(suite))
        chain.changeEpoch(to: (0..<4).map { TestChain.key(suite, 200 + $0) })
        let end = try EvidenceBundle.answering([.header(height: 1, digest: nil)], from: chain)
        chain.grow(2)
        let newest = try TrustedChain(genesis: chain.genesis).advance(
            to: chain.certified(3), epochChanges: chain.changes)
        let kept = try #require(newest.chain)
        let later = try Verifier(genesis: chain.genesis, trust: kept)
        guard case .proven(let older) = try later.follow(end.detached(suite).encoded, nowMs: .max)
        else { throw Unexpected() }
        #expect(older.linkedTo == 1 && !older.report.text.contains("not added"))

        // Nothing in it is believed more than in a whole one.
        for place in detached.entries.indices {
            var lie = detached
            let entry = lie.entries[place]
            lie.entries[place] = EntryEvidence(
                height: entry.height, position: entry.position, content: entry.content,
                code: entry.code ^ 1, resultsPath: entry.resultsPath, logPath: entry.logPath)
            #expect(
                problem(lie, reader)?.fault == .outcomeNotInResults(code: entry.code ^ 1))
        }
        #expect(throws: EvidenceProblem(.certificate, .certificateNotIncluded)) {
            try reader.receipts(detached.encoded)
        }
        #expect(try detached.merged(with: whole, suite) == whole)
        #expect(try whole.merged(with: detached, suite) == whole)
        #expect(try detached.merged(with: detached, suite) == detached)
        let all = Set(whole.questions.indices)
        for number in all {
            #expect(
                try detached.split([number], suite) == whole.split([number], suite).detached(suite))
        }
    }

    private struct Unexpected: Error {}

    @Test func onlyBundlesOfOneMomentAreMerged() throws {
        let world = try World()
        let suite = world.ledger.suite
        let before = try world.bundle([0, 1])
        let here = try world.bundle([2, 3])
        world.ledger.run([])
        let later = try world.bundle([2])
        #expect(
            throws: BundleProblem.otherHeader(
                before.header.digest(suite), later.header.digest(suite))
        ) { try before.merged(with: later, suite) }
        let other = try World(.sm2SM3).bundle([0])
        #expect(throws: BundleProblem.otherLedger) { try before.merged(with: other, suite) }
        var lie = here
        lie.ancestors[0] = HeaderEvidence(
            header: here.ancestors[0].header, path: here.ancestors[0].path + [.zero])
        #expect(
            throws: BundleProblem.contradiction(
                .ancestor(height: here.ancestors[0].header.height))
        ) { try here.merged(with: lie, suite) }
    }
}
