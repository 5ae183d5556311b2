import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

/// Decides from a genesis, or what is trusted since, and a bundle alone whether the bundle's
/// answer holds. Asks nobody, keeps nothing.
///
/// It trusts that fewer than a third of the validators of each epoch are dishonest, and the two primitives of the
/// suite; everything else it recomputes. Work is linear in the bundle, which `EvidenceLimits` bounds:
/// its parts are read once, and each question looks up what it needs and reads one record.
public struct Verifier: Sendable {
    public let genesis: Genesis
    public let limits: EvidenceLimits
    public let chain: ChainID
    /// What is known of the chain beforehand; at least where trust starts.
    public let trust: TrustedChain

    /// Trust from genesis on.
    public init(genesis: Genesis, limits: EvidenceLimits = .standard) {
        self.genesis = genesis
        self.limits = limits
        trust = TrustedChain(genesis: genesis)
        chain = trust.chain
    }

    /// Trust from what its owner has kept, or from a checkpoint that he accepted.
    ///
    /// - Throws: `.otherLedger` or `.otherValidators` when that is not of this genesis.
    public init(
        genesis: Genesis, trust: TrustedChain, limits: EvidenceLimits = .standard
    ) throws(EvidenceProblem) {
        let chain = genesis.chain
        guard trust.chain == chain, trust.suite == genesis.suite else {
            throw EvidenceProblem(.start, .otherLedger(found: trust.chain, expected: chain))
        }
        if case .genesis(let validators) = trust.start, validators != genesis.validators {
            throw EvidenceProblem(.start, .otherValidators)
        }
        var trust = trust
        trust.recovery = genesis.recovery
        self.genesis = genesis
        self.limits = limits
        self.trust = trust
        self.chain = chain
    }

    public var suite: Suite { genesis.suite }

    /// - Parameter asked: the questions that the caller has in mind; a bundle that does not answer one of them is refused.
    ///   Without any the caller must look at the answer's `questions`.
    /// - Throws: the first problem found, with its place. A bundle proves all its answers or nothing.
    public func verify(
        _ bytes: [UInt8], asked: [EvidenceQuestion] = []
    ) throws(EvidenceProblem) -> ProvenAnswer {
        try verify(decode(bytes), asked: asked)
    }

    /// - Throws: `.undecodable` for what is no bundle, or larger than this verifier's limits.
    public func decode(_ bytes: [UInt8]) throws(EvidenceProblem) -> EvidenceBundle {
        do throws(CBORError) {
            return try EvidenceBundle.decode(bytes, limits: limits.decoding)
        } catch {
            throw EvidenceProblem(.bundle, .undecodable(error))
        }
    }

    public func verify(
        _ bundle: EvidenceBundle, asked: [EvidenceQuestion] = []
    ) throws(EvidenceProblem) -> ProvenAnswer {
        guard bundle.chain == chain else {
            throw EvidenceProblem(.bundle, .otherLedger(found: bundle.chain, expected: chain))
        }
        for question in asked where !bundle.questions.contains(question) {
            throw EvidenceProblem(.bundle, .otherQuestion)
        }
        guard !bundle.questions.isEmpty, EvidenceQuestion.areAscending(bundle.questions) else {
            throw EvidenceProblem(.bundle, .outOfOrder)
        }
        guard bundle.entries.count <= limits.entriesMax else {
            throw EvidenceProblem(
                .bundle,
                .tooMany(what: "entries", found: bundle.entries.count, max: limits.entriesMax))
        }
        let (checkpoint, known) = try provenHead(bundle.head)
        let state = try provenState(bundle.records, header: checkpoint.header)
        let ancestors = try provenAncestors(
            bundle.ancestors, certified: checkpoint.header, known: known)
        let entries = try provenEntries(
            bundle.entries, headers: ancestors, paths: bundle.ancestors, state: state)
        let proven = ProvenParts(
            state: state, headers: ancestors, paths: bundle.ancestors, entries: entries,
            index: EntryIndex(entries, for: bundle.questions))
        let findings = try findings(bundle.questions, histories: bundle.histories, proven)
        return ProvenAnswer(
            ledger: genesis.name, suite: suite, checkpoint: checkpoint,
            questions: bundle.questions, findings: findings,
            unused: UnusedParts(of: proven, bundle.questions, findings, suite))
    }

    // MARK: Header and certificate

