import Encoding
import Ledger
import LedgerCrypto
import Records

/// An event and the asset in whose log it stands.
public struct PlacedEvent: Equatable, Sendable {
    public let asset: Digest
    public let event: AssetEvent

    public init(asset: Digest, event: AssetEvent) {
        self.asset = asset
        self.event = event
    }
}

/// The state as the entries of one block see and change it.
///
/// Records are decoded once per block and encoded once, when the block is done. Each entry runs between `begin` and
/// `commit` or `rollback`.
public struct StateView<Base: StateReader> {
    struct Slot {
        var record: AnyRecord?
        /// Nil while the record is as the base has it.
        var seed: [UInt8]?
        /// The salt in the base; empty when there was no record.
        var salt: [UInt8]
    }

    public let suite: Suite
    private var slots: [Digest: Slot] = [:]
    /// What the running entry has overwritten, oldest first.
    private var undo: [(key: Digest, slot: Slot)] = []
    /// Keys written so far, in that order; a key may stand here more than once.
    private var written: [Digest] = []
    private var seed: [UInt8]?
    private var height: UInt64 = 0
    /// Events of all entries so far, in order.
    public private(set) var events: [PlacedEvent] = []
    private var eventsBefore = 0
    private let cache: RecordCache?
    private let base: Base

    public init(base: Base, suite: Suite, height: UInt64, cache: RecordCache? = nil) {
        self.base = base
        self.cache = cache
        self.suite = suite
        self.height = height
    }

    // MARK: Entries

    /// Starts an entry.
    ///
    /// - Parameter seed: the transaction's nonce; nil for an automatic action, whose salts follow from those before.
    public mutating func begin(seed: [UInt8]?) {
        precondition(undo.isEmpty, "the entry before has been committed or rolled back")
        self.seed = seed
        eventsBefore = events.count
    }

    public mutating func commit() {
        undo.removeAll(keepingCapacity: true)
    }

    /// Undoes what was written since `begin`.
    public mutating func rollback() {
        for (key, slot) in undo.reversed() { slots[key] = slot }
        undo.removeAll(keepingCapacity: true)
        events.removeLast(events.count - eventsBefore)
    }

    // MARK: Records

    /// The record under that key, if there is one of that type.
    public mutating func record<Record: RecordCodable>(
        _: Record.Type = Record.self, at key: Digest
    ) -> Record? {
        guard let record = load(key).record else { return nil }
        return Record(record)
    }

    /// Whether anything is kept under that key.
    public mutating func holds(_ key: Digest) -> Bool { load(key).record != nil }

    public mutating func put<Record: RecordCodable>(_ record: Record) {
        write(record.wrapped, at: record.stateKey(suite))
    }

    public mutating func remove(_ key: Digest) {
        write(nil, at: key)
    }

    private mutating func load(_ key: Digest) -> Slot {
        if let slot = slots[key] { return slot }
        var slot = Slot(record: nil, seed: nil, salt: [])
        if let value = base.value(for: key) {
            let decoded = cache?.decoded(value, at: key) ?? DecodedValue(value)
            slot.record = decoded.record
            slot.salt = decoded.salt
        }
        slots[key] = slot
        return slot
    }

    private mutating func write(_ record: AnyRecord?, at key: Digest) {
        let before = load(key)
        undo.append((key, before))
        if before.seed == nil { written.append(key) }
        let seed = self.seed ?? before.salt + height.encoded
        slots[key] = Slot(record: record, seed: seed, salt: before.salt)
    }

    // MARK: Events

    /// Appends an event to the log of an asset that exists.
    public mutating func append(
        _ touch: Touch, log: EventLogKind, kind: EventKind, code: OutcomeCode,
        transactionID: Digest, entryDigest: Digest, in block: BlockContext
    ) {
        guard var asset = asset(touch.asset) else {
            preconditionFailure("an event belongs to an asset that exists")
        }
        let event = AssetEvent(
            log: log, index: asset.log(log).size, kind: kind, transactionID: transactionID,
            entryDigest: entryDigest, height: block.height, timeMs: block.timeMs,
            actor: touch.actor, code: code, detail: touch.detail)
        asset.append(event, suite: suite)
        put(asset)
        events.append(PlacedEvent(asset: touch.asset, event: event))
    }

    // MARK: The block's result

    /// What the block changes: values by ascending key, nil where a record is removed.
    public func changes() -> [(key: Digest, value: [UInt8]?)] {
        var changes: [(key: Digest, value: [UInt8]?)] = []
        changes.reserveCapacity(written.count)
        for key in writtenKeys() {
            guard let slot = slots[key], let seed = slot.seed else { continue }
            guard let record = slot.record else {
                // Made and removed within the block: nothing remains to be changed.
                if !slot.salt.isEmpty { changes.append((key, nil)) }
                continue
            }
            let salt = StoredRecord.salt(seed: seed, key: key, suite: suite)
            changes.append((key, StoredRecord.encode(record, salt: salt)))
        }
        return changes
    }

    /// A settlement bank whose accounts changed by another sum than its confirmed deposits less withdrawals.
    ///
    /// - Returns: nil when money is conserved, as it must be in every block.
    public func bankOutOfBalance() -> MemberID? {
        var drifts: [(bank: MemberID, fen: Int64)] = []
        for key in writtenKeys() {
            guard let slot = slots[key], slot.seed != nil else { continue }
            let before = base.value(for: key).flatMap { try? StoredRecord.decode(value: $0) }
            for (record, sign) in [(before, Int64(-1)), (slot.record, 1)] {
                guard let record, let (bank, fen) = record.liability else { continue }
                if let index = drifts.firstIndex(where: { $0.bank == bank }) {
                    drifts[index].fen += sign * fen
                } else {
                    drifts.append((bank, sign * fen))
                }
            }
        }
        return drifts.first { $0.fen != 0 }?.bank
    }

    private func writtenKeys() -> [Digest] {
        let sorted = written.sorted()
        var keys: [Digest] = []
        keys.reserveCapacity(sorted.count)
        for key in sorted where keys.last != key { keys.append(key) }
        return keys
    }
}

extension AnyRecord {
    /// What the record adds to `accounts − (deposits − withdrawals)` of a bank, in fen.
    fileprivate var liability: (bank: MemberID, fen: Int64)? {
        switch self {
        case .account(let account):
            let total = account.availableFen + account.lockedFen + account.pendingWithdrawalFen
            return (account.bank, Int64(total))
        case .bank(let bank):
            return (bank.member, Int64(bank.withdrawalsFen) - Int64(bank.depositsFen))
        case .member, .key, .policy, .asset, .attestation, .offer, .agreement, .withdrawal, .job,
            .evidence, .timerIndex, .timerDay, .timerHour:
            return nil
        }
    }
}
