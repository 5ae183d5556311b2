import Ledger
import LedgerCrypto

/// Simplex consensus: the specification, and the core that follows it.
///
/// Source: B. Chan, R. Pass, *Simplex Consensus: A Simple and Fast Consensus Protocol* (TCC 2023), with the vote
/// names and the certificate forwarding of Commonware's `simplex`. Tolerates `f = ⌊(n−1)/3⌋` Byzantine
/// validators of `n`; a quorum is `n − f`; safe under asynchrony, live once messages arrive within Δ.
///
/// **Views.** Time is cut into views 1, 2, 3…; the validator set of the epoch gives each view one leader, in turn.
/// A block is proposed in one view; view 0 holds the genesis block, which is final from the start.
///
/// **Votes and certificates.** There are three votes, and a quorum of equal ones is a certificate:
/// - *notarize(v, b)* → notarization: b is the only block that view v can contribute;
/// - *nullify(v)* → nullification: view v need not contribute a block;
/// - *finalize(v, b)* → finalization: view v is not nullified, so b and its ancestors are final.
///
/// **A view, step by step.** A replica in view v
/// 1. starts its timer. The leader proposes a block whose parent is notarized in some view p < v, with every view
///    between p and v nullified, as soon as it has something to order, at the latest after the heartbeat. The
///    proposal carries the leader's notarize vote and the certificates that justify the parent;
/// 2. on the first proposal of v's leader whose parent is so justified, whose header's time is after its parent's
///    and at most its own clock + drift, and which it executed with the same result: notarize(v, b);
/// 3. when its timer fires, or the proposal proves invalid, or the leader has long been silent: nullify(v). When the
///    timer fires, also nullify(u) for each view u that it passed on a later view's certificate and has no certificate of;
/// 4. on a notarization of (v, b): forwards it, votes finalize(v, b) as soon as it has executed b, unless it voted
///    nullify(v), and enters v + 1;
/// 5. on a nullification of v: forwards it and enters v + 1;
/// 6. on a finalization of (v, b): forwards it, commits b with its ancestors, forgets all views up to v, and enters
///    v + 1 if it is not beyond.
///
/// A certificate of a later view counts as well: it is proof that a quorum got there, and no certificate of the views
/// between is needed in order to enter. A replica *forwards* the certificates that it assembled itself; those
/// that it received were forwarded by whoever assembled them.
///
/// **Why it is safe.** (a) Two notarizations of one view need two quorums, which share an honest validator, which
/// votes notarize once a view; so there is one at most. (b) An honest validator never votes both nullify and
/// finalize in a view, so a view with a finalization has no nullification. (c) Let b be final in v. A block
/// notarized in a later view w has its parent notarized in p with all of (p, w) nullified; by (b) p ≥ v, and by
/// induction and (a) it descends from b. `SafetyRules` holds every clause that this argument uses, and the rule
/// that a statement is durable before it is signed makes them hold across crashes.
///
/// **Why it is live.** Every honest replica passes on what takes others into its view. With an honest leader and
/// messages within Δ all honest replicas notarize and finalize within 3Δ; a timer longer than that never
/// interferes. With a faulty leader the timers of the honest validators nullify the view. Lost messages: a replica
/// without progress repeats its own votes of the view and its status on a retry timer; a peer that is ahead
/// answers a status with the certificates, or its own votes, from the sender's lowest open view upwards.
/// A view may have been passed on certificates of later ones, and its own certificate lost with the memory of those
/// who crashed, or a vote in it with a disk: nothing builds on what is below such a view, so whoever
/// passed it votes to nullify it once its present view times out.
/// The timer doubles with each full turn of leaders in which nothing became final, so that too short a time-out cannot
/// stop progress for ever. That blocks are notarized is not enough: with messages slower than half a time-out, every
/// replica nullifies a view just before it sees its notarization, and votes to finalize nothing.
///
/// **After a crash.** A replica has its votes, and with each finalize vote the notarization that permitted it: without
/// that, a Byzantine validator could withhold a vote that it gave before all others crashed, and those who voted
/// to finalize could neither nullify the view nor show why. It starts in its lowest open view, above or below
/// where it was, because others may need its votes there: an honest replica that has voted finalize in a view can show
/// the notarization, and every other one may still nullify it. So even if all of them crash together, each view
/// is left again. What is on record is signed again; nothing that contradicts it is.
///
/// **Lost votes.** A store that was lost, or restored from an older copy, does not show what was signed before. So
/// the driver lets a voting key vote from the store alone that first used it (`VoteBinding` in Storage), and a replica
/// 1. before its first vote in a process asks its peers which votes of its seat they hold above the final view, and waits
///    for a quorum less itself: at least one honest peer is among them. Each answers at once, whatever its own standing, so
///    validators that all start together do not wait for one another. An answer brings the peer's
///    finalization, below which nothing is said any more;
/// 2. when any valid vote of its key turns up that its store does not hold, then or later, alone or within a certificate,
///    never votes again: it follows, and a new key gets its seat. Nobody but the key's owner can cause that.
///
/// Without a vote it counts as crashed, which f validators may be. This finds what peers still hold; it is a second
/// guard behind the binding, not in its place.
///
/// **Equivocation.** Two contradicting votes of one validator in one view, alone or within certificates, are kept as
/// evidence and reported once for each view; counting goes on with the first one. A replica that sees only one of the two
/// cannot tell.
///
/// **Bounds.** Votes are counted for views above the final one and at most `viewsAheadMax` beyond the replica's own, and
/// kept for `finalViewsRemembered` below it.
/// Certificates above the final view are kept (`CertificateBook` says why that is bounded); everything else is
/// dropped when a view is final.
///
/// **Epochs.** A core serves one epoch under one validator set; votes and certificates bind it, and those of another
/// epoch are refused. A block whose entries change the set is *its epoch's last*: its header names the next set.
/// - It has no child within the epoch. Whoever leads a view and would build on it proposes it again instead, the same
///   header in the new view: wherever the rules above say "parent", the last block may stand for its own parent, and
///   the views between are nullified as for any parent. So votes for it in view w name w and the same block.
/// - Once it is final, in whichever view, the epoch is over: the replica commits it, drops this core and starts one for
///   the next epoch under the set in the header, in view 1, on that block as final in view 0.
/// - Votes and certificates of a finished epoch mean nothing any more. Who is still in it learns from a peer's status
///   that there is a later one, fetches the final blocks and verifies each group under the set that the blocks before
///   it decided; nothing but the last blocks' finalizations leads from one epoch to the next.
///
/// Why that is safe: let (c) above hold with the reflexive step added. If the last block b is final in v, a block
/// notarized in a later view w of the epoch builds on what was notarized in p ≥ v with (p, w) nullified; by
/// induction that is b, which has no child, so it is b again. If another block b' is final in the epoch, b' is an
/// ancestor of b or b itself. Hence one epoch has one last final block, and the next one has one beginning and one set.
/// Repeating a header finalizes the same header, and a finalize vote for it in any view is true. Between epochs
/// no quorum is compared with another: votes bind the epoch, and a set's certificate is looked at only in its own.
///
/// Why it is live: the last block is proposed like any other until a view finalizes it. The rules of the market change
/// no more seats at once than the sets tolerate faults, so the next epoch goes on while newcomers catch up. A newcomer
/// votes from the first view of the epoch that seats it; before, it has no seat and cannot.
public struct Simplex: Sendable {
    /// Votes are counted for at most this many views beyond the current one.
    public static let viewsAheadMax: UInt64 = 64
    /// Notarized, not yet final views whose finalize votes are repeated on the retry timer.
    public static let repeatedFinalizeVotesMax = 8
    /// Final views whose votes are kept, because the contradiction to one may come later.
    public static let finalViewsRemembered: UInt64 = 16
    /// Pieces of evidence kept.
    public static let evidenceMax = 64

