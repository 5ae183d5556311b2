import Consensus
import Ledger
import Testing

/// Before its first vote in a process a validator hears from a quorum less itself, and a vote that it forgot ends its voting.
struct ComparisonTests {
    let fixture = Fixture()

    private func answer(_ votes: [VoteStatement] = [], of seat: Int = 0) -> HeldVotes {
        HeldVotes(
            epoch: 0, question: 0, finalization: nil,
            votes: votes.map { fixture.vote($0, seat).value })
    }

    private func forgotten(_ steps: [Simplex.Step]) -> [VoteStatement] {
        steps.compactMap { if case .forgotten(let vote) = $0 { vote.statement } else { nil } }
    }

    @Test func nothingIsSaidBeforeTwoOfThreePeersWereHeard() {
        let record = [fixture.nullify(1)]
        var core = fixture.core(recovered: record, standing: .comparing)
        core.receive(fixture.certificate(fixture.nullify(1), [1, 2, 3]))
        core.nullify(view: 2)
        core.compare(answer(), from: 1)
        // Twice the same peer, one without a seat, and itself are no second one.
        for seat in [1, 4, 0] { core.compare(answer(), from: seat) }
        #expect(core.isComparing && !core.mayVote)
        var steps = core.takeSteps()
        #expect(!steps.contains { if case .sign = $0 { true } else { false } })
        core.compare(answer(record), from: 2)
        steps = core.takeSteps()
        #expect(core.mayVote)
        #expect(steps.contains(.sign(fixture.nullify(1), isNew: false)), "what is on record")
        #expect(steps.contains(.compared))
        core.nullify(view: 2)
        #expect(core.takeSteps() == [.sign(fixture.nullify(2), isNew: true)])
    }

    /// A block that was executed meanwhile is voted for as soon as this is permitted.
    @Test func finalizeVotesAreMadeUpFor() {
        let subject = fixture.block(1)
        var core = fixture.core(standing: .comparing)
        core.receive(fixture.certificate(fixture.notarize(1, subject), [1, 2, 3]))
        core.markExecuted(view: 1, subject)
        #expect(!core.takeSteps().contains(.sign(fixture.finalize(1, subject), isNew: true)))
        for seat in [1, 2] { core.compare(answer(), from: seat) }
        #expect(core.takeSteps().contains(.sign(fixture.finalize(1, subject), isNew: true)))
    }

    @Test func aVoteThatItForgotEndsItsVoting() {
        let record = [fixture.nullify(1)]
        for lost in [fixture.nullify(5), fixture.finalize(1, fixture.block(1))] {
            var core = fixture.core(recovered: record, standing: .comparing)
            core.compare(answer(record + [lost]), from: 3)
            for seat in [1, 2] { core.compare(answer(), from: seat) }
            #expect(!core.mayVote && !core.isComparing)
            let steps = core.takeSteps()
            #expect(forgotten(steps) == [lost], "told once")
            #expect(!steps.contains(.compared))
            core.nullify(view: 1)
            #expect(core.takeSteps().isEmpty)
        }
    }

    /// Also later, from whatever message, and within certificates.
    @Test func itIsNoticedAtAnyTime() {
        let lost = fixture.notarize(1, fixture.block(1))
        var core = fixture.core()
        core.receive(fixture.vote(lost, 0))
        #expect(forgotten(core.takeSteps()) == [lost])
        for statement in [lost, fixture.nullify(1), fixture.finalize(1, fixture.block(1))] {
            core = fixture.core()
            core.receive(fixture.certificate(statement))
            #expect(forgotten(core.takeSteps()) == [statement])
            #expect(!core.mayVote)
            core = fixture.core()
            core.receive(fixture.certificate(statement, [1, 2, 3]))
            #expect(core.mayVote)
        }
        core = fixture.core(seat: 1, recovered: [fixture.nullify(1)])
        core.receive(fixture.certificate(fixture.nullify(1)))
        #expect(core.mayVote, "its own vote, which is on record")
    }

    /// Nobody but the owner of the key can silence a validator.
    @Test func othersCannotSilenceIt() {
        var core = fixture.core(standing: .comparing)
        let forged = Vote(
            statement: fixture.nullify(3), validator: 0,
            signature: [UInt8](repeating: 7, count: Vote.signatureBytes))
        core.compare(
            HeldVotes(epoch: 0, question: 0, finalization: nil, votes: [forged]), from: 1)
        core.compare(answer([fixture.nullify(3)], of: 2), from: 2)
        #expect(core.isComparing, "an answer with a forged vote is none")
        core.compare(answer(), from: 3)
        #expect(core.mayVote)
        #expect(forgotten(core.takeSteps()) == [])
    }

    /// An answer holds counted votes and those within certificates, the newest views first, above the final one only.
    @Test func answersHoldWhatIsKnown() {
        var core = fixture.core(seat: 1)
        let subject = fixture.block(1)
        core.receive(fixture.certificate(fixture.nullify(1), [0, 2, 3]))
        core.receive(fixture.vote(fixture.nullify(1), 0))
        core.receive(fixture.vote(fixture.nullify(2), 0))
        core.receive(fixture.certificate(fixture.notarize(3, subject), [0, 2, 3]))
        var held = core.votesHeld(of: 0, question: 9)
        #expect(
            held.votes.map(\.statement) == [
                fixture.notarize(3, subject), fixture.nullify(2), fixture.nullify(1),
            ])
        #expect(held.question == 9 && held.finalization == nil)
        #expect(core.votesHeld(of: 1, question: 9).votes.isEmpty)
        let finalization = fixture.certificate(fixture.finalize(2, subject), [0, 2, 3])
        core.receive(finalization)
        held = core.votesHeld(of: 0, question: 9)
        #expect(held.votes.map(\.statement) == [fixture.notarize(3, subject)])
        #expect(held.finalization == finalization.value)
        for view in 4...UInt64(PeerLimits.heldVotesMax + 20) {
            core.receive(fixture.certificate(fixture.nullify(view)))
        }
        held = core.votesHeld(of: 0, question: 9)
        #expect(held.votes.count == PeerLimits.heldVotesMax)
        #expect(held.votes[0].statement == fixture.nullify(UInt64(PeerLimits.heldVotesMax + 20)))
    }

    @Test func aloneThereIsNobodyToAsk() {
        let alone = Fixture(count: 1)
        var core = alone.core(standing: .comparing)
        #expect(core.mayVote)
        core.nullify(view: 1)
        #expect(core.takeSteps().contains(.sign(alone.nullify(1), isNew: true)))
    }
}
