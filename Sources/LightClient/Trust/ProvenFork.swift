import Encoding
import Ledger
import LedgerCrypto

/// What fork evidence proves. Only `Verifier` makes one.
///
/// By the argument in `Sources/Consensus/Consensus.swift` ("Why it is safe") no two such headers are ever finalized while
/// at most f = ⌊(n−1)/3⌋ of the n validators of an epoch break the rules. So f + 1 at least did. Who it was is
/// said only of those whose own votes contradict one another.
public struct ProvenFork: Equatable, Sendable {
    /// The name in the genesis.
    public let ledger: String
    public let suite: Suite
    public let lower: Checkpoint
    public let higher: Checkpoint
    public let contradiction: Contradiction
    /// Ascending by epoch and seat, each once.
    public let doubleSigners: [DoubleSigner]
    /// Why fewer are named than must have broken the rules; `nil` when enough are.
    public let missing: MissingVotes?
}

/// A validator whose two votes no honest validator signs together.
public struct DoubleSigner: Equatable, Sendable {
    public let epoch: UInt64
    /// Position in the epoch's set.
    public let seat: Int
    public let validator: Validator
    /// By itself proof against the voting key; what transaction kind 73 takes.
    public let votes: Equivocation
}

/// Which votes would name more double-signers.
public enum MissingVotes: Equatable, Sendable {
    /// Whoever finalized in `view` contradicts himself only by a nullify vote in that view or another vote of one kind in
    /// it: the nullification of `view`, another finalization, or two notarizations in it, must exist and are not in the evidence.
    case votes(epoch: UInt64, view: UInt64)
    /// The headers are of different epochs, whose votes are never compared: the end of the earlier epoch in the other
    /// history is needed.
    case sameEpoch(epoch: UInt64)
    /// A side rests on a recovery under the genesis' rule, which ended that epoch: no votes show who broke the rules.
    case recovery(epoch: UInt64)
}

extension Verifier {
    /// Whether two quorums finalized two histories, and who is known by it to have broken the rules.
    ///
    /// - Throws: the first problem found; the place says in which part.
    public func verifyFork(_ bytes: [UInt8]) throws(EvidenceProblem) -> ProvenFork {
        let evidence: ForkEvidence
        do throws(CBORError) {
            evidence = try ForkEvidence.decode(bytes, limits: ForkEvidence.limits)
        } catch {
            throw EvidenceProblem(.fork, .undecodable(error))
        }
        return try verifyFork(evidence)
    }

    public func verifyFork(_ evidence: ForkEvidence) throws(EvidenceProblem) -> ProvenFork {
        guard evidence.chain == chain else {
            throw EvidenceProblem(.fork, .otherLedger(found: evidence.chain, expected: chain))
        }
        guard evidence.more.count <= ForkEvidence.certificatesMax else {
            throw EvidenceProblem(
                .fork,
                .tooMany(
                    what: "certificates", found: evidence.more.count,
                    max: ForkEvidence.certificatesMax))
        }
        var known = trust
        if let conflict = try known.follow(evidence.epochChanges) {
            throw EvidenceProblem(
                conflict.place, conflict.isInside ? .outOfOrder : .contradictsTrusted)
        }
        let (lower, higher) = (evidence.lower, evidence.higher)
        guard
            ForkEvidence.order(lower.header, suite) < ForkEvidence.order(higher.header, suite)
        else { throw EvidenceProblem(.fork, .outOfOrder) }
        let lowerSide = EvidencePlace.forkSide(height: lower.header.height, isHigher: false)
        let higherSide = EvidencePlace.forkSide(height: higher.header.height, isHigher: true)
        let lowerSet = try known.verify(lower, at: lowerSide, certificateAt: lowerSide)
        let higherSet = try known.verify(higher, at: higherSide, certificateAt: higherSide)
        let contradiction = try contradiction(evidence, at: higherSide)
        try checkMore(evidence.more, known: known)
        let certificates = [lower.certificate, higher.certificate] + evidence.more
        let signers = Self.doubleSigners(certificates, known: known)
        return ProvenFork(
            ledger: genesis.name, suite: suite,
            lower: checkpoint(lower, validators: lowerSet, known: known),
            higher: checkpoint(higher, validators: higherSet, known: known),
            contradiction: contradiction, doubleSigners: signers,
            missing: Self.missing(lower, higher, known: known, named: signers))
    }

