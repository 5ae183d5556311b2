import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

/// Decides from a genesis and a bundle alone whether the bundle's answer holds. Asks nobody, keeps nothing.
///
/// It trusts that fewer than a third of the validators of each epoch are dishonest, and the two primitives of the
/// suite; everything else it recomputes. Work is linear in the bundle, which `EvidenceLimits` bounds.
public struct Verifier: Sendable {
    public let genesis: Genesis
    public let limits: EvidenceLimits
    public let chain: ChainID

    public init(genesis: Genesis, limits: EvidenceLimits = .standard) {
        self.genesis = genesis
        self.limits = limits
        self.chain = genesis.chain
    }

    public var suite: Suite { genesis.suite }

    /// - Parameter asked: the question that the caller has in mind; a bundle that answers another one is refused.
    ///   Without it the caller must look at the answer's `question`.
    /// - Throws: the first problem found, with its place.
    public func verify(
        _ bytes: [UInt8], asked: EvidenceQuestion? = nil
    ) throws(EvidenceProblem) -> ProvenAnswer {
        try verify(decode(bytes), asked: asked)
    }

    func decode(_ bytes: [UInt8]) throws(EvidenceProblem) -> EvidenceBundle {
        do throws(CBORError) {
            return try EvidenceBundle.decode(bytes, limits: limits.decoding)
        } catch {
            throw EvidenceProblem(.bundle, .undecodable(error))
        }
    }

    public func verify(
        _ bundle: EvidenceBundle, asked: EvidenceQuestion? = nil
    ) throws(EvidenceProblem) -> ProvenAnswer {
        guard bundle.chain == chain else {
            throw EvidenceProblem(.bundle, .otherLedger(found: bundle.chain, expected: chain))
        }
        if let asked, asked != bundle.question {
            throw EvidenceProblem(.question, .otherQuestion)
        }
        guard bundle.entries.count <= limits.entriesMax else {
            throw EvidenceProblem(
                .bundle,
                .tooMany(what: "entries", found: bundle.entries.count, max: limits.entriesMax))
        }
        let checkpoint = try verifyCheckpoint(
            header: bundle.header, certificate: bundle.certificate,
            epochChanges: bundle.epochChanges)
        let state = try provenState(bundle.records, header: bundle.header)
        let ancestors = try provenAncestors(bundle.ancestors, certified: bundle.header)
        let entries = try provenEntries(
            bundle.entries, ancestors: ancestors, certified: bundle.header, state: state)
        let finding = try finding(bundle, state: state, entries: entries)
        return ProvenAnswer(
            ledger: genesis.name, suite: suite, question: bundle.question,
            checkpoint: checkpoint, finding: finding)
    }

    // MARK: Header and certificate

    /// A header that a quorum of its epoch's validators finalised, the epoch's set being proven from genesis on.
    public func verifyCheckpoint(
        header: Header, certificate: Certificate, epochChanges: [EpochChange] = []
    ) throws(EvidenceProblem) -> Checkpoint {
        var validators = genesis.validators
        var height: UInt64 = 0
        for (index, change) in epochChanges.enumerated() {
            let place = EvidencePlace.epochChange(index: index)
            try checkHeader(change.header, validators: validators, at: place)
            guard change.header.height > height else { throw EvidenceProblem(place, .outOfOrder) }
            height = change.header.height
            try checkCertificate(
                change.certificate, header: change.header, validators: validators, at: place)
            guard let next = change.header.nextValidators else {
                throw EvidenceProblem(place, .noNextValidators)
            }
            let (epoch, overflow) = validators.epoch.addingReportingOverflow(1)
            guard next == change.next.digest(suite), change.next.suite == suite, !overflow,
                change.next.epoch == epoch
            else { throw EvidenceProblem(place, .otherNextValidators) }
            validators = change.next
        }
        let place = EvidencePlace.header(height: header.height)
        try checkHeader(header, validators: validators, at: place)
        // An epoch's last header hands over; nothing below it belongs to a later epoch.
        guard epochChanges.isEmpty || header.height > height else {
            throw EvidenceProblem(place, .outOfOrder)
        }
        try checkCertificate(
            certificate, header: header, validators: validators, at: .certificate)
        return Checkpoint(
            header: header, digest: header.digest(suite),
            signatures: certificate.signatures.count, validators: validators)
    }