    /// What the replica must do next, in order.
    public enum Step: Sendable, Equatable {
        /// Persist the statement first when it is new.
        case sign(VoteStatement, isNew: Bool)
        /// Assembled here, hence to be forwarded.
        case assembled(Certificate)
        case notarized(view: UInt64, VoteSubject)
        case nullified(view: UInt64)
        case final(FinalPoint)
        case entered(view: UInt64)
        case equivocation(Equivocation)
        /// Enough peers were heard: this replica votes from now on.
        case compared
        /// This vote by its own key is not on record: it votes no more.
        case forgotten(Vote)
    }

    public let authority: VoteAuthority
    /// This replica's seat; `nil` for one that follows without a vote.
    public let seat: Int?
    public private(set) var view: UInt64
    public private(set) var book: CertificateBook
    public internal(set) var rules: SafetyRules
    public private(set) var evidence: [Equivocation] = []
    /// Signatures of votes that were checked in this epoch, within certificates or without.
    public internal(set) var signatureChecks: UInt64 = 0
    var tallies: [UInt64: Tally] = [:]
    private var executed: [UInt64: [VoteSubject]] = [:]
    var steps: [Step] = []
    /// The peers that have said what they hold of this replica's votes.
    var comparedWith: Set<Int> = []

    public var validators: ValidatorSet { authority.validators }
    public var epoch: UInt64 { validators.epoch }
    public func leader(of view: UInt64) -> Int { validators.leader(view: view) }
    /// Views entered since the one that is final, the present one not counted; the time-out grows with them.
    public var viewsSinceFinal: UInt64 { view - min(view, book.final.view + 1) }
    public var isLeader: Bool { seat == leader(of: view) }
    /// Whether it has a seat and may use it.
    public var mayVote: Bool { seat != nil && rules.mayVote }
    /// Whether peers are still to be asked for its votes.
    public var isComparing: Bool { seat != nil && rules.standing == .comparing }

