import Encoding
import Ledger
import LedgerCrypto

/// A record of any type: what caches and explorers hold. Indirect, so that a table of them has small slots.
public indirect enum AnyRecord: Hashable, Sendable {
    case member(MemberRecord)
    case key(KeyRecord)
    case policy(PolicyRecord)
    case validators(ValidatorsRecord)
    case votingKey(VotingKeyRecord)
    case asset(AssetRecord)
    case attestation(AttestationRecord)
    case transfer(TransferRecord)
    case offer(OfferRecord)
    case agreement(AgreementRecord)
    case account(AccountRecord)
    case bank(BankRecord)
    case withdrawal(WithdrawalRecord)
    case job(JobRecord)
    case evidence(EvidenceRecord)
    case timerIndex(TimerIndexRecord)
    case timerDay(TimerDayRecord)
    case timerHour(TimerHourRecord)
    case saltSeed(SaltSeedRecord)

    /// Decodes the body of a stored record.
    public init(type: RecordType, body: [UInt8]) throws(CBORError) {
        self =
            switch type {
            case .member: .member(try Self.read(body))
            case .key: .key(try Self.read(body))
            case .policy: .policy(try Self.read(body))
            case .validators: .validators(try Self.read(body))
            case .votingKey: .votingKey(try Self.read(body))
            case .asset: .asset(try Self.read(body))
            case .attestation: .attestation(try Self.read(body))
            case .transfer: .transfer(try Self.read(body))
            case .offer: .offer(try Self.read(body))
            case .agreement: .agreement(try Self.read(body))
            case .account: .account(try Self.read(body))
            case .bank: .bank(try Self.read(body))
            case .withdrawal: .withdrawal(try Self.read(body))
            case .job: .job(try Self.read(body))
            case .evidence: .evidence(try Self.read(body))
            case .timerIndex: .timerIndex(try Self.read(body))
            case .timerDay: .timerDay(try Self.read(body))
            case .timerHour: .timerHour(try Self.read(body))
            case .saltSeed: .saltSeed(try Self.read(body))
            }
    }

    private static func read<Record: CBORDecodable>(_ body: [UInt8]) throws(CBORError) -> Record {
        try Record.decode(body, limits: StoredRecord.limits)
    }

    public var type: RecordType {
        switch self {
        case .member: .member
        case .key: .key
        case .policy: .policy
        case .validators: .validators
        case .votingKey: .votingKey
        case .asset: .asset
        case .attestation: .attestation
        case .transfer: .transfer
        case .offer: .offer
        case .agreement: .agreement
        case .account: .account
        case .bank: .bank
        case .withdrawal: .withdrawal
        case .job: .job
        case .evidence: .evidence
        case .timerIndex: .timerIndex
        case .timerDay: .timerDay
        case .timerHour: .timerHour
        case .saltSeed: .saltSeed
        }
    }

    /// The encoded record, without salt and type.
    public var body: [UInt8] {
        // Most records are smaller; growing step by step would copy them several times.
        var encoder = CBOREncoder(reserving: 384)
        encode(into: &encoder)
        return encoder.bytes
    }

    /// Writes the body.
    func encode(into encoder: inout CBOREncoder) {
        switch self {
        case .member(let record): record.encode(into: &encoder)
        case .key(let record): record.encode(into: &encoder)
        case .policy(let record): record.encode(into: &encoder)
        case .validators(let record): record.encode(into: &encoder)
        case .votingKey(let record): record.encode(into: &encoder)
        case .asset(let record): record.encode(into: &encoder)
        case .attestation(let record): record.encode(into: &encoder)
        case .transfer(let record): record.encode(into: &encoder)
        case .offer(let record): record.encode(into: &encoder)
        case .agreement(let record): record.encode(into: &encoder)
        case .account(let record): record.encode(into: &encoder)
        case .bank(let record): record.encode(into: &encoder)
        case .withdrawal(let record): record.encode(into: &encoder)
        case .job(let record): record.encode(into: &encoder)
        case .evidence(let record): record.encode(into: &encoder)
        case .timerIndex(let record): record.encode(into: &encoder)
        case .timerDay(let record): record.encode(into: &encoder)
        case .timerHour(let record): record.encode(into: &encoder)
        case .saltSeed(let record): record.encode(into: &encoder)
        }
    }

    /// The key under which the state map holds it.
    public func stateKey(_ suite: Suite) -> Digest {
        switch self {
        case .member(let record): record.stateKey(suite)
        case .key(let record): record.stateKey(suite)
        case .policy(let record): record.stateKey(suite)
        case .validators(let record): record.stateKey(suite)
        case .votingKey(let record): record.stateKey(suite)
        case .asset(let record): record.stateKey(suite)
        case .attestation(let record): record.stateKey(suite)
        case .transfer(let record): record.stateKey(suite)
        case .offer(let record): record.stateKey(suite)
        case .agreement(let record): record.stateKey(suite)
        case .account(let record): record.stateKey(suite)
        case .bank(let record): record.stateKey(suite)
        case .withdrawal(let record): record.stateKey(suite)
        case .job(let record): record.stateKey(suite)
        case .evidence(let record): record.stateKey(suite)
        case .timerIndex(let record): record.stateKey(suite)
        case .timerDay(let record): record.stateKey(suite)
        case .timerHour(let record): record.stateKey(suite)
        case .saltSeed(let record): record.stateKey(suite)
        }
    }
}
