import Ledger
import LedgerCrypto

/// What witnesses saw of a proven log: somebody outside the ledger, whose key is no validator's and no recovery key, so that all keys of a set
/// together cannot make another history of then without his help.
public struct WitnessedLog: Equatable, Sendable {
    public let checkpoint: LogCheckpoint
    /// The proven header whose log that is.
    public let header: Header
    public let digest: Digest
    /// Whether the bundle shows that the answer's log goes on from that one: it is the certified header's or an ancestor's.
    /// Otherwise that header was certified as well, and what the witnesses saw adds nothing to the answer.
    public let isLinked: Bool
    /// In the order in which the witnesses were asked for; one at least.
    public let sightings: [LogSighting]
}

/// A log that witnesses cosigned, beside a proven header whose log is of the same size and another one.
public struct ContradictedLog: Equatable, Sendable {
    /// The name in the genesis.
    public let ledger: String
    public let suite: Suite
    public let seen: WitnessedLog
}

/// What witnesses' word does to a proven answer.
public enum WitnessStep: Equatable, Sendable {
    /// The same answer, with what they saw.
    case seen(ProvenAnswer)
    /// There are two histories, or they cosigned what they cannot have seen. Nothing of the answer is to be believed.
    case twoHistories(ContradictedLog)
}

extension Verifier {
    /// Compares a cosigned checkpoint with the headers that a proven bundle and what is trusted show.
    ///
    /// Work: one signature for each witness, and the hashes of one ancestor's path; the rest is reading and looking up.
    ///
    /// - Parameters:
    ///   - bundle: the one that `answer` was proven from.
    ///   - known: what is trusted with it; this verifier's own trust, or what `follow` gave.
    ///   - note: `LogNote.bytesMax` bytes at most are read.
    ///   - witnesses: 1 to `LogNote.witnessesMax`. Each must have cosigned the note.
    ///   - nowMs: the caller's clock, milliseconds of Unix time: what was seen in the future cannot be trusted yet.
    /// - Throws: at `.note`, a `WitnessFault`, `.otherLedger` or `.aheadOfClock`; at an ancestor, `.notAPrefix`.
    public func witnessed(
        _ answer: ProvenAnswer, of bundle: EvidenceBundle, trusting known: TrustedChain,
        by note: [UInt8], _ witnesses: [LogCosigner], nowMs: UInt64
    ) throws(EvidenceProblem) -> WitnessStep {
        precondition(
            1...LogNote.witnessesMax ~= witnesses.count, "some witness is asked for, and not many")
        let proven = ProvenHeaders(answer, bundle, known, beside: trust)
        let checkpoint: LogCheckpoint
        let sightings: [LogSighting]
        do throws(WitnessFault) {
            let note = try LogNote(note)
            checkpoint = note.checkpoint
            // Of another ledger nothing is said below.
            sightings =
                checkpoint.chain == chain ? try self.sightings(of: note, witnesses, proven) : []
        } catch {
            throw EvidenceProblem(.note, .witness(error))
        }
        guard checkpoint.chain == chain else {
            throw EvidenceProblem(.note, .otherLedger(found: checkpoint.chain, expected: chain))
        }
        let (latest, overflow) = nowMs.addingReportingOverflow(TrustedChain.clockDriftMsMax)
        for sighting in sightings where !overflow && sighting.timeMs > latest {
            throw EvidenceProblem(.note, .aheadOfClock(timeMs: sighting.timeMs, nowMs: nowMs))
        }
        // That of an ancestor is the beginning of the certified log, whatever the ancestor itself says.
        for ancestor in bundle.ancestors where ancestor.header.logSize == checkpoint.size {
            let root = ancestor.rootBefore(size: answer.checkpoint.header.logSize, suite)
            guard root == ancestor.header.logRoot else {
                throw EvidenceProblem(.ancestor(height: ancestor.header.height), .notAPrefix)
            }
        }
        let headers = proven.headers(ofSize: checkpoint.size)
        let other = headers.first { $0.logRoot != checkpoint.root }
        guard let header = other ?? headers.first else {
            throw EvidenceProblem(
                .note,
                .witness(
                    .sizeNotProven(
                        size: checkpoint.size, proven.whereabouts(ofSize: checkpoint.size))))
        }
        let seen = WitnessedLog(
            checkpoint: checkpoint, header: header, digest: header.digest(suite),
            isLinked: header == answer.checkpoint.header
                || bundle.ancestors.contains { $0.header == header },
            sightings: sightings)
        guard other == nil else {
            return .twoHistories(
                ContradictedLog(ledger: genesis.name, suite: suite, seen: seen))
        }
        var witnessed = answer
        witnessed.witnessed = seen
        return .seen(witnessed)
    }

