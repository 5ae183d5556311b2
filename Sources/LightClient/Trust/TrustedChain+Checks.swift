import Ledger
import LedgerCrypto

// What a quorum said, checked under the sets that are trusted.
extension TrustedChain {
    /// Two certified headers that cannot both be final.
    struct Conflict {
        let place: EvidencePlace
        /// What is trusted already; `nil` for the start, where no votes for it came since.
        let held: CertifiedHeader?
        let new: CertifiedHeader
        /// Whether what is contradicted was itself added by the same list of epoch changes.
        let isInside: Bool
    }

    /// One of those that are trusted.
    struct TrustedHeader {
        let header: Header
        /// `nil` for the start, where no votes for it came since.
        let certified: CertifiedHeader?
        /// Whether it is here as the end of its epoch.
        let isEnd: Bool
    }

    /// Adds the ends of epochs, each under the set that the one before handed over to. Those that are known already
    /// must be the same; those before the start say nothing here.
    ///
    /// - Returns: the first that contradicts what is trusted; those before it were added.
    mutating func follow(_ changes: [EpochChange]) throws(EvidenceProblem) -> Conflict? {
        let firstNew = validators.epoch
        var last: UInt64?
        for (index, change) in changes.enumerated() {
            let place = EvidencePlace.epochChange(index: index)
            let epoch = change.header.epoch
            guard epoch < firstNew else {
                if let conflict = try add(change, firstNew: firstNew, at: place) {
                    return conflict
                }
                continue
            }
            if let last, last >= epoch { throw EvidenceProblem(place, .outOfOrder) }
            last = epoch
            guard let known = end(of: epoch) else { continue }
            if known.header == change.header {
                guard known.next == change.next else {
                    throw EvidenceProblem(place, .otherNextValidators)
                }
                continue
            }
            _ = try verify(change.certified, at: place, certificateAt: place)
            return Conflict(
                place: place, held: known.certified, new: change.certified, isInside: false)
        }
        return nil
    }

    private mutating func add(
        _ change: EpochChange, firstNew: UInt64, at place: EvidencePlace
    ) throws(EvidenceProblem) -> Conflict? {
        guard epochChanges.count < TrustedChain.epochsMax else {
            throw EvidenceProblem(
                place,
                .tooMany(
                    what: "epochs", found: epochChanges.count + 1, max: TrustedChain.epochsMax))
        }
        // Only the newest set can hand over: what is of an epoch that this list ended already is refused.
        try checkHeader(change.header, validators: validators, at: place)
        guard change.header.height > 0 else { throw EvidenceProblem(place, .outOfOrder) }
        try checkCertificate(
            change.certificate, header: change.header, validators: validators, at: place)
        guard let digest = change.header.nextValidators else {
            throw EvidenceProblem(place, .noNextValidators)
        }
        let (epoch, overflow) = validators.epoch.addingReportingOverflow(1)
        guard digest == change.next.digest(suite), change.next.suite == suite, !overflow,
            change.next.epoch == epoch
        else { throw EvidenceProblem(place, .otherNextValidators) }
        if let conflict = conflict(with: change.certified, firstNew: firstNew, at: place) {
            return conflict
        }
        epochChanges.append(change)
        return nil
    }

    /// What is trusted and contradicts this certified header by the headers alone.
    func conflict(
        with new: CertifiedHeader, firstNew: UInt64, at place: EvidencePlace
    ) -> Conflict? {
        guard let held = contradicting(new.header) else { return nil }
        return Conflict(
            place: place, held: held.certified, new: new,
            isInside: held.isEnd && held.header.epoch >= firstNew)
    }

    /// The first trusted header that cannot be of one history with this one, by the headers alone.
    ///
    /// Of the ends of epochs two are looked at, that of the header's own and that of the one before. What contradicts another end lies
    /// beyond one of these, or is of an epoch that nothing leads to.
    func contradicting(_ header: Header) -> TrustedHeader? {
        let epoch = header.epoch
        for end in [epoch > 0 ? end(of: epoch - 1) : nil, end(of: epoch)] {
            if let end, Contradiction.between(end.header, header) != nil {
                return TrustedHeader(end)
            }
        }
        if let held = headers.first(where: { Contradiction.between($0.header, header) != nil }) {
            return TrustedHeader(header: held.header, certified: held, isEnd: false)
        }
        // Last: the same header may be held with votes.
        guard let first = start.header, Contradiction.between(first, header) != nil else {
            return nil
        }
        return TrustedHeader(header: first, certified: nil, isEnd: false)
    }

