import Encoding
import Ledger
import LedgerCrypto

/// The validator set that certifies the blocks after this state's block (记账节点集合): with an epoch's last block
/// it is already the next epoch's. There is no such record before the first change; until then it is genesis' set.
public struct ValidatorsRecord: Hashable, Sendable {
    /// With its epoch, so that its digest is what headers name.
    public var set: ValidatorSet
    /// Height of the epoch's last block, which made this set.
    public var setHeight: UInt64

    public init(set: ValidatorSet, setHeight: UInt64) {
        self.set = set
        self.setHeight = setHeight
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(2)
        encoder.field(1, set)
        encoder.field(2, setHeight)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        set = try fields.value(1, &decoder)
        setHeight = try fields.number(2, &decoder)
        try fields.finish(&decoder)
    }
}

/// A voting key that was given a seat after genesis, or that lost its seat. It stays for ever, so that no
/// key comes back: one that had left could have voted in a copy of its old node (amnesia).
public struct VotingKeyRecord: Hashable, Sendable {
    public var keyID: KeyID
    public var member: MemberID
    public var publicKey: PublicKey
    /// The first epoch in which it votes; 0 for a key of genesis.
    public var fromEpoch: UInt64
    /// Height of the block that gave it its seat; 0 for a key of genesis.
    public var fromHeight: UInt64
    /// The first epoch in which it has no vote any more; nil while it has one.
    public var untilEpoch: UInt64?
    /// Height of the block that convicted it of contradicting itself; nil for all others. It keeps its seat where there is no
    /// `untilEpoch`.
    public var convictedHeight: UInt64?
    /// The transaction with the proof.
    public var conviction: Digest?

    public init(
        keyID: KeyID, member: MemberID, publicKey: PublicKey, fromEpoch: UInt64,
        fromHeight: UInt64, untilEpoch: UInt64? = nil, convictedHeight: UInt64? = nil,
        conviction: Digest? = nil
    ) {
        self.keyID = keyID
        self.member = member
        self.publicKey = publicKey
        self.fromEpoch = fromEpoch
        self.fromHeight = fromHeight
        self.untilEpoch = untilEpoch
        self.convictedHeight = convictedHeight
        self.conviction = conviction
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(
            fieldCount(5, untilEpoch != nil, convictedHeight != nil, conviction != nil))
        encoder.field(1, keyID)
        encoder.field(2, member)
        encoder.field(3, publicKey)
        encoder.field(4, fromEpoch)
        encoder.field(5, fromHeight)
        encoder.field(6, ifPresent: untilEpoch)
        encoder.field(7, ifPresent: convictedHeight)
        encoder.field(8, ifPresent: conviction)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        keyID = try fields.value(1, &decoder)
        member = try fields.value(2, &decoder)
        publicKey = try fields.value(3, &decoder)
        fromEpoch = try fields.number(4, &decoder)
        fromHeight = try fields.number(5, &decoder)
        untilEpoch = try fields.optionalNumber(6, &decoder)
        convictedHeight = try fields.optionalNumber(7, &decoder)
        conviction = try fields.optional(8, &decoder)
        try fields.finish(&decoder)
    }
}
