import Encoding
import Ledger
import LedgerCrypto
import Records

/// A header that a quorum finalised; everything that is proven is proven up to here.
public struct Checkpoint: Equatable, Sendable {
    public let header: Header
    public let digest: Digest
    /// Distinct validators that signed; each signature was checked.
    public let signatures: Int
    /// The set of the header's epoch.
    public let validators: ValidatorSet
    /// Whose keys were trusted, from where trust starts to the header's own epoch.
    public let epochs: [EpochTrust]
}

/// What a bundle proves. Only `Verifier` makes one.
public struct ProvenAnswer: Equatable, Sendable {
    /// The name in the genesis.
    public let ledger: String
    public let suite: Suite
    public let question: EvidenceQuestion
    public let checkpoint: Checkpoint
    public let finding: Finding

    public enum Finding: Equatable, Sendable {
        case assetHistory(AssetHistory)
        /// The state at the certified height has no such asset.
        case noSuchAsset(Digest)
        case transaction(ProvenEntry)
        /// `nil`: the state at the certified height has no such record.
        case record(AnyRecord?)
        case header(ProvenHeader)
    }

    public var height: UInt64 { checkpoint.header.height }
    /// Milliseconds of Unix time.
    public var timeMs: UInt64 { checkpoint.header.timeMs }
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

/// What somebody says and this bundle does not prove.
public enum Claim: Equatable, Sendable {
    /// The ledger proves who stated what and when, never that a statement about the world is true.
    case statements
    /// Nothing is said about what happened after the certified height.
    case nothingLater(height: UInt64)
    /// The record counts this many events in a log that was not asked for.
    case logNotShown(EventLogKind, events: UInt64)
    /// Events whose envelope is withheld: kind, actor and transaction id rest on the validators' certificate alone.
    case withheld(count: Int)
    case signaturesNotRechecked(count: Int)
    /// Actors under pseudonyms whose envelopes are withheld: who they are is not in the bundle.
    case pseudonyms(count: Int)
}

extension ProvenAnswer {
    /// What was only claimed, most general first.
    public var claims: [Claim] {
        var claims: [Claim] = [.statements, .nothingLater(height: height)]
        switch finding {
        case .assetHistory(let history):
            claims += history.claims
        case .transaction(let entry):
            if case .transaction(_, _, .notRechecked) = entry.content {
                claims.append(.signaturesNotRechecked(count: 1))
            }
        case .noSuchAsset, .record, .header: break
        }
        return claims
    }
}

extension AssetHistory {
    var claims: [Claim] {
        var claims: [Claim] = []
        for kind in EventLogKind.allCases where !logs.contains(where: { $0.log == kind }) {
            claims.append(.logNotShown(kind, events: asset.log(kind).size))
        }
        var withheld = 0
        var notRechecked = 0
        var pseudonyms = 0
        for event in logs.flatMap({ $0.events }) {
            switch (event.entry.content, event.event.actor) {
            case (.withheld, .pseudonym):
                withheld += 1
                pseudonyms += 1
            case (.withheld, .member), (.withheld, .ledger): withheld += 1
            case (.transaction(_, _, .notRechecked), _): notRechecked += 1
            case (.transaction(_, _, .valid), _), (.automatic, _): break
            }
        }
        if withheld > 0 { claims.append(.withheld(count: withheld)) }
        if notRechecked > 0 { claims.append(.signaturesNotRechecked(count: notRechecked)) }
        if pseudonyms > 0 { claims.append(.pseudonyms(count: pseudonyms)) }
        return claims
    }
}