    /// - Returns: the header, and all that is trusted with it: what was, and the ends of epochs that the bundle brings.
    private func provenHead(
        _ head: EvidenceBundle.Head
    ) throws(EvidenceProblem) -> (Checkpoint, known: TrustedChain) {
        switch head {
        case .certified(let certified, let changes):
            return try proven(certified, epochChanges: changes)
        case .trusted(let digest):
            guard let trusted = trust.trusted(digest),
                let validators = trust.validators(of: trusted.header.epoch)
            else { throw EvidenceProblem(.bundle, .headerNotTrusted(digest)) }
            let checkpoint = Checkpoint(
                trusted.header, digest, trusted.certificate, validators, known: trust)
            return (checkpoint, trust)
        }
    }

    /// A header that a quorum of its epoch's validators finalized, the epoch's set being proven from where trust starts.
    ///
    /// - Parameter epochChanges: the ends of the epochs before the header's; those that are trusted already may be left out.
    public func verifyCheckpoint(
        header: Header, certificate: Certificate, epochChanges: [EpochChange] = []
    ) throws(EvidenceProblem) -> Checkpoint {
        let certified = CertifiedHeader(header: header, certificate: certificate)
        return try proven(certified, epochChanges: epochChanges).0
    }

    private func proven(
        _ certified: CertifiedHeader, epochChanges: [EpochChange]
    ) throws(EvidenceProblem) -> (Checkpoint, known: TrustedChain) {
        var known = trust
        let firstNew = known.validators.epoch
        if let conflict = try known.follow(epochChanges) { throw Self.problem(conflict) }
        let header = certified.header
        let place = EvidencePlace.header(height: header.height)
        let validators = try known.verify(certified, at: place, certificateAt: .certificate)
        if let conflict = known.conflict(with: certified, firstNew: firstNew, at: place) {
            throw Self.problem(conflict)
        }
        // A bundle holds what leads to its header and no more.
        if let last = epochChanges.last?.header.epoch, header.epoch <= last {
            throw EvidenceProblem(place, .endNotNeeded(epoch: last))
        }
        let checkpoint = Checkpoint(
            header, header.digest(suite), certified.certificate, validators, known: known)
        return (checkpoint, known)
    }

    static func problem(_ conflict: TrustedChain.Conflict) -> EvidenceProblem {
        EvidenceProblem(conflict.place, conflict.isInside ? .outOfOrder : .contradictsTrusted)
    }

    // MARK: State

    func provenState(
        _ records: [StateEvidence], header: Header
    ) throws(EvidenceProblem) -> ProvenState {
        var last: Digest?
        for (index, record) in records.enumerated() {
            let place = EvidencePlace.record(index: index, key: record.key)
            if let last, last >= record.key { throw EvidenceProblem(place, .outOfOrder) }
            last = record.key
            let root = record.proof.root(
                for: record.key, valueHash: record.valueHash(suite), suite: suite)
            guard root == header.stateRoot else {
                throw EvidenceProblem(place, .wrongStateProof)
            }
        }
        return ProvenState(records: records)
    }
}

/// All parts of a bundle that answers are made of, each proven to be on the ledger.
struct ProvenParts {
    let state: ProvenState
    /// Ascending by height, the certified one last.
    let headers: [Header]
    /// Those headers' but the last one's, with their paths in the certified log.
    let paths: [HeaderEvidence]
    let entries: [ProvenEntry]
    let index: EntryIndex
}

/// State records whose proofs all lead to the certified state root, ascending by key.
struct ProvenState {
    let records: [StateEvidence]

    /// Position of the key's evidence; nil when the bundle says nothing about the key.
    func index(of key: Digest) -> Int? {
        let index = records.partitioningIndex { $0.key >= key }
        return index < records.count && records[index].key == key ? index : nil
    }

    func isWithheld(at index: Int) -> Bool {
        if case .withheld = records[index].content { true } else { false }
    }

    /// The typed record under the key; nil when the state proves that there is none.
    func record<Record: RecordCodable>(
        _: Record.Type, key: Digest, neededAt needed: EvidencePlace
    ) throws(EvidenceProblem) -> Record? {
        guard let index = index(of: key) else {
            throw EvidenceProblem(needed, .recordNotIncluded)
        }
        switch try content(at: index) {
        case .nothing: return nil
        case .withheld: throw EvidenceProblem(needed, .recordWithheld)
        case .record(let any):
            guard let record = Record(any) else {
                throw EvidenceProblem(
                    .record(index: index, key: key), .otherRecord(field: "type"))
            }
            return record
        }
    }

    func content(at index: Int) throws(EvidenceProblem) -> ProvenRecord {
        switch records[index].content {
        case .nothing: return .nothing
        case .withheld(let digest): return .withheld(digest)
        case .value(let value):
            do throws(CBORError) {
                return .record(try StoredRecord.decode(value: value))
            } catch {
                throw EvidenceProblem(
                    .record(index: index, key: records[index].key), .recordUndecodable(error))
            }
        }
    }
}
