import Ledger

/// Who may vote in an epoch, and how a vote is checked.
public struct VoteAuthority: Sendable {
    public let chain: ChainID
    public let validators: ValidatorSet
    private let check: (@Sendable (Vote, ValidatorSet) -> Bool)?

    /// Checks real signatures under the validators' keys.
    public init(chain: ChainID, validators: ValidatorSet) {
        self.chain = chain
        self.validators = validators
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
        chain: ChainID, validators: ValidatorSet,
        check: @escaping @Sendable (Vote, ValidatorSet) -> Bool
    ) {
        self.chain = chain
        self.validators = validators
        self.check = check
    }

    private init(_ other: VoteAuthority, _ validators: ValidatorSet) {
        chain = other.chain
        self.validators = validators
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