    private func checkHeader(
        _ header: Header, validators: ValidatorSet, at place: EvidencePlace
    ) throws(EvidenceProblem) {
        guard header.chain == chain else { throw EvidenceProblem(place, .otherChainInHeader) }
        guard header.epoch >= validators.epoch else {
            throw EvidenceProblem(
                place, .otherEpoch(found: header.epoch, expected: validators.epoch))
        }
        guard header.epoch == validators.epoch else {
            throw EvidenceProblem(
                place, .unknownEpoch(epoch: header.epoch, known: validators.epoch))
        }
        guard header.validators == validators.digest(suite) else {
            throw EvidenceProblem(place, .otherValidators)
        }
    }

    private func checkCertificate(
        _ certificate: Certificate, header: Header, validators: ValidatorSet,
        at place: EvidencePlace
    ) throws(EvidenceProblem) {
        switch certificate.kind {
        case .finalize: break
        case .notarize: throw EvidenceProblem(place, .notFinal)
        case .nullify: throw EvidenceProblem(place, .notAFinalization)
        }
        guard certificate.statement.epoch == validators.epoch else {
            throw EvidenceProblem(
                place,
                .otherEpoch(found: certificate.statement.epoch, expected: validators.epoch))
        }
        guard certificate.statement.subject == VoteSubject(header, suite: suite) else {
            throw EvidenceProblem(place, .otherHeaderCertified)
        }
        let count = certificate.signatures.count
        for signature in certificate.signatures where signature.validator >= validators.count {
            throw EvidenceProblem(place, .unknownValidator(signature.validator))
        }
        guard count >= validators.quorum else {
            throw EvidenceProblem(
                place,
                .belowQuorum(
                    signatures: count, quorum: validators.quorum, validators: validators.count))
        }
        guard certificate.verified(chain: chain, validators: validators) == nil else { return }
        for vote in certificate.votes
        where vote.verified(chain: chain, validators: validators) == nil {
            throw EvidenceProblem(place, .badVote(validator: vote.validator))
        }
        throw EvidenceProblem(place, .outOfOrder)
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
                for: record.key, valueHash: record.value.map { suite.digest($0) }, suite: suite)
            guard root == header.stateRoot else {
                throw EvidenceProblem(place, .wrongStateProof)
            }
        }
        return ProvenState(records: records)
    }
}

/// State records whose proofs all lead to the certified state root, ascending by key.
struct ProvenState {
    let records: [StateEvidence]

    /// Position of the key's evidence; nil when the bundle says nothing about the key.
    func index(of key: Digest) -> Int? {
        var low = 0
        var high = records.count
        while low < high {
            let middle = low + (high - low) / 2
            if records[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low < records.count && records[low].key == key ? low : nil
    }

    /// The typed record under the key; nil when the state proves that there is none.
    func record<Record: RecordCodable>(
        _: Record.Type, key: Digest, neededAt needed: EvidencePlace
    ) throws(EvidenceProblem) -> Record? {
        guard let index = index(of: key) else {
            throw EvidenceProblem(needed, .recordNotIncluded)
        }
        guard let any = try anyRecord(at: index) else { return nil }
        guard let record = Record(any) else {
            throw EvidenceProblem(.record(index: index, key: key), .otherRecord(field: "type"))
        }
        return record
    }

    func anyRecord(at index: Int) throws(EvidenceProblem) -> AnyRecord? {
        guard let value = records[index].value else { return nil }
        do throws(CBORError) {
            return try StoredRecord.decode(value: value)
        } catch {
            throw EvidenceProblem(
                .record(index: index, key: records[index].key), .recordUndecodable(error))
        }
    }
}
