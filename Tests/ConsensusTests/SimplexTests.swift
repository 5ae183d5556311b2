import Ledger
import LedgerCrypto
import Testing

@testable import Consensus

/// Transcripts of one core: what it is told and what it does.
struct SimplexTests {
    let fixture = Fixture()

    private func signs(_ steps: [Simplex.Step]) -> [VoteStatement] {
        steps.compactMap { if case .sign(let statement, _) = $0 { statement } else { nil } }
    }

    /// Votes for a block on genesis in view 1 and signs it, as the replica does.
    private func voted(_ core: inout Simplex, _ subject: VoteSubject) throws {
        try core.notarize(
            view: 1, subject: subject, proposer: core.leader(of: 1), executed: subject,
            base: fixture.block(0).header, baseView: 0, baseEndsEpoch: false)
        core.receive(fixture.vote(fixture.notarize(1, subject), 0))
    }

    @Test func anHonestViewTakesTwoRounds() throws {
        var core = fixture.core()
        let subject = fixture.block(1)
        #expect(core.takeSteps() == [.entered(view: 1)])
        try voted(&core, subject)
        #expect(signs(core.takeSteps()) == [fixture.notarize(1, subject)])
        core.receive(fixture.vote(fixture.notarize(1, subject), 1))
        #expect(core.takeSteps().isEmpty, "two of four are no quorum")
        core.receive(fixture.vote(fixture.notarize(1, subject), 2))
        let certificate = fixture.certificate(fixture.notarize(1, subject)).value
        #expect(
            core.takeSteps() == [
                .assembled(certificate), .notarized(view: 1, subject),
                .sign(fixture.finalize(1, subject), isNew: true), .entered(view: 2),
            ])
        for seat in 0..<3 { core.receive(fixture.vote(fixture.finalize(1, subject), seat)) }
        let finalization = fixture.certificate(fixture.finalize(1, subject)).value
        #expect(
            core.takeSteps() == [
                .assembled(finalization),
                .final(FinalPoint(view: 1, subject: subject, certificate: finalization)),
            ])
        #expect(core.view == 2)
    }

    /// Once each, in order, however far the finalization is ahead.
    @Test(arguments: [8, 5_000] as [UInt64])
    func passedNullificationsAreHandedOn(_ final: UInt64) throws {
        var core = fixture.core()
        for view: UInt64 in [4, 1, 2] {
            core.receive(fixture.certificate(fixture.nullify(view)))
        }
        #expect(core.takePassedNullifications().isEmpty)
        core.receive(fixture.certificate(fixture.finalize(3, fixture.block(1))))
        #expect(
            core.takePassedNullifications().map(\.statement)
                == [fixture.nullify(1), fixture.nullify(2)])
        for view: UInt64 in [10, 5, 8, 6] {
            core.receive(fixture.certificate(fixture.nullify(view)))
        }
        core.receive(fixture.certificate(fixture.finalize(final, fixture.block(2))))
        #expect(
            core.takePassedNullifications().map(\.statement)
                == [4, 5, 6, 8].map { fixture.nullify($0) }
                + (final > 10 ? [fixture.nullify(10)] : []))
        #expect(core.takePassedNullifications().isEmpty)
    }

    @Test func aNullifiedViewIsNotFinalized() throws {
        var core = fixture.core()
        let subject = fixture.block(1)
        try voted(&core, subject)
        core.nullify(view: 1)
        _ = core.takeSteps()
        core.receive(fixture.certificate(fixture.notarize(1, subject), [1, 2, 3]))
        #expect(signs(core.takeSteps()).isEmpty)
        #expect(core.view == 2)
        // The others' finalize votes still count.
        for seat in 1..<4 { core.receive(fixture.vote(fixture.finalize(1, subject), seat)) }
        #expect(core.book.final.subject == subject)
    }

    @Test func anUnexecutedBlockIsFinalizedWhenItIsExecuted() {
        var core = fixture.core()
        let subject = fixture.block(1)
        core.receive(fixture.certificate(fixture.notarize(1, subject), [1, 2, 3]))
        #expect(signs(core.takeSteps()).isEmpty)
        core.markExecuted(view: 1, fixture.block(1, "b"))
        #expect(signs(core.takeSteps()).isEmpty, "another block is not the notarized one")
        core.markExecuted(view: 1, subject)
        #expect(signs(core.takeSteps()) == [fixture.finalize(1, subject)])
    }

    @Test func certificatesOfLaterViewsTakeItThere() {
        var core = fixture.core()
        core.receive(fixture.certificate(fixture.nullify(40)))
        #expect(core.view == 41)
        core.receive(fixture.certificate(fixture.nullify(7)))
        #expect(core.view == 41)
        core.receive(fixture.certificate(fixture.finalize(90, fixture.block(12))))
        #expect(core.view == 91)
        #expect(core.status(finalHeight: 0).openView == 91)
    }

    /// A view below, whose certificate nobody has any more, is not left open for ever.
    @Test func passedViewsAreNullifiedWhenTheTimerFires() throws {
        var core = fixture.core()
        let subject = fixture.block(1)
        try voted(&core, subject)
        core.receive(fixture.certificate(fixture.notarize(1, subject), [1, 2, 3]))
        core.receive(fixture.certificate(fixture.nullify(4), [1, 2, 3]))
        #expect(core.view == 5)
        _ = core.takeSteps()
        core.nullify(view: 5)
        core.nullifyPassedViews()
        #expect(signs(core.takeSteps()) == [5, 2, 3].map { fixture.nullify($0) })
        core.nullifyPassedViews()
        #expect(core.takeSteps().isEmpty, "they are on record")
    }

    @Test func afterARestartItSaysTheSameAgain() throws {
        let subject = fixture.block(1)
        let recovered = [fixture.notarize(1, subject), fixture.nullify(1), fixture.nullify(2)]
        var core = fixture.core(recovered: recovered)
        #expect(core.view == 1, "others may need its votes in the lowest open view")
        let steps = core.takeSteps()
        #expect(signs(steps) == recovered)
        #expect(!steps.contains { if case .sign(_, true) = $0 { true } else { false } })
        core.receive(fixture.certificate(fixture.notarize(1, subject), [1, 2, 3]))
        core.markExecuted(view: 1, subject)
        #expect(signs(core.takeSteps()).isEmpty, "view 1 was nullified before the crash")
    }

    /// A validator that equivocated withholds its vote after all others crashed: whoever voted to finalize can still
    /// show the notarization, so the view is left.
    @Test func aFinalizeVoteIsKeptWithItsNotarization() {
        let subject = fixture.block(1)
        let recovered = [fixture.notarize(1, subject), fixture.finalize(1, subject)]
        let notarization = fixture.certificate(fixture.notarize(1, subject), [0, 1, 3]).value
        var core = Simplex(
            authority: fixture.authority, seat: 0, final: fixture.genesis, recovered: recovered,
            certificates: [notarization], standing: .voting)
        core.start()
        #expect(core.view == 2)
        var other = fixture.core(seat: 2, recovered: [fixture.notarize(1, fixture.block(1, "b"))])
        let answer = core.answer(to: other.status(finalHeight: 0))
        #expect(answer.certificates == [notarization])
        for certificate in answer.certificates {
            other.receive(Verified(assumingValid: certificate))
        }
        #expect(other.view == 2)
    }

    /// Simulator seed 302: after a crash of all, the certificate of a later view is on record, and comes no second time
    /// when the views before it are left.
    @Test func aViewCertifiedBeforeTheCrashIsLeftToo() {
        let subject = fixture.block(1)
        let recovered = [fixture.notarize(3, subject), fixture.finalize(3, subject)]
        var core = Simplex(
            authority: fixture.authority, seat: 0, final: fixture.genesis, recovered: recovered,
            certificates: [fixture.certificate(fixture.notarize(3, subject)).value],
            standing: .voting)
        core.start()
        #expect(core.view == 1)
        core.receive(fixture.certificate(fixture.nullify(1)))
        #expect(core.view == 2)
        core.receive(fixture.certificate(fixture.nullify(2)))
        #expect(core.view == 4)
    }

    @Test func equivocationIsReportedOnce() {
        var core = fixture.core()
        let first = fixture.vote(fixture.notarize(1, fixture.block(1)), 3)
        let second = fixture.vote(fixture.notarize(1, fixture.block(1, "b")), 3)
        let third = fixture.vote(fixture.notarize(1, fixture.block(1, "c")), 3)
        for vote in [first, second, third, first] { core.receive(vote) }
        #expect(core.evidence == [Equivocation(first.value, second.value)])
        // Nullify beside finalize, in another view.
        core.receive(fixture.vote(fixture.nullify(2), 3))
        core.receive(fixture.vote(fixture.finalize(2, fixture.block(1)), 3))
        #expect(core.evidence.count == 2)
        // A nullify beside a notarize vote is honest.
        core.receive(fixture.vote(fixture.nullify(1), 3))
        #expect(core.evidence.count == 2)
    }

    /// A leader gives one block to two validators and another to the third, which sees the first one's certificate.
    @Test func aContradictionMayBeWithinACertificate() {
        let other = fixture.vote(fixture.notarize(1, fixture.block(1, "b")), 1)
        let notarization = fixture.certificate(fixture.notarize(1, fixture.block(1)), [1, 2, 3])
        let finalization = fixture.certificate(fixture.finalize(1, fixture.block(1)), [1, 2, 3])
        let pair = [1]
        for order in 0..<3 {
            var core = fixture.core()
            if order == 0 { core.receive(other) }
            core.receive(notarization)
            if order == 1 { core.receive(other) }
            core.receive(finalization)
            // Also when the view is final already, and for a while after.
            if order == 2 {
                for view in 2...UInt64(6) {
                    core.receive(fixture.certificate(fixture.finalize(view, fixture.block(view))))
                }
                core.receive(other)
            }
            #expect(core.evidence.map(\.first.validator) == pair, "\(order)")
            #expect(core.hasReported(1, in: 1) && !core.hasReported(2, in: 1))
        }
        var core = fixture.core()
        core.receive(notarization)
        let last = 1 + Simplex.finalViewsRemembered
        core.receive(fixture.certificate(fixture.finalize(last, fixture.block(2))))
        #expect(!core.wants(other.value), "not for ever")
    }

    /// A vote counts once, whoever repeats it, and an equivocator's second block never helps to a quorum.
    @Test func votesAreCountedOnce() {
        var core = fixture.core()
        let subject = fixture.block(1)
        for _ in 0..<5 { core.receive(fixture.vote(fixture.notarize(1, subject), 3)) }
        core.receive(fixture.vote(fixture.notarize(1, fixture.block(1, "b")), 2))
        core.receive(fixture.vote(fixture.notarize(1, subject), 2))
        core.receive(fixture.vote(fixture.notarize(1, subject), 1))
        #expect(core.book.notarization(1) == nil)
    }

    @Test func farVotesAreNotKept() {
        let core = fixture.core()
        let near = fixture.vote(fixture.nullify(1 + Simplex.viewsAheadMax), 1).value
        let far = fixture.vote(fixture.nullify(2 + Simplex.viewsAheadMax), 1).value
        #expect(core.wants(near))
        #expect(!core.wants(far))
        #expect(
            !core.wants(Vote(statement: near.statement, validator: 4, signature: near.signature)))
        let otherEpoch = VoteStatement.nullify(epoch: 1, view: 1)
        #expect(!core.wants(fixture.vote(otherEpoch, 1).value))
    }

    /// A replica that lost everything but its votes gets others onwards, and they it.
    @Test func aStatusIsAnsweredWithWhatIsMissing() {
        var ahead = fixture.core()
        let subject = fixture.block(1)
        ahead.receive(fixture.certificate(fixture.nullify(1)))
        ahead.receive(fixture.certificate(fixture.notarize(2, subject)))
        ahead.receive(fixture.certificate(fixture.finalize(2, subject)))
        ahead.receive(fixture.certificate(fixture.nullify(3)))
        ahead.nullify(view: 4)
        ahead.receive(fixture.vote(fixture.nullify(4), 0))
        var behind = fixture.core(seat: 1)
        let answer = ahead.answer(to: behind.status(finalHeight: 0))
        for certificate in answer.certificates {
            behind.receive(Verified(assumingValid: certificate))
        }
        #expect(behind.view == 4)
        #expect(behind.book.final == ahead.book.final)
        #expect(answer.votes.map(\.statement) == [fixture.nullify(4)])
        let again = ahead.answer(to: behind.status(finalHeight: 1))
        #expect(again.certificates.isEmpty)
    }

    /// Any order of the same votes and certificates leads to the same views and the same final block.
    @Test func orderDoesNotMatter() {
        let subject = fixture.block(1)
        let next = fixture.block(2)
        var votes: [Verified<Vote>] = []
        for seat in 1..<4 {
            votes.append(fixture.vote(fixture.nullify(1), seat))
            votes.append(fixture.vote(fixture.notarize(2, subject), seat))
            votes.append(fixture.vote(fixture.notarize(3, next), seat))
            votes.append(fixture.vote(fixture.finalize(3, next), seat))
        }
        for seed in 0..<200 {
            var dice = Dice(state: UInt64(seed))
            var shuffled = votes
            for index in shuffled.indices.reversed() {
                shuffled.swapAt(index, dice.below(index + 1))
            }
            var core = fixture.core()
            for vote in shuffled { core.receive(vote) }
            #expect(core.view == 4)
            #expect(core.book.final.view == 3)
            #expect(core.book.final.subject == next)
        }
    }
}
