import Encoding
import LedgerCrypto
import Merkle

/// The network's constants, fixed in genesis. Times in milliseconds, sizes in bytes.
public struct Parameters: Hashable, Sendable, CBOREncodable, CBORDecodable {
    public var blockBytesMax: UInt64 = 1_048_576
    public var entriesPerBlockMax: UInt64 = 4_096
    /// Quota: entries of one member in one block, refused ones included.
    public var entriesPerMemberPerBlockMax: UInt64 = 1_024
    public var transactionBytesMax: UInt64 = 32_768
    /// A transaction's last valid height is at most this far ahead.
    public var replayWindowBlocksMax: UInt64 = 4_096
    public var automaticActionsPerBlockMax: UInt64 = 256
    /// A leader with nothing to order proposes an empty block after this long.
    public var heartbeatMs: UInt64 = 1_000
    /// A header's time may run ahead of the local clock by at most this much.
    public var driftMs: UInt64 = 500
    /// A view without progress is nullified after this long, beyond the heartbeat.
    public var viewTimeoutMs: UInt64 = 1_000

    public init() {}

    /// Names the field that is out of range, if any.
    public var problem: String? {
        if blockBytesMax < 4_096 || blockBytesMax > UInt64(LedgerLimits.blockBytesMax) {
            return "blockBytesMax must be 4096…\(LedgerLimits.blockBytesMax)"
        }
        if entriesPerBlockMax < 1 || entriesPerBlockMax > UInt64(LedgerLimits.entriesPerBlockMax) {
            return "entriesPerBlockMax must be 1…\(LedgerLimits.entriesPerBlockMax)"
        }
        if entriesPerMemberPerBlockMax < 1 {
            return "entriesPerMemberPerBlockMax must be at least 1"
        }
        let transactionRange = 1_024...UInt64(LedgerLimits.transactionBytesMax)
        if !transactionRange.contains(transactionBytesMax) || transactionBytesMax > blockBytesMax {
            let most = min(UInt64(LedgerLimits.transactionBytesMax), blockBytesMax)
            return "transactionBytesMax must be 1024…\(most)"
        }
        if !(16...65_536).contains(replayWindowBlocksMax) {
            return "replayWindowBlocksMax must be 16…65536"
        }
        if !(1...4_096).contains(automaticActionsPerBlockMax) {
            return "automaticActionsPerBlockMax must be 1…4096"
        }
        if !(10...60_000).contains(heartbeatMs) { return "heartbeatMs must be 10…60000" }
        if !(1...60_000).contains(driftMs) { return "driftMs must be 1…60000" }
        if !(10...60_000).contains(viewTimeoutMs) { return "viewTimeoutMs must be 10…60000" }
        return nil
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(9)
        encoder.unsigned(blockBytesMax)
        encoder.unsigned(entriesPerBlockMax)
        encoder.unsigned(entriesPerMemberPerBlockMax)
        encoder.unsigned(transactionBytesMax)
        encoder.unsigned(replayWindowBlocksMax)
        encoder.unsigned(automaticActionsPerBlockMax)
        encoder.unsigned(heartbeatMs)
        encoder.unsigned(driftMs)
        encoder.unsigned(viewTimeoutMs)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 9)
        blockBytesMax = try decoder.unsigned()
        entriesPerBlockMax = try decoder.unsigned()
        entriesPerMemberPerBlockMax = try decoder.unsigned()
        transactionBytesMax = try decoder.unsigned()
        replayWindowBlocksMax = try decoder.unsigned()
        automaticActionsPerBlockMax = try decoder.unsigned()
        heartbeatMs = try decoder.unsigned()
        driftMs = try decoder.unsigned()
        viewTimeoutMs = try decoder.unsigned()
        if problem != nil { throw decoder.invalid("a genesis parameter is out of range") }
    }
}

/// A record that exists from the start: a founding member, its keys, a policy. The key and value are the state map's.
public struct GenesisRecord: Hashable, Sendable, CBOREncodable, CBORDecodable {
    public let key: Digest
    public let value: [UInt8]

    public init(key: Digest, value: [UInt8]) {
        self.key = key
        self.value = value
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(key)
        encoder.bytes(value)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        key = try decoder.value()
        value = try decoder.bytes(max: LedgerLimits.transactionBytesMax)
    }
}

