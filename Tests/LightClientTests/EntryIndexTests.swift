import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records
import TestLedgers
import Testing

/// Many questions in one bundle: each is answered by its own entries, whatever the others ask for.
@Suite struct EntryIndexTests {
    /// Jobs of one asset, whose steps are taken in turns, beside attempts that were refused.
    private struct Jobs {
        var chain: TestChain
        let asset: Digest
        /// Of each job its transactions, in their order.
        private(set) var steps: [[Digest]] = []
        var verifier: Verifier { Verifier(genesis: chain.genesis) }
        var questions: [EvidenceQuestion] { steps.map { .output(job: $0[0]) } }

        init(_ count: Int) {
            let fixture = Fixture(.ed25519SHA256)
            chain = fixture.chain
            asset = fixture.asset
            for _ in 0..<count { steps.append([]) }
            for (turn, kind) in [TransactionKind.jobSubmit, .jobHold, .outputRelease].enumerated() {
                var block: [TestChain.Step] = []
                for number in 0..<count {
                    let job = steps[number].first ?? .zero
                    for code in [OutcomeCode.notPermitted, .accepted] {
                        let step = chain.step(
                            kind, by: fixture.buyer, code: code,
                            body: .map([(.unsigned(1), .bytes(job.bytes))]),
                            detail: .detail([("job", .bytes(job.bytes))]),
                            touching: [
                                (
                                    fixture.asset, code == .accepted ? .trades : .refusals,
                                    .member(fixture.buyer.id)
                                )
                            ])
                        block.append(step)
                        if code == .accepted { steps[number].append(step.transactionID) }
                    }
                    chain.put(
                        JobRecord(
                            id: steps[number][0], agreement: .zero, asset: fixture.asset,
                            buyer: fixture.buyer.id, purpose: "risk", queryCommitment: .zero,
                            status: [.submitted, .held, .released][turn],
                            outputCommitment: turn > 0 ? .zero : nil, reviewer: nil,
                            submittedHeight: 6))
                }
                chain.append(block)
            }
        }
    }

    @Test func eachQuestionHasItsOwnEntries() throws {
        let jobs = Jobs(9)
        let asked = EvidenceQuestion.sorted(
            jobs.questions + jobs.steps.map { .transaction($0[1]) }
                + [.licence(.zero, at: .height(0)), .output(job: .zero)])
        let whole = try EvidenceBundle.answering(asked, from: jobs.chain)
        let answer = try jobs.verifier.verify(whole.encoded, asked: asked)
        for (steps, question) in zip(jobs.steps, jobs.questions) {
            guard case .output(let output)? = answer[question] else {
                Issue.record("the output is answered")
                continue
            }
            #expect(output.steps.map(id) == steps)
            let number = try #require(asked.firstIndex(of: question))
            let part = try whole.split([number], .ed25519SHA256)
            let made = try EvidenceBundle.answering([question], from: jobs.chain)
            #expect(part.encoded == made.encoded)
            guard case .transaction(let entry)? = answer[.transaction(steps[1])] else {
                Issue.record("the transaction is answered")
                continue
            }
            #expect(id(entry) == steps[1] && entry.code == 0)
        }
        guard case .output(let none)? = answer[.output(job: .zero)] else {
            Issue.record("another finding")
            return
        }
        #expect(none.steps.isEmpty)
    }

    /// However many questions look for their entries in it.
    @Test func eachLogIsReadOnce() throws {
        let jobs = Jobs(9)
        let events = [EventLogKind.trades, .refusals].map {
            jobs.chain.events(asset: jobs.asset, log: $0)?.count ?? 0
        }.reduce(0, +)
        #expect(events >= 27)
        _ = try EvidenceBundle.answering(jobs.questions, from: jobs.chain, eventsMax: events)
        #expect(throws: EvidenceSourceError.tooManyEvents) {
            try EvidenceBundle.answering(jobs.questions, from: jobs.chain, eventsMax: events - 1)
        }
    }

    private func id(_ entry: ProvenEntry) -> Digest? {
        if case .transaction(let id, _, _) = entry.content { id } else { nil }
    }

    /// What no answer is made of is counted, and is what `split` leaves out.
    @Test func whatNoAnswerNeedsIsCounted() throws {
        let jobs = Jobs(4)
        let suite = LedgerCrypto.Suite.ed25519SHA256
        let asked = EvidenceQuestion.sorted(
            jobs.questions + jobs.steps.map { .transaction($0[1]) }
                + [
                    .header(height: 2, digest: nil),
                    .role(.provider, of: .init("Z")!, at: .height(1)),
                ])
        let whole = try EvidenceBundle.answering(asked, from: jobs.chain)
        #expect(!hasUnused(try jobs.verifier.verify(whole)))
        for choice in 1..<(1 << asked.count) where choice % 37 == 1 {
            let numbers = Set(asked.indices.filter { choice >> $0 & 1 == 1 })
            var fewer = whole
            fewer.questions = numbers.sorted().map { asked[$0] }
            let answer = try jobs.verifier.verify(fewer.encoded)
            let least = try whole.split(numbers, suite)
            let unused = UnusedParts(
                entries: whole.entries.count - least.entries.count,
                records: whole.records.count - least.records.count)
            #expect(answer.unused == unused, "\(numbers)")
            #expect(hasUnused(answer) == (unused.entries + unused.records > 0))
            #expect(answer.claims.contains(.unused(unused)) == hasUnused(answer))
            #expect(!hasUnused(try jobs.verifier.verify(least)))
            let other = try whole.split([0], suite)
            #expect(!hasUnused(try jobs.verifier.verify(try least.merged(with: other, suite))))
        }
        // Of an envelope that a node withholds nobody can tell what it was.
        let bare = try EvidenceBundle.answering(
            [jobs.questions[0]], from: jobs.chain, disclosing: { _ in false })
        let answer = try jobs.verifier.verify(bare)
        #expect(answer.unused == UnusedParts(entries: 3, records: 0))
        #expect(EvidenceReport(answer).text.contains("与以上回答无关的其他内容：3 个条目、0 条状态记录"))
    }

    private func hasUnused(_ answer: ProvenAnswer) -> Bool {
        answer.claims.contains { if case .unused = $0 { true } else { false } }
    }

    /// Nothing is proven of a bundle that is taken apart, so its heights may be any.
    @Test func theLastHeightOfAllIsNoEnd() throws {
        let fixture = Fixture(.ed25519SHA256)
        let question = EvidenceQuestion.role(.provider, of: fixture.provider.id, at: .time(.max))
        var bundle = try EvidenceBundle.answering([question], from: fixture.chain)
        let header = fixture.chain.newest
        bundle.ancestors = [
            HeaderEvidence(
                header: Header(
                    chain: header.chain, height: .max, epoch: 0, parent: .zero,
                    timeMs: header.timeMs, logSize: 1, logRoot: .zero, stateRoot: .zero,
                    resultsRoot: .zero, entryCount: 0, validators: .zero, nextValidators: nil),
                path: [])
        ]
        bundle.head = .trusted(.zero)
        #expect(try bundle.split([0], .ed25519SHA256) == bundle)
    }
}