    /// - Parameters:
    ///   - recovered: all own persisted statements above `final.view`; empty for a new replica.
    ///   - certificates: the notarizations that were persisted with the finalize votes among them.
    ///   - standing: `comparing` for the first epoch with a seat in a process.
    public init(
        authority: VoteAuthority, seat: Int?, final: FinalPoint, recovered: [VoteStatement],
        certificates: [Certificate] = [], standing: SafetyRules.Standing
    ) {
        self.authority = authority
        self.seat = seat
        book = CertificateBook(final: final)
        rules = SafetyRules(
            epoch: authority.validators.epoch, finalView: final.view, recovered: recovered,
            standing: standing)
        for certificate in certificates {
            // Read back from this replica's own store.
            if book.insert(Verified(assumingValid: certificate)),
                let subject = certificate.statement.subject
            {
                steps.append(.notarized(view: certificate.view, subject))
            }
        }
        view = book.openView
    }

    package mutating func mutate(_ mutation: Mutation) {
        rules.mutation = mutation
    }

    public var hasSteps: Bool { !steps.isEmpty }

    /// The steps since the last call.
    public mutating func takeSteps() -> [Step] {
        defer { steps = [] }
        return steps
    }

    /// Enters the view, and signs again what is on record if it may vote already.
    public mutating func start() {
        if mayVote { signRecord() }
        steps.append(.entered(view: view))
        compareIfEnough()
    }

    mutating func signRecord() {
        for view in rules.views {
            for statement in rules.statements(in: view) {
                steps.append(.sign(statement, isNew: false))
            }
        }
    }

    /// See `CertificateBook.takePassed`.
    public mutating func takePassedNullifications() -> [Certificate] { book.takePassed() }

    // MARK: Votes and certificates

    /// Whether verifying this vote could change anything.
    public func wants(_ vote: Vote) -> Bool {
        let statement = vote.statement
        guard statement.epoch == epoch, statement.view <= view + Simplex.viewsAheadMax,
            validators.validators.indices.contains(vote.validator)
        else { return false }
        if let tally = tallies[statement.view] {
            if tally.contradiction(to: vote) != nil { return true }
            if tally.vote(statement.kind, of: vote.validator) != nil { return false }
        }
        return book.isNews(statement)
    }

    public func wants(_ certificate: Certificate) -> Bool {
        certificate.statement.epoch == epoch && book.isNews(certificate.statement)
    }

    /// Counts a vote: a peer's, or this replica's own after signing.
    public mutating func receive(_ verified: Verified<Vote>) {
        let vote = verified.value
        guard wants(vote) else { return }
        noteOwn(vote)
        file(vote)
        let statement = vote.statement
        guard book.isNews(statement), let equal = tallies[statement.view]?.votes(for: statement),
            equal.count >= validators.quorum
        else { return }
        // Every filed vote was verified when it came in.
        let votes = equal.map { Verified(assumingValid: $0) }
        guard let certificate = Certificate.assemble(votes, quorum: validators.quorum) else {
            preconditionFailure("a quorum of equal votes of distinct validators is a certificate")
        }
        steps.append(.assembled(certificate.value))
        receive(certificate)
    }

    /// Keeps a verified vote, or one within a verified certificate, and reports what it contradicts.
    private mutating func file(_ vote: Vote) {
        var tally =
            tallies.removeValue(forKey: vote.statement.view) ?? Tally(validators: validators.count)
        if let pair = tally.contradiction(to: vote) {
            tally.report(vote.validator)
            if evidence.count < Simplex.evidenceMax { evidence.append(pair) }
            steps.append(.equivocation(pair))
        }
        tally.file(vote)
        tallies[vote.statement.view] = tally
    }

