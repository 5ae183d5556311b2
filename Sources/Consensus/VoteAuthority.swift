import Ledger

/// Who may vote in an epoch, and how a vote is checked; and who may end it when a quorum is lost.
public struct VoteAuthority: Sendable {
    public let chain: ChainID
    public let validators: ValidatorSet
    public let recovery: RecoveryRule?
    private let check: (@Sendable (Vote, ValidatorSet) -> Bool)?

    /// Checks real signatures under the validators' keys.
    public init(chain: ChainID, validators: ValidatorSet, recovery: RecoveryRule? = nil) {
        self.chain = chain
        self.validators = validators
        self.recovery = recovery
        check = nil
    }

    /// Checks votes in another way: a simulation whose validators share cheap keyed digests.
    package init(
        chain: ChainID, validators: ValidatorSet, check: @escaping @Sendable (Vote) -> Bool
    ) {
        self.init(chain: chain, validators: validators) { vote, _ in check(vote) }
    }

    /// The same for a simulation in which sets change: a vote is checked under the set of its epoch.
    package init(
        chain: ChainID, validators: ValidatorSet, recovery: RecoveryRule? = nil,
        check: @escaping @Sendable (Vote, ValidatorSet) -> Bool
    ) {
        self.chain = chain
        self.validators = validators
        self.recovery = recovery
        self.check = check
    }

    private init(_ other: VoteAuthority, _ validators: ValidatorSet) {
        chain = other.chain
        self.validators = validators
        recovery = other.recovery
        check = other.check
    }

    /// The same way of checking for another epoch's set.
    public func under(_ validators: ValidatorSet) -> VoteAuthority {
        VoteAuthority(self, validators)
    }

    public func verified(_ vote: Vote) -> Verified<Vote>? {
        guard let check else { return vote.verified(chain: chain, validators: validators) }
        guard vote.statement.epoch == validators.epoch,
            validators.validators.indices.contains(vote.validator), check(vote, validators)
        else { return nil }
        return Verified(assumingValid: vote)
    }

    /// A recovery of this epoch, under the genesis' rule.
    public func verified(recovery certificate: Certificate) -> Verified<Certificate>? {
        guard certificate.statement.epoch == validators.epoch else { return nil }
        return recovery.flatMap { certificate.verified(chain: chain, rule: $0) }
    }

    /// - Parameter isKnown: whether this very vote was verified before, under this set.
    public func verified(
        _ certificate: Certificate, isKnown: (Vote) -> Bool = { _ in false }
    ) -> Verified<Certificate>? {
        guard let check else {
            return certificate.verified(chain: chain, validators: validators, isKnown: isKnown)
        }
        let seats = certificate.signatures.map(\.validator)
        guard certificate.kind != .recover, certificate.statement.epoch == validators.epoch,
            seats.count >= validators.quorum,
            zip(seats, seats.dropFirst()).allSatisfy(<),
            seats.allSatisfy(validators.validators.indices.contains),
            certificate.votes.allSatisfy({ isKnown($0) || check($0, validators) })
        else { return nil }
        return Verified(assumingValid: certificate)
    }
}