    /// Whether a side of the fork that is not trusted is of an epoch that ended long ago. Its keys were to be destroyed then, and whoever
    /// finds them can certify whatever he likes: it says nothing about the ledger of today. Where a recovery ended the epoch, its
    /// validators did not: if they went on, one of the two histories is a usurper's, however long it takes to show.
    ///
    /// - Parameter nowMs: the caller's clock, milliseconds of Unix time.
    public func isByEndedKeys(_ fork: ForkEvidence, nowMs: UInt64) -> Bool {
        [fork.lower.header, fork.higher.header].contains { header in
            guard !holds(header), let end = end(of: header.epoch), end.certificate.kind != .recover
            else { return false }
            let timeMs = end.header.timeMs
            return nowMs > timeMs && nowMs - timeMs >= TrustedChain.keyLifeMs
        }
    }

    func holds(_ header: Header) -> Bool {
        header == start.header || headers.contains { $0.header == header }
            || end(of: header.epoch)?.header == header
    }

    /// - Returns: the set of the header's epoch, a quorum of which finalized it.
    func verify(
        _ certified: CertifiedHeader, at place: EvidencePlace,
        certificateAt certificatePlace: EvidencePlace
    ) throws(EvidenceProblem) -> ValidatorSet {
        let epoch = certified.header.epoch
        guard certified.header.chain == chain else {
            throw EvidenceProblem(place, .otherChainInHeader)
        }
        guard epoch >= start.validators.epoch else {
            throw EvidenceProblem(
                place, .epochBeforeStart(epoch: epoch, first: start.validators.epoch))
        }
        let validators = self.validators(of: epoch) ?? validators
        // Its signatures were checked when it was added.
        if headers.contains(certified) { return validators }
        try checkHeader(certified.header, validators: validators, at: place)
        try checkCertificate(
            certified.certificate, header: certified.header, validators: validators,
            at: certificatePlace)
        return validators
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
        if certificate.kind == .recover {
            return try checkRecovery(certificate, header: header, at: place)
        }
        guard certificate.statement.epoch == validators.epoch else {
            throw EvidenceProblem(
                place,
                .otherEpoch(found: certificate.statement.epoch, expected: validators.epoch))
        }
        // What it certifies is said of those who signed it.
        try checkVotes(certificate, validators: validators, at: place)
        switch certificate.kind {
        case .finalize, .recover: break
        case .notarize: throw EvidenceProblem(place, .notFinal)
        case .nullify: throw EvidenceProblem(place, .notAFinalization)
        }
        guard certificate.statement.subject == VoteSubject(header, suite: suite) else {
            throw EvidenceProblem(place, .otherHeaderCertified)
        }
    }

    /// Enough keys of the genesis' rule, for an epoch's last block.
    private func checkRecovery(
        _ certificate: Certificate, header: Header, at place: EvidencePlace
    ) throws(EvidenceProblem) {
        guard let recovery else { throw EvidenceProblem(place, .noRecoveryRule) }
        guard header.nextValidators != nil else { throw EvidenceProblem(place, .noNextValidators) }
        let count = certificate.signatures.count
        guard count >= recovery.threshold else {
            throw EvidenceProblem(
                place,
                .belowThreshold(
                    signatures: count, threshold: recovery.threshold, keys: recovery.keys.count))
        }
        guard certificate.verified(chain: chain, rule: recovery) == nil else {
            let subject = VoteSubject(header, suite: suite)
            guard certificate.statement == .recover(epoch: header.epoch, subject) else {
                throw EvidenceProblem(place, .otherHeaderCertified)
            }
            return
        }
        for signature in certificate.signatures
        where !recovery.isValid(signature, of: certificate.statement, chain: chain) {
            throw EvidenceProblem(place, .badRecoverySignature(key: signature.validator))
        }
        throw EvidenceProblem(place, .outOfOrder)
    }

    /// A quorum of this very set, each signature valid, whatever the votes say.
    func checkVotes(
        _ certificate: Certificate, validators: ValidatorSet, at place: EvidencePlace
    ) throws(EvidenceProblem) {
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
}

extension TrustedChain.TrustedHeader {
    init(_ end: EpochChange) {
        self.init(header: end.header, certified: end.certified, isEnd: true)
    }
}
