import Ledger
import LedgerCrypto
import Records

/// What the records say about a licence at a moment.
public struct ProvenLicence: Equatable, Sendable {
    public let id: Digest
    public let moment: ProvenMoment
    /// As the certified state holds it; `nil`: the ledger knows no such licence.
    public let record: AgreementRecord?
    public let standing: LicenceStanding
    public let quota: LicenceQuota
    /// The accepted entry that closed it, which says when, as the record does not; `nil` where it was never closed, and
    /// where the bundle does not show the entry because the time alone decides.
    public let closing: ProvenEntry?
}

/// Whether a licence was live: agreed, not past its end, neither closed nor revoked.
public enum LicenceStanding: Equatable, Sendable {
    case live
    /// There is no such licence up to the certified height.
    case unknown
    /// Requested at most.
    case notAgreed
    /// Agreed later, at this time.
    case notYet(startsMs: UInt64)
    /// Its agreed end had passed.
    case expired(expiresMs: UInt64)
    /// In the block of this height.
    case revoked(height: UInt64)
    case closed(height: UInt64)

    public var isLive: Bool { self == .live }
}

/// Whether uses were left. Released uses only grow; of uses that open jobs reserve, a record knows the present number.
public enum LicenceQuota: Equatable, Sendable {
    /// The moment is the record's own: neither released nor reserved.
    case left(UInt64)
    /// At most so many had been released then, fewer than were agreed. How many open jobs reserved is not known.
    case notUsedUp(releasedAtMost: UInt64, of: UInt64)
    /// By the certified height all were released; whether some were left then the record does not say.
    case undecided
}

/// What the records say about a member's role at a moment.
public struct ProvenRole: Equatable, Sendable {
    public let member: MemberID
    public let role: Role
    /// The state is that after this block.
    public let moment: ProvenMoment
    public let isHeld: Bool
    /// As the certified state holds it; `nil`: the ledger knows no such member.
    public let record: MemberRecord?
}

/// What became of a job's output.
public struct ProvenOutput: Equatable, Sendable {
    public let id: Digest
    /// As the certified state holds it; `nil`: the ledger knows no such job.
    public let record: JobRecord?
    /// The accepted entries of the bundle that made the record so: submitted, held, decided; ascending.
    public let steps: [ProvenEntry]

    /// By whom it was reviewed and let out; `nil` when it was not.
    public var releasedBy: MemberID? {
        record.flatMap { $0.status == .released ? $0.reviewer : nil }
    }

    /// What the record shows was done, and of which no entry is among `steps`: when, and by whose signature, is not shown.
    public var stepsNotShown: [TransactionKind] {
        let shown = steps.compactMap { step -> TransactionKind? in
            guard case .transaction(_, let transaction, _) = step.content else { return nil }
            return TransactionKind(rawValue: transaction.kind)
        }
        return (record?.stepsTaken ?? []).filter { !shown.contains($0) }
    }
}

extension JobRecord {
    /// The transactions that made the record so, in their order.
    fileprivate var stepsTaken: [TransactionKind] {
        let held: [TransactionKind] = outputCommitment == nil ? [] : [.jobHold]
        let decided: [TransactionKind] =
            switch status {
            case .submitted, .held: []
            case .released: [.outputRelease]
            case .rejected: [.outputReject]
            // Where its licence ends first, the sandbox still has to say so.
            case .refused, .lapsed: [.jobRefuse]
            }
        return [.jobSubmit] + held + decided
    }
}
