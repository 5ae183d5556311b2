import Encoding
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
}

extension EvidenceQuestion {
    /// Whether an accepted transaction decides what the question is about: of a licence its end before its time, of an
    /// output its job's submission, holding and decision.
    ///
    /// Bodies are maps with small numbers as keys, of which these kinds have the subject under 1 (docs/transactions.md).
    func isDecided(by id: Digest, _ transaction: Transaction) -> Bool {
        guard let kind = TransactionKind(rawValue: transaction.kind) else { return false }
        switch self {
        case .licence(let licence, _):
            return Self.endsLicence(kind) && transaction.subject == licence
        case .output(let job):
            return id == job || (Self.decidesOutput(kind) && transaction.subject == job)
        case .assetHistory, .transaction, .record, .header, .role: return false
        }
    }

    /// The same of an event of the asset's log.
    func isDecided(by event: AssetEvent) -> Bool {
        guard event.code == .accepted, case .transaction(let kind) = event.kind else {
            return false
        }
        switch self {
        case .licence(let licence, _):
            return Self.endsLicence(kind) && event.detail(named: "agreement") == licence
        case .output(let job):
            return event.transactionID == job
                || (Self.decidesOutput(kind) && event.detail(named: "job") == job)
        case .assetHistory, .transaction, .record, .header, .role: return false
        }
    }

    private static func endsLicence(_ kind: TransactionKind) -> Bool { kind == .licenceClose }

    private static func decidesOutput(_ kind: TransactionKind) -> Bool {
        [.jobHold, .jobRefuse, .outputRelease, .outputReject].contains(kind)
    }
}

extension Transaction {
    /// The digest under key 1 of the body.
    fileprivate var subject: Digest? {
        guard case .map(let fields)? = try? CBORValue.decode(body, limits: AssetEvent.limits),
            case .bytes(let bytes)? = fields.first(where: { $0.0 == .unsigned(1) })?.1
        else { return nil }
        return Digest(bytes: bytes)
    }
}

extension AssetEvent {
    fileprivate func detail(named name: String) -> Digest? {
        guard case .map(let fields) = detail,
            case .bytes(let bytes)? = fields.first(where: { $0.0 == .text(name) })?.1
        else { return nil }
        return Digest(bytes: bytes)
    }
}
