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
public struct StateView {
    public let suite: Suite
    private var table: StateTable
    /// Events of all entries so far, in order.
    public private(set) var events: [PlacedEvent] = []
    private var eventsBefore = 0
    private var proofs = 0
    private let cache: RecordCache?
    private let base: any StateReader

    public init(base: any StateReader, suite: Suite, height: UInt64, cache: RecordCache? = nil) {
        self.base = base
        self.cache = cache
        self.suite = suite
        table = StateTable(height: height)
    }

    // MARK: Entries

    /// Once for each transaction of the block, in its order, whatever comes of it: the block's salts come from all of them.
    public mutating func mix(nonce: [UInt8]) {
        table.mix(nonce: nonce)
    }

    /// Starts an entry.
    public mutating func begin() {
        table.begin()
        eventsBefore = events.count
    }

    public mutating func commit() {
        table.commit()
    }

    /// Undoes what was written since `begin`.
    public mutating func rollback() {
        table.rollback()
        events.removeLast(events.count - eventsBefore)
    }

    /// Before the signatures of a proof of equivocation are checked. Counted whatever comes of it.
    ///
    /// - Throws: `proofsFull` beyond `ValidatorRules.proofsPerBlockMax` in this block.
    mutating func countProof() throws(OutcomeCode) {
        guard proofs < ValidatorRules.proofsPerBlockMax else { throw .proofsFull }
        proofs += 1
    }

    // MARK: Records

    /// The record under that key, if there is one of that type.
    public mutating func record<Record: RecordCodable>(
        _: Record.Type = Record.self, at key: Digest
    ) -> Record? {
        let place = place(of: key)
        guard let record = table.slots[place].record else { return nil }
        return Record(record)
    }

    /// Whether anything is kept under that key.
    public mutating func holds(_ key: Digest) -> Bool {
        let place = place(of: key)
        return table.slots[place].record != nil
    }

    public mutating func put<Record: RecordCodable>(_ record: Record) {
        let key = record.stateKey(suite)
        // What is overwritten need not be read.
        let place = table.place(of: key) ?? table.add(key)
        table.write(record.wrapped, at: place)
    }

    public mutating func remove(_ key: Digest) {
        let place = place(of: key)
        table.write(nil, at: place)
    }

    /// Grows whenever a member or a key is written: what was derived from those records is to be read again then.
    public var memberWrites: Int { table.memberWrites }

    /// Where the record under a key is, read from the base if need be.
    private mutating func place(of key: Digest) -> Int {
        let place = table.place(of: key) ?? table.add(key)
        if table.isUnread(place) { table.load(base.value(for: key), cache, at: place) }
        return place
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
        let seed = base.value(for: StateKey.saltSeed(suite)).flatMap {
            SaltSeedRecord(DecodedValue($0).record)
        }
        return table.changes(suite, seed: seed) { base.value(for: $0) != nil }
    }

    /// A settlement bank whose accounts changed by another sum than its confirmed deposits less withdrawals.
    ///
    /// - Returns: nil when money is conserved, as it must be in every block.
    public func bankOutOfBalance() -> MemberID? {
        var drifts: [(bank: MemberID, fen: Int64)] = []
        for slot in table.slots where slot.isWritten && slot.holdsMoney {
            let before = base.value(for: slot.key).map { DecodedValue($0).record }
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
}

extension StateTable.Slot {
    /// Accounts and banks are never removed, so what is there now tells.
    fileprivate var holdsMoney: Bool { record?.liability != nil }
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
        case .member, .key, .policy, .validators, .votingKey, .asset, .attestation, .transfer,
            .offer,
            .agreement, .withdrawal, .job,
            .evidence, .timerIndex, .timerDay, .timerHour, .saltSeed:
            return nil
        }
    }
}
