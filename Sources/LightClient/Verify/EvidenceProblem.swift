import Encoding
import Ledger
import LedgerCrypto

/// Why a bundle does not prove its answer: what is wrong, where, and what that means.
public struct EvidenceProblem: Error, Equatable, Sendable {
    public let place: EvidencePlace
    public let fault: EvidenceFault

    public init(_ place: EvidencePlace, _ fault: EvidenceFault) {
        self.place = place
        self.fault = fault
    }

    public var standing: EvidenceStanding { fault.standing }
}

/// What an unproven answer is.
public enum EvidenceStanding: String, Sendable, CaseIterable {
    /// The bundle contradicts itself or what the validators certified: damaged or tampered with.
    case provenFalse = "proven-false"
    /// Nothing contradicts it, but something that the proof needs is not there.
    case notProven = "not-proven"
    /// It may become provable: not final yet, or signed by validators that the bundle does not lead to.
    case notYet = "cannot-be-trusted-yet"
}

/// Where in the bundle a problem is.
public enum EvidencePlace: Equatable, Sendable {
    case bundle
    /// Counts from 0 in the bundle's questions.
    case question(Int)
    case epochChange(index: Int)
    case header(height: UInt64)
    case certificate
    case record(index: Int, key: Digest)
    case ancestor(height: UInt64)
    case entry(index: Int, height: UInt64, position: UInt64)
    /// One of an asset's logs: 0 rights, 1 trades, 2 refusals.
    case log(UInt64, of: Digest)
    case event(index: Int, log: UInt64, of: Digest)
    /// Where trust starts.
    case start
    /// A proof that one log goes on from another.
    case link
    /// Fork evidence: the whole, one of its two headers, the ancestor, one of the further certificates.
    case fork
    case forkSide(height: UInt64, isHigher: Bool)
    case forkAncestor
    case forkCertificate(index: Int)
    /// A transparent statement: the signed statement, one of its receipts.
    case statement
    case receipt(index: Int)
    /// A checkpoint that witnesses cosigned.
    case note
}

/// What is wrong there.
public enum EvidenceFault: Equatable, Sendable {
    // The bundle as a whole.
    case undecodable(CBORError)
    case otherLedger(found: ChainID, expected: ChainID)
    case otherQuestion
    /// What somebody wanted to know, and what the bundle answers: in the words of `AskedQuestion`.
    case notAnswered(asked: String, answered: [String])
    case tooMany(what: String, found: Int, max: Int)
    case outOfOrder

    // Header and certificate.
    case otherChainInHeader
    case certificateNotIncluded
    case notFinal
    case notAFinalization
    /// A recovery made it final, and what is asked for is votes.
    case nobodyVoted
    case otherHeaderCertified
    case otherEpoch(found: UInt64, expected: UInt64)
    case unknownEpoch(epoch: UInt64, known: UInt64)
    case otherValidators
    case noNextValidators
    case otherNextValidators
    /// Nothing is wrong with the end of an epoch that is there, but the certified header is not of a later one.
    case endNotNeeded(epoch: UInt64)
    case belowQuorum(signatures: Int, quorum: Int, validators: Int)
    case unknownValidator(Int)
    case badVote(validator: Int)
    case notAValidatorsKey(KeyID)
    /// A recovery, and the genesis says nobody may decide one.
    case noRecoveryRule
    case belowThreshold(signatures: Int, threshold: Int, keys: Int)
    case badRecoverySignature(key: Int)

    // What is trusted already.
    case epochBeforeStart(epoch: UInt64, first: UInt64)
    /// Two quorums finalized what cannot both be final.
    case contradictsTrusted
    case aheadOfClock(timeMs: UInt64, nowMs: UInt64)
    /// A detached bundle is for readers who trust this header.
    case headerNotTrusted(Digest)

    // Two histories.
    case ancestorNotNeeded
    case noContradiction
    case otherHeader
    case notAPrefix

    // State.
    case recordNotIncluded
    case recordWithheld
    case wrongStateProof
    case recordUndecodable(CBORError)
    case otherRecord(field: String)

    // Ancestors and entries.
    case headerNotBelow(certified: UInt64)
    case headerNotInLog
    case headerNotIncluded
    case malformedHeader
    case positionOutside(entries: UInt64)
    case entryNotInLog
    case outcomeNotInResults(code: UInt64)
    case badEnvelope(EnvelopeError)
    case badSignature(KeyID)
    case otherMembersKey(KeyID)
    case keyNotLive(KeyID)
    case entryNotIncluded
    case envelopeNeeded
    // Moments.
    /// The certified header is older than the moment.
    case momentAhead(height: UInt64, timeMs: UInt64)
    /// No header can show it: there was none.
    case beforeTheLedger(timeMs: UInt64)
    /// When the licence was closed, no shown entry says.
    case closingNotIncluded

    // Logs and events.
    case logNotIncluded
    case logNotAsked
    /// The first event of a derived asset's rights log does not name the parents that its record has.
    case otherParents
    /// The parent's rights log does not begin with what was pinned, or goes on with something else than this derivation.
    case otherPin(parent: Digest)
    /// `first`: number of the first event that is not there.
    case eventsMissing(found: Int, certified: UInt64, first: UInt64)
    case eventsAdded(found: Int, certified: UInt64)
    case otherLogRoot(first: UInt64, last: UInt64)
    case noSuchEntry(Int)
    case eventUndecodable(CBORError)
    case eventField(EventField, found: String, expected: String)

    // Witnesses.
    case witness(WitnessFault)

    /// The fields of an event that its evidence must repeat.
    public enum EventField: String, Sendable, CaseIterable {
        case log
        case index
        case kind
        case transaction
        case entryDigest = "entry digest"
        case height
        case timeMs = "time"
        case actor
        case code
    }
}

extension EvidenceFault {
    public var standing: EvidenceStanding {
        switch self {
        // Whatever is wrong with a note says nothing against the bundle.
        case .witness: .notProven
        // Genuine evidence may be larger than this verifier reads.
        case .undecodable(.inputTooLong), .undecodable(.tooMany): .notProven
        case .otherLedger, .otherQuestion, .notAnswered, .certificateNotIncluded, .nobodyVoted,
            .beforeTheLedger, .belowQuorum,
            .belowThreshold,
            .recordNotIncluded, .headerNotIncluded,
            .entryNotIncluded, .envelopeNeeded, .logNotIncluded, .tooMany, .recordWithheld,
            .closingNotIncluded, .endNotNeeded:
            .notProven
        case .notFinal, .unknownEpoch, .epochBeforeStart, .contradictsTrusted, .aheadOfClock,
            .headerNotTrusted, .momentAhead:
            .notYet
        case .undecodable, .outOfOrder, .otherChainInHeader, .notAFinalization,
            .otherHeaderCertified, .otherEpoch, .otherValidators, .noNextValidators,
            .otherNextValidators, .unknownValidator, .badVote, .notAValidatorsKey,
            .noRecoveryRule, .badRecoverySignature,
            .wrongStateProof, .recordUndecodable, .otherRecord, .headerNotBelow, .headerNotInLog,
            .malformedHeader,
            .positionOutside, .entryNotInLog, .outcomeNotInResults, .badEnvelope, .badSignature,
            .otherMembersKey, .keyNotLive, .logNotAsked, .otherParents, .otherPin, .eventsMissing,
            .eventsAdded, .otherLogRoot, .noSuchEntry, .eventUndecodable, .eventField,
            .ancestorNotNeeded, .noContradiction, .otherHeader, .notAPrefix:
            .provenFalse
        }
    }
}