    private func checkpoint(
        _ certified: CertifiedHeader, validators: ValidatorSet, known: TrustedChain
    ) -> Checkpoint {
        Checkpoint(
            certified.header, certified.header.digest(suite), certified.certificate, validators,
            known: known)
    }

    private func contradiction(
        _ evidence: ForkEvidence, at place: EvidencePlace
    ) throws(EvidenceProblem) -> Contradiction {
        let (lower, higher) = (evidence.lower.header, evidence.higher.header)
        if let contradiction = Contradiction.between(lower, higher) {
            guard evidence.ancestor == nil else {
                throw EvidenceProblem(.forkAncestor, .ancestorNotNeeded)
            }
            return contradiction
        }
        guard let ancestor = evidence.ancestor else {
            throw EvidenceProblem(.fork, .noContradiction)
        }
        guard ancestor.header.height == lower.height, ancestor.header != lower else {
            throw EvidenceProblem(.forkAncestor, .noContradiction)
        }
        guard ancestor.isIn(logOf: higher, suite) else {
            throw EvidenceProblem(.forkAncestor, .headerNotInLog)
        }
        return .otherAncestor
    }

    private func checkMore(
        _ certificates: [Certificate], known: TrustedChain
    ) throws(EvidenceProblem) {
        for (index, certificate) in certificates.enumerated() {
            let place = EvidencePlace.forkCertificate(index: index)
            if index > 0,
                ForkEvidence.order(certificates[index - 1]) >= ForkEvidence.order(certificate)
            {
                throw EvidenceProblem(place, .outOfOrder)
            }
            let epoch = certificate.statement.epoch
            guard let validators = known.validators(of: epoch) else {
                throw EvidenceProblem(
                    place, .unknownEpoch(epoch: epoch, known: known.validators.epoch))
            }
            try known.checkVotes(certificate, validators: validators, at: place)
        }
    }

    /// Those in two certificates of one epoch and view whose statements no honest validator makes together.
    private static func doubleSigners(
        _ certificates: [Certificate], known: TrustedChain
    ) -> [DoubleSigner] {
        var found: [DoubleSigner] = []
        for (index, one) in certificates.enumerated() {
            for other in certificates[(index + 1)...]
            where one.statement.epoch == other.statement.epoch
                && one.statement.view == other.statement.view
                && one.kind != .recover && other.kind != .recover
            {
                guard let validators = known.validators(of: one.statement.epoch) else { continue }
                let votes = other.votes
                for vote in one.votes {
                    guard let second = votes.first(where: { $0.validator == vote.validator }),
                        let pair = Equivocation(vote, second),
                        !found.contains(where: {
                            ($0.epoch, $0.seat) == (validators.epoch, vote.validator)
                        })
                    else { continue }
                    found.append(
                        DoubleSigner(
                            epoch: validators.epoch, seat: vote.validator,
                            validator: validators.validators[vote.validator], votes: pair))
                }
            }
        }
        return found.sorted { ($0.epoch, $0.seat) < ($1.epoch, $1.seat) }
    }

    private static func missing(
        _ lower: CertifiedHeader, _ higher: CertifiedHeader, known: TrustedChain,
        named: [DoubleSigner]
    ) -> MissingVotes? {
        let epoch = lower.header.epoch
        let epochs = [epoch, higher.header.epoch]
        for side in [lower, higher] where side.certificate.kind == .recover {
            return .recovery(epoch: side.header.epoch)
        }
        // One side may stand on a recovery, and the other on what the epoch's validators did honestly.
        for change in known.epochChanges
        where change.certificate.kind == .recover && change.header.epoch >= (epochs.min() ?? 0)
            && change.header.epoch < (epochs.max() ?? 0)
        {
            return .recovery(epoch: change.header.epoch)
        }
        guard epoch == higher.header.epoch else {
            return .sameEpoch(epoch: min(epoch, higher.header.epoch))
        }
        let needed = Quorum.faultsTolerated(known.validators(of: epoch)?.count ?? 1) + 1
        guard named.filter({ $0.epoch == epoch }).count < needed else { return nil }
        return .votes(
            epoch: epoch, view: min(lower.certificate.view, higher.certificate.view))
    }
}
