import Ledger
import LedgerCrypto
import Testing

@testable import Consensus

/// The clauses that the safety argument in Consensus.swift uses, over random histories of attempts.
struct SafetyRulesTests {
    let fixture = Fixture()

    /// Whatever is asked for, in whatever order, and with a restart at any point: what was permitted never contradicts.
    @Test func permittedStatementsNeverContradict() {
        for seed in 0..<300 {
            var dice = Dice(state: UInt64(seed))
            var book = CertificateBook(final: fixture.genesis)
            var rules = SafetyRules(epoch: 0, finalView: 0, recovered: [], standing: .voting)
            var permitted: [VoteStatement] = []
            for _ in 0..<60 {
                let view = UInt64(dice.below(5) + 1)
                let subject = fixture.block(1, ["a", "b", "c"][dice.below(3)])
                switch dice.below(6) {
                case 0:
                    let isNew = try? rules.notarize(
                        view: view, subject: subject, proposer: 1, leader: 1, executed: subject,
                        base: fixture.block(0).header, baseView: 0, baseEndsEpoch: false, book: book
                    )
                    if isNew == .new { permitted.append(fixture.notarize(view, subject)) }
                case 1:
                    if (try? rules.nullify(view: view)) == .new {
                        permitted.append(fixture.nullify(view))
                    }
                case 2:
                    let isNew = try? rules.finalize(view: view, executed: subject, book: book)
                    if isNew == .new { permitted.append(fixture.finalize(view, subject)) }
                case 3: _ = book.insert(fixture.certificate(fixture.nullify(view)))
                case 4: _ = book.insert(fixture.certificate(fixture.notarize(view, subject)))
                default:
                    rules = SafetyRules(
                        epoch: 0, finalView: 0, recovered: permitted, standing: .voting)
                }
            }
            for (index, first) in permitted.enumerated() {
                for second in permitted[(index + 1)...] {
                    let pair = Equivocation(
                        fixture.vote(first, 0).value, fixture.vote(second, 0).value)
                    #expect(pair == nil, "seed \(seed): \(first) and \(second)")
                }
            }
        }
    }

