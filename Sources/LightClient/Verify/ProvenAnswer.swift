import Encoding
import Ledger
import LedgerCrypto
import Records

/// A header that a quorum finalized; everything that is proven is proven up to here.
public struct Checkpoint: Equatable, Sendable {
    public let header: Header
    public let digest: Digest
    /// Distinct validators that signed, or in a recovery distinct keys of the genesis' rule; each signature was checked. 0: no
    /// votes, but the header that the reader starts with.
    public let signatures: Int
    /// The genesis' rule, when a recovery under it made the header final and no quorum did.
    public let recovery: RecoveryRule?
    /// The set of the header's epoch.
    public let validators: ValidatorSet
    /// Whose keys were trusted, from where trust starts to the header's own epoch.
    public let epochs: [EpochTrust]

    init(
        _ header: Header, _ digest: Digest, _ certificate: Certificate?, _ validators: ValidatorSet,
        known: TrustedChain
    ) {
        self.header = header
        self.digest = digest
        signatures = certificate?.signatures.count ?? 0
        recovery = certificate?.kind == .recover ? known.recovery : nil
        self.validators = validators
        epochs = known.epochs(through: header.epoch)
    }
}

/// What a bundle proves. Only `Verifier` makes one.
public struct ProvenAnswer: Equatable, Sendable {
    /// The name in the genesis.
    public let ledger: String
    public let suite: Suite
    public let checkpoint: Checkpoint
    /// Ascending, each once, one at least.
    public let questions: [EvidenceQuestion]
    /// One for each question.
    public let findings: [Finding]
    public let unused: UnusedParts
    /// What witnesses outside the ledger saw of its log, where the reader brought their word.
    public internal(set) var witnessed: WitnessedLog? = nil

    public enum Finding: Equatable, Sendable {
        case assetHistory(AssetHistory)
        /// The state at the certified height has no such asset.
        case noSuchAsset(Digest)
        case transaction(ProvenEntry)
        case record(ProvenRecord)
        case header(ProvenHeader)
        case licence(ProvenLicence)
        case role(ProvenRole)
        case output(ProvenOutput)
    }

    /// The answer to a question; `nil` when the bundle does not answer it.
    public subscript(_ question: EvidenceQuestion) -> Finding? {
        questions.firstIndex(of: question).map { findings[$0] }
    }

    public var height: UInt64 { checkpoint.header.height }
    /// Milliseconds of Unix time.
    public var timeMs: UInt64 { checkpoint.header.timeMs }

    /// All histories that were asked for and that there are, in the order of the questions.
    public var histories: [AssetHistory] {
        findings.compactMap { if case .assetHistory(let history) = $0 { history } else { nil } }
    }
}

/// How many parts of a bundle none of its answers is made of. Each is proven as all parts are, and the report does not show it; a
/// bundle has some where a reader may not see an envelope, of which nobody can tell whether an answer needs it, or because
/// whoever made it put them in. Taking the bundle apart leaves them out (`EvidenceBundle.split`).
public struct UnusedParts: Equatable, Sendable {
    public let entries: Int
    /// State records, keys of members among them.
    public let records: Int

    public init(entries: Int, records: Int) {
        self.entries = entries
        self.records = records
    }
}

/// What the state at the certified height holds under a key.
public enum ProvenRecord: Equatable, Sendable {
    case record(AnyRecord)
    case nothing
    /// Something; the bundle shows only the digest of it.
    case withheld(Digest)
}

/// An older header whose ledger is the beginning of the checkpoint's: every leaf of its log is in the checkpoint's log at
/// the same place.
public struct ProvenHeader: Equatable, Sendable {
    public let header: Header
    public let digest: Digest
}

/// All events of the logs that were asked for, complete up to the checkpoint.
public struct AssetHistory: Equatable, Sendable {
    public let asset: AssetRecord
    public let logs: [ProvenLog]
    /// What it was derived from, ascending by asset.
    public internal(set) var parents: [ProvenParent] = []
}

/// An asset that another one was derived from.
public struct ProvenParent: Equatable, Sendable {
    public let asset: Digest
    /// Where its rights log stood then, and on what ground it was used; `nil` where the bundle does not show the child's
    /// rights log, which says so.
    public let pin: ParentPin?
    /// Whether this bundle proves its rights log: complete, with what was pinned as its beginning and this derivation as
    /// its very next event. Otherwise the parent is named and nothing is proven about it.
    public let isIncluded: Bool
}

public struct ProvenLog: Equatable, Sendable {
    public let log: EventLogKind
    public let events: [ProvenEvent]
}

/// An event that the certified log holds, with the entry that caused it.
public struct ProvenEvent: Equatable, Sendable {
    public let event: AssetEvent
    public let entry: ProvenEntry
}

/// An entry at its place in the certified log, with its certified outcome.
public struct ProvenEntry: Equatable, Sendable {
    public let height: UInt64
    /// Position among the block's entries, from 0.
    public let position: UInt64
    /// The block's time, milliseconds of Unix time.
    public let timeMs: UInt64
    public let digest: Digest
    /// 0 accepted, otherwise a recorded refusal (`OutcomeCode`).
    public let code: UInt64
    public let content: Content

    public enum Content: Equatable, Sendable {
        case transaction(id: Digest, Transaction, SignatureCheck)
        case automatic(AutomaticAction)
        /// The bundle shows the digest only.
        case withheld
    }
}

/// Whether the verifier checked a member's signature itself.
public enum SignatureCheck: Equatable, Sendable {
    /// Valid under this key, which the certified state says was the member's and live then.
    case valid(KeyID)
    /// The bundle does not prove the key's record; the validators checked the signature before they voted.
    case notRechecked(KeyID)
}
