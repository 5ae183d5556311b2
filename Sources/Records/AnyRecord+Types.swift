import Encoding
import LedgerCrypto

// The two directions between a record and `AnyRecord`, for every type.

extension MemberRecord: RecordCodable {
    public static let type = RecordType.member
    public var wrapped: AnyRecord { .member(self) }
    public init?(_ record: AnyRecord) {
        guard case .member(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.member(id, suite)
    }
}

extension KeyRecord: RecordCodable {
    public static let type = RecordType.key
    public var wrapped: AnyRecord { .key(self) }
    public init?(_ record: AnyRecord) {
        guard case .key(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.key(keyID, suite)
    }
}

extension PolicyRecord: RecordCodable {
    public static let type = RecordType.policy
    public var wrapped: AnyRecord { .policy(self) }
    public init?(_ record: AnyRecord) {
        guard case .policy(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.policy(name, suite)
    }
}

extension ValidatorsRecord: RecordCodable {
    public static let type = RecordType.validators
    public var wrapped: AnyRecord { .validators(self) }
    public init?(_ record: AnyRecord) {
        guard case .validators(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.validators(suite)
    }
}

extension VotingKeyRecord: RecordCodable {
    public static let type = RecordType.votingKey
    public var wrapped: AnyRecord { .votingKey(self) }
    public init?(_ record: AnyRecord) {
        guard case .votingKey(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.votingKey(keyID, suite)
    }
}

extension AssetRecord: RecordCodable {
    public static let type = RecordType.asset
    public var wrapped: AnyRecord { .asset(self) }
    public init?(_ record: AnyRecord) {
        guard case .asset(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.digest(.asset, id, suite)
    }
}

extension AttestationRecord: RecordCodable {
    public static let type = RecordType.attestation
    public var wrapped: AnyRecord { .attestation(self) }
    public init?(_ record: AnyRecord) {
        guard case .attestation(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.digest(.attestation, id, suite)
    }
}

extension OfferRecord: RecordCodable {
    public static let type = RecordType.offer
    public var wrapped: AnyRecord { .offer(self) }
    public init?(_ record: AnyRecord) {
        guard case .offer(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.digest(.offer, id, suite)
    }
}

extension AgreementRecord: RecordCodable {
    public static let type = RecordType.agreement
    public var wrapped: AnyRecord { .agreement(self) }
    public init?(_ record: AnyRecord) {
        guard case .agreement(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.digest(.agreement, id, suite)
    }
}

extension AccountRecord: RecordCodable {
    public static let type = RecordType.account
    public var wrapped: AnyRecord { .account(self) }
    public init?(_ record: AnyRecord) {
        guard case .account(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.account(member: member, bank: bank, suite)
    }
}

extension BankRecord: RecordCodable {
    public static let type = RecordType.bank
    public var wrapped: AnyRecord { .bank(self) }
    public init?(_ record: AnyRecord) {
        guard case .bank(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.bank(member, suite)
    }
}

extension WithdrawalRecord: RecordCodable {
    public static let type = RecordType.withdrawal
    public var wrapped: AnyRecord { .withdrawal(self) }
    public init?(_ record: AnyRecord) {
        guard case .withdrawal(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.digest(.withdrawal, id, suite)
    }
}

extension JobRecord: RecordCodable {
    public static let type = RecordType.job
    public var wrapped: AnyRecord { .job(self) }
    public init?(_ record: AnyRecord) {
        guard case .job(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.digest(.job, id, suite)
    }
}

extension EvidenceRecord: RecordCodable {
    public static let type = RecordType.evidence
    public var wrapped: AnyRecord { .evidence(self) }
    public init?(_ record: AnyRecord) {
        guard case .evidence(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.digest(.evidence, id, suite)
    }
}

extension TimerIndexRecord: RecordCodable {
    public static let type = RecordType.timerIndex
    public var wrapped: AnyRecord { .timerIndex(self) }
    public init?(_ record: AnyRecord) {
        guard case .timerIndex(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.digest(.timerIndex, UInt64(0), suite)
    }
}

extension TimerDayRecord: RecordCodable {
    public static let type = RecordType.timerDay
    public var wrapped: AnyRecord { .timerDay(self) }
    public init?(_ record: AnyRecord) {
        guard case .timerDay(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.digest(.timerDay, day, suite)
    }
}

extension TimerHourRecord: RecordCodable {
    public static let type = RecordType.timerHour
    public var wrapped: AnyRecord { .timerHour(self) }
    public init?(_ record: AnyRecord) {
        guard case .timerHour(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.digest(.timerHour, hour, suite)
    }
}

extension SaltSeedRecord: RecordCodable {
    public static let type = RecordType.saltSeed
    public var wrapped: AnyRecord { .saltSeed(self) }
    public init?(_ record: AnyRecord) {
        guard case .saltSeed(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest { StateKey.saltSeed(suite) }
}
