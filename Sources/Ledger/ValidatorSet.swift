import Encoding
import LedgerCrypto

/// One seat of a validator set.
public struct Validator: Hashable, Sendable, CBOREncodable, CBORDecodable {
    public let member: MemberID
    /// Signs votes and cosigns checkpoints of the log, nothing else; never a member's key.
    public let votingKey: PublicKey
    /// DER SubjectPublicKeyInfo of the P-256 key that the node shows in TLS.
    public let transportKey: [UInt8]

    public static let transportKeyBytesMax = 256

    public init(member: MemberID, votingKey: PublicKey, transportKey: [UInt8]) {
        self.member = member
        self.votingKey = votingKey
        self.transportKey = transportKey
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.value(member)
        encoder.value(votingKey)
        encoder.bytes(transportKey)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        member = try decoder.value()
        votingKey = try decoder.value()
        transportKey = try decoder.bytes(max: Validator.transportKeyBytesMax)
    }
}

/// The validators of one epoch, in the order that numbers them. Wire: `[epoch, [validator…]]`.
public struct ValidatorSet: Hashable, Sendable {
    public let epoch: UInt64
    public let validators: [Validator]

    /// `nil` when empty, larger than `LedgerLimits.validatorsMax`, of mixed suites, or with a key twice.
    public init?(epoch: UInt64, validators: [Validator]) {
        guard let first = validators.first, validators.count <= LedgerLimits.validatorsMax,
            validators.allSatisfy({ $0.votingKey.suite == first.votingKey.suite }),
            Set(validators.map { $0.votingKey }).count == validators.count,
            Set(validators.map { $0.transportKey }).count == validators.count
        else { return nil }
        self.epoch = epoch
        self.validators = validators
    }

    public var count: Int { validators.count }
    public var quorum: Int { Quorum.size(count) }
    public var suite: Suite { validators[0].votingKey.suite }

    public func digest(_ suite: Suite) -> Digest { suite.digest(encoded) }

    /// Round robin by view; the epoch shifts the start so that no seat always leads first.
    public func leader(view: UInt64) -> Int {
        Int((view &+ epoch) % UInt64(count))
    }

    public func index(ofKey keyID: KeyID) -> Int? {
        validators.firstIndex { $0.votingKey.keyID == keyID }
    }
}

extension ValidatorSet: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.unsigned(epoch)
        encoder.list(validators)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        let epoch = try decoder.unsigned()
        let validators: [Validator] = try decoder.list(max: LedgerLimits.validatorsMax)
        guard let set = ValidatorSet(epoch: epoch, validators: validators) else {
            throw decoder.invalid("a validator set is 1 to 128 distinct keys of one suite")
        }
        self = set
    }
}