    /// An epoch's last block has no child, may be proposed again where it was notarized, and no other block may.
    @Test func theLastBlockStandsForItsOwnParent() throws {
        var rules = SafetyRules(epoch: 0, finalView: 0, recovered: [], standing: .voting)
        var book = CertificateBook(final: fixture.genesis)
        let last = fixture.block(1)
        let child = fixture.block(2)
        func notarize(
            _ view: UInt64, _ subject: VoteSubject, base: VoteSubject, _ baseView: UInt64,
            ends: Bool
        ) throws(SafetyRules.Refusal) -> SafetyRules.Permission {
            try rules.notarize(
                view: view, subject: subject, proposer: 1, leader: 1, executed: subject,
                base: base.header, baseView: baseView, baseEndsEpoch: ends, book: book)
        }
        #expect(try notarize(1, last, base: fixture.block(0), 0, ends: false) == .new)
        _ = book.insert(fixture.certificate(fixture.notarize(1, last)))
        #expect(throws: SafetyRules.Refusal.epochEnds) {
            try notarize(2, child, base: last, 1, ends: true)
        }
        #expect(throws: SafetyRules.Refusal.epochEnds, "not the epoch's last one") {
            try notarize(2, last, base: last, 1, ends: false)
        }
        #expect(try notarize(2, last, base: last, 1, ends: true) == .new)
        #expect(throws: SafetyRules.Refusal.unjustified(lacking: 3)) {
            try notarize(4, last, base: last, 1, ends: true)
        }
        for view: UInt64 in [2, 3] { _ = book.insert(fixture.certificate(fixture.nullify(view))) }
        #expect(try notarize(4, last, base: last, 1, ends: true) == .new)
        _ = book.insert(fixture.certificate(fixture.nullify(4)))
        #expect(throws: SafetyRules.Refusal.unjustified(lacking: 1), "past the last block") {
            try notarize(5, child, base: fixture.block(0), 0, ends: false)
        }
    }

    @Test func notarizeDemandsLeaderResultAndParent() throws {
        var rules = SafetyRules(epoch: 0, finalView: 0, recovered: [], standing: .voting)
        var book = CertificateBook(final: fixture.genesis)
        let subject = fixture.block(1)
        let parent = fixture.block(0).header
        #expect(throws: SafetyRules.Refusal.notTheLeader) {
            try rules.notarize(
                view: 1, subject: subject, proposer: 2, leader: 1, executed: subject,
                base: parent, baseView: 0, baseEndsEpoch: false, book: book)
        }
        #expect(throws: SafetyRules.Refusal.notExecuted) {
            try rules.notarize(
                view: 1, subject: subject, proposer: 1, leader: 1, executed: fixture.block(1, "b"),
                base: parent, baseView: 0, baseEndsEpoch: false, book: book)
        }
        #expect(throws: SafetyRules.Refusal.unjustified(lacking: 2)) {
            try rules.notarize(
                view: 3, subject: subject, proposer: 1, leader: 1, executed: subject,
                base: parent, baseView: 0, baseEndsEpoch: false, book: book)
        }
        for view: UInt64 in [1, 2] { _ = book.insert(fixture.certificate(fixture.nullify(view))) }
        #expect(throws: SafetyRules.Refusal.unjustified(lacking: 0)) {
            try rules.notarize(
                view: 3, subject: subject, proposer: 1, leader: 1, executed: subject,
                base: fixture.block(0, "b").header, baseView: 0, baseEndsEpoch: false, book: book)
        }
        let permission = try rules.notarize(
            view: 3, subject: subject, proposer: 1, leader: 1, executed: subject,
            base: parent, baseView: 0, baseEndsEpoch: false, book: book)
        #expect(permission == .new)
        let again = try rules.notarize(
            view: 3, subject: subject, proposer: 1, leader: 1, executed: subject,
            base: parent, baseView: 0, baseEndsEpoch: false, book: book)
        #expect(again == .onRecord)
    }

    @Test func aFinalViewIsClosed() {
        let statements = (1...6).map { fixture.nullify(UInt64($0)) }
        var rules = SafetyRules(epoch: 0, finalView: 0, recovered: statements, standing: .voting)
        rules.advance(to: 4)
        #expect(rules.views == [5, 6])
        #expect(throws: SafetyRules.Refusal.viewIsFinal) { try rules.nullify(view: 4) }
        // A jump far beyond the records.
        rules.advance(to: 1_000_000_000)
        #expect(rules.views.isEmpty)
        #expect(throws: SafetyRules.Refusal.viewIsFinal) { try rules.nullify(view: 6) }
    }

    /// `lacking` and `parent` against the definition, for every pattern of certificates in five views.
    @Test func parentsAreThoseOfTheDefinition() {
        let views: [UInt64] = [1, 2, 3, 4, 5]
        for pattern in 0..<(1 << 10) {
            var book = CertificateBook(final: fixture.genesis)
            var notarized: Set<UInt64> = [0]
            var nullified: Set<UInt64> = []
            for view in views {
                if pattern >> (2 * Int(view - 1)) & 1 == 1 {
                    let subject = fixture.block(view)
                    _ = book.insert(fixture.certificate(fixture.notarize(view, subject)))
                    notarized.insert(view)
                }
                if pattern >> (2 * Int(view - 1) + 1) & 1 == 1 {
                    _ = book.insert(fixture.certificate(fixture.nullify(view)))
                    nullified.insert(view)
                }
            }
            let open = views.first { !notarized.contains($0) && !nullified.contains($0) }
            #expect(book.openView == open ?? 6)
            for parentView in 0...UInt64(5) {
                let isAllowed =
                    notarized.contains(parentView)
                    && ((parentView + 1)..<6).allSatisfy { nullified.contains($0) }
                let lacking = book.lacking(
                    parent: fixture.block(parentView).header, parentView: parentView, view: 6)
                #expect((lacking == nil) == isAllowed, "pattern \(pattern), parent \(parentView)")
            }
            let best = (0...UInt64(5)).reversed().first { candidate in
                notarized.contains(candidate)
                    && ((candidate + 1)..<6).allSatisfy { nullified.contains($0) }
            }
            #expect(book.parent(for: 6, where: { _ in true })?.view == best)
        }
    }
}
