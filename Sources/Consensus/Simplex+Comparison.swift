import Encoding
import Ledger

/// What a peer holds of the asking validator's votes. Wire: `[epoch, question, finalization / null, [vote…]]`.
public struct HeldVotes: Sendable, Equatable {
    public let epoch: UInt64
    /// The number that came with the question, so that an answer to an earlier process is not taken for one to this.
    public let question: UInt64
    /// The newest that the peer holds in this epoch.
    public let finalization: Certificate?
    /// Votes of the asker above that view, newest views first, at most `PeerLimits.heldVotesMax`.
    public let votes: [Vote]

    public init(epoch: UInt64, question: UInt64, finalization: Certificate?, votes: [Vote]) {
        self.epoch = epoch
        self.question = question
        self.finalization = finalization
        self.votes = votes
    }
}

extension HeldVotes: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(4)
        encoder.unsigned(epoch)
        encoder.unsigned(question)
        encoder.optional(finalization)
        encoder.list(votes)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 4)
        epoch = try decoder.unsigned()
        question = try decoder.unsigned()
        finalization = try decoder.optional(Certificate.self)
        votes = try decoder.list(max: PeerLimits.heldVotesMax)
    }
}

/// Comparing the own record with what peers hold; the module comment, "Lost votes", says why and when.
extension Simplex {
    // MARK: Answering

    /// What this replica holds of a validator's votes, counted ones and those within certificates.
    public func votesHeld(of seat: Int, question: UInt64) -> HeldVotes {
        var votes: [Vote] = []
        let views = Set(tallies.keys).union(book.certifiedViews).sorted(by: >)
        for view in views where view > book.final.view {
            var held = tallies[view]?.votes(of: seat) ?? []
            for certificate in [book.notarization(view), book.nullification(view)] {
                guard let vote = certificate?.vote(of: seat),
                    !held.contains(where: { $0.statement == vote.statement })
                else { continue }
                held.append(vote)
            }
            if votes.count + held.count > PeerLimits.heldVotesMax { break }
            votes += held
        }
        return HeldVotes(
            epoch: epoch, question: question, finalization: book.final.certificate, votes: votes)
    }

    // MARK: Asking

    /// Peers whose answers are needed: a quorum less this replica, so that one of them at least is honest.
    public var answersNeeded: Int { validators.quorum - 1 }

    /// A peer's answer to this process's question, whose finalization has been received.
    ///
    /// - Parameter seat: the peer's, proven by its transport key.
    /// - Returns: false for a vote that is not this replica's, which no honest peer holds.
    @discardableResult
    public mutating func compare(_ answer: HeldVotes, from seat: Int) -> Bool {
        guard answer.epoch == epoch, validators.validators.indices.contains(seat),
            seat != self.seat
        else { return true }
        for vote in answer.votes
        where vote.validator == self.seat && vote.statement.epoch == epoch
            && !rules.holds(vote.statement)
        {
            // What an honest peer holds is valid.
            signatureChecks += 1
            guard authority.verified(vote) != nil else { return false }
            noteOwn(vote)
        }
        comparedWith.insert(seat)
        compareIfEnough()
        return true
    }

    /// Votes from now on if enough peers were heard, beginning with what is on record.
    mutating func compareIfEnough() {
        guard isComparing, comparedWith.count >= answersNeeded else { return }
        rules.markCompared()
        signRecord()
        for view in book.notarizedViews { finalizeIfExecuted(view) }
        steps.append(.compared)
    }

    /// A vote in this replica's name, verified: either it is on record, or the record is not complete.
    mutating func noteOwn(_ vote: Vote) {
        guard vote.validator == seat, rules.standing != .forgetful, !rules.holds(vote.statement)
        else { return }
        rules.markForgetful()
        steps.append(.forgotten(vote))
    }

    func ownVote(in certificate: Certificate) -> Vote? {
        seat.flatMap { certificate.vote(of: $0) }
    }
}

extension Certificate {
    func vote(of seat: Int) -> Vote? {
        signatures.first { $0.validator == seat }.map {
            Vote(statement: statement, validator: seat, signature: $0.signature)
        }
    }
}
