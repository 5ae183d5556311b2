import Ledger
import LedgerCrypto
import Records

/// Bounds on changes of the validator set.
public enum ValidatorRules {
    /// A validator may replace its own key so many blocks after the set's last change, whoever made that. Each change
    /// ends an epoch, and light clients walk through all of them; the governor is not bound by it, for lost keys.
    public static let ownReplacementBlocksMin: UInt64 = 4_096
    /// Proofs of equivocation whose signatures one block checks; two signatures each.
    public static let proofsPerBlockMax = 16
    /// Length of a P-256 SubjectPublicKeyInfo with an uncompressed point (RFC 5480 §2).
    public static let transportKeyBytes = 91

    /// DER up to the point: `SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING 04…` (RFC 5480 §2).
    static let transportKeyPrefix: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08,
        0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ]

    /// - Throws: `valueNotAllowed` for what is no P-256 key in that form.
    static func check(transportKey: [UInt8]) throws(OutcomeCode) {
        guard transportKey.count == transportKeyBytes, transportKey.starts(with: transportKeyPrefix)
        else { throw .valueNotAllowed }
    }
}

/// The seats of the next epoch, as the block's entries change them one after another. All accepted changes of one
/// block make one new set, and the block is its epoch's last.
extension StateView {
    /// The set after this block, as far as its entries have run.
    public mutating func validators(after block: BlockContext) -> ValidatorSet {
        let record: ValidatorsRecord? = record(at: StateKey.validators(suite))
        let set = record?.set ?? block.validators
        precondition(
            set == block.validators
                || (block.validators.epoch < UInt64.max && set.epoch == block.validators.epoch + 1),
            "the record is the present set or the next epoch's")
        return set
    }

    /// The set that the block hands over to; nil when its epoch goes on.
    public mutating func nextValidators(_ block: BlockContext) -> ValidatorSet? {
        let set = validators(after: block)
        return set.epoch == block.validators.epoch ? nil : set
    }

    /// Changes the seats and keeps the result for the next epoch.
    ///
    /// Enough of the old set stays that the network goes on even when no newcomer is ready: at most as many
    /// seats come, and as many go, as the smaller of the two sets tolerates faults; always one.
    ///
    /// - Throws: `validatorCount` beyond `LedgerLimits.validatorsMax`, without any seat, or when the set would no longer
    ///   tolerate a fault though it does now; `epochFull` beyond the number of changes;
    ///   `alreadyExists` for a transport key that another seat has.
    mutating func changeSeats(
        in context: ApplyContext, _ change: (inout [Validator]) throws(OutcomeCode) -> Void
    ) throws(OutcomeCode) {
        let present = context.block.validators
        var seats = validators(after: context.block).validators
        try change(&seats)
        guard !seats.isEmpty, seats.count <= LedgerLimits.validatorsMax, present.epoch < UInt64.max
        else { throw .validatorCount }
        guard let next = ValidatorSet(epoch: present.epoch + 1, validators: seats) else {
            throw .alreadyExists
        }
        let tolerated = Quorum.faultsTolerated(next.count)
        guard tolerated > 0 || Quorum.faultsTolerated(present.count) == 0 else {
            throw .validatorCount
        }
        let stay = present.validators.count { next.index(ofKey: $0.votingKey.keyID) != nil }
        let most = max(1, min(tolerated, Quorum.faultsTolerated(present.count)))
        guard present.count - stay <= most, next.count - stay <= most else { throw .epochFull }
        put(ValidatorsRecord(set: next, setHeight: context.height))
    }

    /// Whether a key is or ever was a validator's: it is nobody else's then, and never a member's.
    mutating func isVotingKey(_ keyID: KeyID, in block: BlockContext) -> Bool {
        validators(after: block).index(ofKey: keyID) != nil
            || block.validators.index(ofKey: keyID) != nil
            || holds(StateKey.votingKey(keyID, suite))
    }

    /// Registers a new voting key from the next epoch on.
    ///
    /// - Throws: `valueNotAllowed` for another suite's key, `keyPurpose` for one that is or was a member's,
    ///   `alreadyExists` for one that is or was a validator's.
    mutating func addVotingKey(
        _ publicKey: PublicKey, of member: MemberID, in context: ApplyContext
    ) throws(OutcomeCode) {
        let keyID = publicKey.keyID
        guard publicKey.suite == context.suite else { throw .valueNotAllowed }
        guard !holds(StateKey.key(keyID, suite)) else { throw .keyPurpose }
        guard !isVotingKey(keyID, in: context.block) else { throw .alreadyExists }
        let present = context.block.validators.epoch
        guard present < UInt64.max else { throw .validatorCount }
        put(
            VotingKeyRecord(
                keyID: keyID, member: member, publicKey: publicKey, fromEpoch: present + 1,
                fromHeight: context.height))
    }

    /// Takes a seat's key out of use from the next epoch on.
    mutating func retireVotingKey(of seat: Validator, in context: ApplyContext) {
        let keyID = seat.votingKey.keyID
        var record = votingKey(keyID) ?? VotingKeyRecord(foundingSeat: seat)
        record.untilEpoch = context.block.validators.epoch &+ 1
        put(record)
    }
}