    private func sightings(
        of note: LogNote, _ witnesses: [LogCosigner], _ proven: ProvenHeaders
    ) throws(WitnessFault) -> [LogSighting] {
        let validators = LogCheckpoint.origin(chain) + "/"
        var keys: Set<PublicKey> = []
        for witness in witnesses {
            guard keys.insert(witness.key).inserted else { throw .askedTwice(witness.name) }
            // A recovery certifies as well as a quorum does.
            let recovers = genesis.recovery?.keys.contains(witness.key) == true
            guard !recovers, !witness.name.utf8.starts(with: validators.utf8) else {
                throw .validatorsKey(witness.name)
            }
        }
        for set in [genesis.validators] + proven.sets {
            for validator in set.validators where keys.contains(validator.votingKey) {
                let his = witnesses.first { $0.key == validator.votingKey }
                throw .validatorsKey(his?.name ?? "")
            }
        }
        var sightings: [LogSighting] = []
        for witness in witnesses { sightings.append(try note.sighting(by: witness)) }
        return sightings
    }
}

/// All headers and sets of validators that a proven bundle and what is trusted show.
private struct ProvenHeaders {
    /// The certified one first, then its ancestors. Some may be there twice.
    private let headers: [Header]
    let sets: [ValidatorSet]

    init(
        _ answer: ProvenAnswer, _ bundle: EvidenceBundle, _ known: TrustedChain,
        beside earlier: TrustedChain
    ) {
        var changes = earlier.epochChanges + known.epochChanges
        if case .certified(_, let after) = bundle.head {
            // Of epochs before the start nothing was checked.
            let first = earlier.start.validators.epoch
            changes += after.filter { $0.header.epoch >= first }
        }
        let trusted = earlier.headers + known.headers
        headers =
            [answer.checkpoint.header] + bundle.ancestors.map { $0.header }
            + changes.map { $0.header } + trusted.map { $0.header }
            + (earlier.start.header.map { [$0] } ?? [])
        sets =
            [answer.checkpoint.validators, earlier.start.validators] + changes.map { $0.next }
    }

    /// The log of genesis, which is empty, is nobody's to see.
    func headers(ofSize size: UInt64) -> [Header] {
        headers.filter { $0.logSize == size && $0.height > 0 }
    }

    /// Where a header with a log of that size stands: each block adds a leaf at least, so two of them are never further apart by
    /// their heights than by their logs.
    func whereabouts(ofSize size: UInt64) -> WitnessFault.Whereabouts {
        let lower = headers.filter { $0.logSize < size }.max { $0.logSize < $1.logSize }
        let upper = headers.filter { $0.logSize > size }.min { $0.logSize < $1.logSize }
        guard let upper else { return .above(headers.reduce(0) { max($0, $1.height) }) }
        let (height, known) = (lower?.height ?? 0, lower?.logSize ?? 0)
        let first = max(
            Self.sum(height, 1), upper.height - min(upper.height, upper.logSize - size))
        let last = min(upper.height - min(upper.height, 1), Self.sum(height, size - known))
        return first <= last ? .between(first, last) : .nowhere
    }

    private static func sum(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let (sum, overflow) = one.addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
