import Ledger
import LedgerCrypto

/// Every rule that keeps an honest validator from helping two conflicting blocks to become final; each vote passes
/// here before it is persisted, and nothing else decides what may be signed.
///
/// The record of a view is what this replica stated in it, rebuilt from the durable store after a restart. A
/// statement that is already on record may be signed again, byte for byte the same; the first time, it is persisted
/// before it is signed, so the record is complete, whatever the moment of a crash.
///
/// Unless the store was lost, or is an older copy: hence nothing is said before peers were asked what they hold of this
/// validator's votes (`Standing`), and nothing ever again once there is one that is not on record.
public struct SafetyRules: Sendable {
    /// Whether the record may be taken for complete.
    public enum Standing: Sendable, Equatable {
        /// Peers were not heard yet.
        case comparing
        case voting
        /// A vote by this validator's key exists that is not on record.
        case forgetful
    }

    /// Why a vote was not permitted.
    public enum Refusal: Error, Equatable, Sendable {
        /// The view is at or below the final one: its record is gone, so nothing more may be said in it.
        case viewIsFinal
        case notarizedAnother
        case finalizedBefore
        case nullifiedBefore
        case notTheLeader
        case notExecuted
        /// An epoch's last block has no child within the epoch, and no other block is proposed again.
        case epochEnds
        /// The parent is not notarized, or a view between is not nullified.
        case unjustified(lacking: UInt64)
        case notNotarized
        /// Too few peers have said what they hold of this validator's votes.
        case notCompared
        /// Something that this validator stated is not on record.
        case forgotten
    }

    public enum Permission: Equatable, Sendable {
        /// Persist the statement, then sign it.
        case new
        /// The very same statement is on record already.
        case onRecord
    }

    private struct ViewRecord {
        var notarized: VoteSubject?
        var nullified = false
        var finalized: VoteSubject?
    }

    public let epoch: UInt64
    public private(set) var standing: Standing
    public private(set) var finalView: UInt64
    private var records: [UInt64: ViewRecord] = [:]
    /// Rules that a test switched off to show that the simulator notices.
    package var mutation: Mutation = []

    /// - Parameters:
    ///   - recovered: every persisted statement of a view above `finalView`.
    ///   - standing: `voting` only for a record that was compared already, or of which nothing can be missing.
    public init(
        epoch: UInt64, finalView: UInt64, recovered: [VoteStatement], standing: Standing
    ) {
        self.epoch = epoch
        self.standing = standing
        self.finalView = finalView
        for statement in recovered where statement.epoch == epoch && statement.view > finalView {
            record(statement)
        }
    }

    /// One notarize vote a view; only for what was executed with the same result, by the view's leader, on a
    /// notarized base with every view between nullified.
    ///
    /// The *base* is the notarized block that the proposal builds on: the proposed block's parent, or, when an epoch's
    /// last block is proposed again, that block itself.
    ///
    /// - Parameters:
    ///   - executed: what this replica's own execution of the block gave.
    ///   - baseEndsEpoch: whether the base is the last block of this very epoch.
    public mutating func notarize(
        view: UInt64, subject: VoteSubject, proposer: Int, leader: Int, executed: VoteSubject,
        base: Digest, baseView: UInt64, baseEndsEpoch: Bool, book: CertificateBook
    ) throws(Refusal) -> Permission {
        try requireOpen(view)
        guard proposer == leader || mutation.contains(.notarizeUsurped) else {
            throw .notTheLeader
        }
        guard executed == subject else { throw .notExecuted }
        guard baseEndsEpoch == (base == subject.header) || mutation.contains(.continueEpoch)
        else { throw .epochEnds }
        if let lacking = book.lacking(parent: base, parentView: baseView, view: view),
            !mutation.contains(.notarizeUnjustified)
        {
            throw .unjustified(lacking: lacking)
        }
        if let before = records[view]?.notarized {
            if before == subject { return .onRecord }
            if !mutation.contains(.notarizeTwice) { throw .notarizedAnother }
        }
        record(.notarize(epoch: epoch, view: view, subject))
        return .new
    }

    /// Never after a finalize vote in the same view.
    public mutating func nullify(view: UInt64) throws(Refusal) -> Permission {
        try requireOpen(view)
        if records[view]?.finalized != nil, !mutation.contains(.nullifyAfterFinalize) {
            throw .finalizedBefore
        }
        if records[view]?.nullified == true { return .onRecord }
        record(.nullify(epoch: epoch, view: view))
        return .new
    }

    /// Only for a notarized block that this replica executed with the same result, and never after a nullify vote
    /// in the same view.
    public mutating func finalize(
        view: UInt64, executed: VoteSubject, book: CertificateBook
    ) throws(Refusal) -> Permission {
        try requireOpen(view)
        guard let subject = book.notarized(view) else { throw .notNotarized }
        guard executed == subject else { throw .notExecuted }
        if records[view]?.nullified == true, !mutation.contains(.finalizeAfterNullify) {
            throw .nullifiedBefore
        }
        if records[view]?.finalized == subject { return .onRecord }
        record(.finalize(epoch: epoch, view: view, subject))
        return .new
    }

    /// A finalization was seen: the records at or below its view are dropped, and those views closed.
    public mutating func advance(to view: UInt64) {
        guard view > finalView else { return }
        if view - finalView > UInt64(records.count) {
            records = records.filter { $0.key > view }
        } else {
            for passed in finalView...view { records[passed] = nil }
        }
        finalView = view
    }

    /// What this replica stated in `view`, in the order notarize, nullify, finalize.
    public func statements(in view: UInt64) -> [VoteStatement] {
        guard let record = records[view] else { return [] }
        var statements: [VoteStatement] = []
        if let subject = record.notarized {
            statements.append(.notarize(epoch: epoch, view: view, subject))
        }
        if record.nullified { statements.append(.nullify(epoch: epoch, view: view)) }
        if let subject = record.finalized {
            statements.append(.finalize(epoch: epoch, view: view, subject))
        }
        return statements
    }

    /// Whether this replica stated that, or cannot know any more because the view is final.
    public func holds(_ statement: VoteStatement) -> Bool {
        guard statement.view > finalView else { return true }
        guard let record = records[statement.view] else { return false }
        return switch statement.kind {
        case .notarize: record.notarized == statement.subject
        case .nullify: record.nullified
        case .finalize: record.finalized == statement.subject
        case .recover: false
        }
    }

    // MARK: Standing

    /// Whether anything at all may be said.
    public var mayVote: Bool { standing == .voting || mutation.contains(.voteUncompared) }

    /// Enough peers hold nothing that is not on record.
    public mutating func markCompared() {
        if standing == .comparing { standing = .voting }
    }

    /// Such a statement was seen; there is no way back.
    public mutating func markForgetful() {
        standing = .forgetful
    }

    /// The views with a statement of this replica, ascending.
    public var views: [UInt64] { records.keys.sorted() }

    private func requireOpen(_ view: UInt64) throws(Refusal) {
        guard view > finalView else { throw .viewIsFinal }
        guard !mayVote else { return }
        switch standing {
        case .voting: return
        case .comparing: throw .notCompared
        case .forgetful: throw .forgotten
        }
    }

    private mutating func record(_ statement: VoteStatement) {
        switch statement.kind {
        case .notarize: records[statement.view, default: ViewRecord()].notarized = statement.subject
        case .nullify: records[statement.view, default: ViewRecord()].nullified = true
        case .finalize: records[statement.view, default: ViewRecord()].finalized = statement.subject
        case .recover: preconditionFailure("a validator never signs a recovery")
        }
    }
}