    /// Whether the validator is known to have contradicted itself in that view.
    public func hasReported(_ validator: Int, in view: UInt64) -> Bool {
        tallies[view]?.hasReported(validator) ?? false
    }

    public mutating func receive(_ verified: Verified<Certificate>) {
        let certificate = verified.value
        guard wants(certificate) else { return }
        if let own = ownVote(in: certificate) { noteOwn(own) }
        for vote in certificate.votes { file(vote) }
        _ = book.insert(verified)
        switch certificate.kind {
        case .notarize:
            guard let subject = certificate.statement.subject else { return }
            steps.append(.notarized(view: certificate.view, subject))
            finalizeIfExecuted(certificate.view)
        case .nullify:
            steps.append(.nullified(view: certificate.view))
        case .finalize:
            rules.advance(to: certificate.view)
            tallies = tallies.filter {
                $0.key + Simplex.finalViewsRemembered > certificate.view
            }
            executed = executed.filter { $0.key > certificate.view }
            steps.append(.final(book.final))
        case .recover: return
        }
        if certificate.view >= view { enter(certificate.view + 1) }
        // After a crash of all, a certificate of a later view may be on record already and comes no second time.
        while book.notarization(view) != nil || book.isNullified(view) { enter(view + 1) }
    }

    private mutating func enter(_ next: UInt64) {
        precondition(next > view, "views only go up")
        view = next
        steps.append(.entered(view: next))
    }

    // MARK: Voting

    /// This replica has executed the block that was proposed or notarized in `view` and got exactly `subject`.
    public mutating func markExecuted(view: UInt64, _ subject: VoteSubject) {
        guard view > book.final.view else { return }
        if executed[view]?.contains(subject) == true { return }
        executed[view, default: []].append(subject)
        finalizeIfExecuted(view)
    }

    mutating func finalizeIfExecuted(_ view: UInt64) {
        guard mayVote, let subject = book.notarization(view)?.statement.subject,
            executed[view]?.contains(subject) == true
                || rules.mutation.contains(.finalizeUnexecuted)
        else { return }
        do throws(SafetyRules.Refusal) {
            if try rules.finalize(view: view, executed: subject, book: book) == .new {
                steps.append(.sign(.finalize(epoch: epoch, view: view, subject), isNew: true))
            }
        } catch {
            // Nullified here before: the view's block becomes final through a descendant.
        }
    }

    /// Votes for the proposal of the current view, which this replica executed with result `executed`.
    public mutating func notarize(
        view: UInt64, subject: VoteSubject, proposer: Int, executed: VoteSubject,
        base: Digest, baseView: UInt64, baseEndsEpoch: Bool
    ) throws(SafetyRules.Refusal) {
        guard mayVote, view == self.view else { return }
        let permission = try rules.notarize(
            view: view, subject: subject, proposer: proposer, leader: leader(of: view),
            executed: executed, base: base, baseView: baseView, baseEndsEpoch: baseEndsEpoch,
            book: book)
        if permission == .new {
            steps.append(.sign(.notarize(epoch: epoch, view: view, subject), isNew: true))
            if rules.mutation.contains(.finalizeUnnotarized) {
                steps.append(.sign(.finalize(epoch: epoch, view: view, subject), isNew: true))
            }
        }
        markExecuted(view: view, executed)
    }

    /// The view's timer fired, or its proposal proved invalid.
    public mutating func nullify(view: UInt64) {
        guard view == self.view || rules.mutation.contains(.nullifyAfterFinalize) else { return }
        voteNullify(view)
    }

    /// The view's timer fired: votes against the views that were passed without a certificate of theirs, too.
    public mutating func nullifyPassedViews() {
        guard book.openView < view else { return }
        let until = min(view, book.openView + Simplex.viewsAheadMax)
        for passed in book.openView..<until
        where book.notarization(passed) == nil && !book.isNullified(passed) {
            voteNullify(passed)
        }
    }

    private mutating func voteNullify(_ view: UInt64) {
        guard mayVote else { return }
        do throws(SafetyRules.Refusal) {
            if try rules.nullify(view: view) == .new {
                steps.append(.sign(.nullify(epoch: epoch, view: view), isNew: true))
            }
        } catch {
            // Finalized here before: a notarization is on its way to the others.
        }
    }
}