/// Where a ledger begins. Its canonical encoding's digest is the chain id.
///
/// Wire: `["huijin/genesis/1", name, suite, time, parameters, validator set, [record…]]`, records by ascending key; with a
/// recovery rule `["huijin/genesis/2", …the same…, recovery rule]`.
public struct Genesis: Hashable, Sendable {
    public let name: String
    public let suite: Suite
    public let timeMs: UInt64
    public let parameters: Parameters
    /// The set of epoch 0.
    public let validators: ValidatorSet
    public let records: [GenesisRecord]
    /// Who may begin an epoch when a quorum is lost; nil where nobody may, and such a ledger ends there.
    public let recovery: RecoveryRule?
    /// Digest of the canonical encoding.
    public let chain: ChainID

    public static let context = "huijin/genesis/1"
    public static let contextWithRecovery = "huijin/genesis/2"
    public static let nameBytesMax = 128
    public static let recordsMax = 4_096

    /// - Parameter records: sorted here by key; keys distinct.
    public init(
        name: String, suite: Suite, timeMs: UInt64, parameters: Parameters,
        validators: ValidatorSet, records: [GenesisRecord], recovery: RecoveryRule? = nil
    ) {
        precondition(validators.epoch == 0, "genesis holds the set of epoch 0")
        precondition(validators.suite == suite, "validators sign with the chain's suite")
        precondition(recovery?.suite ?? suite == suite, "and so do recovery keys")
        self.name = name
        self.suite = suite
        self.timeMs = timeMs
        self.parameters = parameters
        self.validators = validators
        self.records = records.sorted { $0.key < $1.key }
        self.recovery = recovery
        var encoder = CBOREncoder()
        Genesis.encode(
            name, suite, timeMs, parameters, validators, self.records, recovery, into: &encoder)
        chain = suite.digest(encoder.bytes)
    }

    /// The header at height 0: an empty log and the genesis records as state.
    public func header(stateRoot: Digest) -> Header {
        Header(
            chain: chain, height: 0, epoch: 0, parent: .zero, timeMs: timeMs, logSize: 0,
            logRoot: LogFrontier().root(suite), stateRoot: stateRoot,
            resultsRoot: LogFrontier().root(suite), entryCount: 0,
            validators: validators.digest(suite))
    }
}

extension Genesis: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        Genesis.encode(
            name, suite, timeMs, parameters, validators, records, recovery, into: &encoder)
    }

    private static func encode(
        _ name: String, _ suite: Suite, _ timeMs: UInt64, _ parameters: Parameters,
        _ validators: ValidatorSet, _ records: [GenesisRecord], _ recovery: RecoveryRule?,
        into encoder: inout CBOREncoder
    ) {
        encoder.array(recovery == nil ? 7 : 8)
        encoder.text(recovery == nil ? Genesis.context : Genesis.contextWithRecovery)
        encoder.text(name)
        encoder.unsigned(suite.rawValue)
        encoder.unsigned(timeMs)
        encoder.value(parameters)
        encoder.value(validators)
        encoder.list(records)
        if let recovery { encoder.value(recovery) }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        let count = try decoder.array(max: 8)
        let context = try decoder.text(max: 32)
        let isPlain = count == 7 && context == Genesis.context
        guard isPlain || count == 8 && context == Genesis.contextWithRecovery else {
            throw decoder.invalid(
                "a genesis begins with huijin/genesis/1, or with huijin/genesis/2 and has a recovery rule"
            )
        }
        let name = try decoder.text(max: Genesis.nameBytesMax)
        guard let suite = Suite(rawValue: try decoder.unsigned()) else {
            throw decoder.invalid("the suite is 1 (ed25519-sha256) or 2 (sm2-sm3)")
        }
        let timeMs = try decoder.unsigned()
        let parameters: Parameters = try decoder.value()
        let validators: ValidatorSet = try decoder.value()
        let records: [GenesisRecord] = try decoder.list(max: Genesis.recordsMax)
        let recovery: RecoveryRule? = isPlain ? nil : try decoder.value()
        guard validators.epoch == 0, validators.suite == suite else {
            throw decoder.invalid("genesis validators are of epoch 0 and of the chain's suite")
        }
        guard recovery?.suite ?? suite == suite else {
            throw decoder.invalid("recovery keys are of the chain's suite")
        }
        for (left, right) in zip(records, records.dropFirst()) where left.key >= right.key {
            throw decoder.invalid("genesis records are in ascending order of key, each once")
        }
        self.init(
            name: name, suite: suite, timeMs: timeMs, parameters: parameters,
            validators: validators, records: records, recovery: recovery)
    }
}
