import Encoding
import LedgerCrypto
import Records

/// The records that a block has read and written. Apart from `StateView`, which is generic over where they come
/// from, so that all of this is compiled for concrete types.
struct StateTable {
    struct Slot {
        let key: Digest
        var record: AnyRecord?
        var isWritten = false
        /// Whether there is a record in the base.
        let isInBase: Bool
    }

    private let height: UInt64
    private var places: [Digest: Int] = [:]
    /// In the order in which they were first asked for.
    private(set) var slots: [Slot] = []
    /// What the running entry has overwritten, oldest first.
    private var undo: [(place: Int, record: AnyRecord?, isWritten: Bool)] = []
    /// Of the transactions so far, in order.
    private var nonces: [[UInt8]] = []
    /// Grows whenever a member or a key is written, also when that is undone later.
    private(set) var memberWrites = 0

    init(height: UInt64) {
        self.height = height
    }

    mutating func begin() {
        precondition(undo.isEmpty, "the entry before has been committed or rolled back")
    }

    mutating func mix(nonce: [UInt8]) {
        nonces.append(nonce)
    }

    mutating func commit() {
        undo.removeAll(keepingCapacity: true)
    }

    mutating func rollback() {
        for step in undo.reversed() {
            slots[step.place].record = step.record
            slots[step.place].isWritten = step.isWritten
        }
        undo.removeAll(keepingCapacity: true)
    }

    func place(of key: Digest) -> Int? { places[key] }

    /// Takes in what the base holds under a key that has no place yet.
    mutating func load(_ key: Digest, _ value: [UInt8]?, _ cache: RecordCache?) -> Int {
        let decoded = value.map { cache?.decoded($0, at: key) ?? DecodedValue($0) }
        places[key] = slots.count
        slots.append(
            Slot(key: key, record: decoded?.record, isInBase: decoded != nil))
        return slots.count - 1
    }

    mutating func write(_ record: AnyRecord?, at place: Int) {
        undo.append((place, slots[place].record, slots[place].isWritten))
        slots[place].record = record
        slots[place].isWritten = true
        switch record {
        case .member, .key: memberWrites += 1
        case .policy, .validators, .votingKey, .asset, .attestation, .transfer, .offer, .agreement,
            .account,
            .bank, .withdrawal, .job,
            .evidence, .timerIndex, .timerDay, .timerHour, .saltSeed, nil:
            break
        }
    }

    /// Places of what was written, by ascending key.
    func writtenPlaces() -> [Int] {
        var places: [Int] = []
        places.reserveCapacity(slots.count)
        for (place, slot) in slots.enumerated() where slot.isWritten { places.append(place) }
        places.sort { slots[$0].key < slots[$1].key }
        return places
    }

    /// - Parameter before: what salts came from in the base.
    func changes(
        _ suite: Suite, seed before: SaltSeedRecord?
    ) -> [(key: Digest, value: [UInt8]?)] {
        let places = writtenPlaces()
        var changes: [(key: Digest, value: [UInt8]?)] = []
        changes.reserveCapacity(places.count + 1)
        let seed =
            nonces.isEmpty
            ? before : SaltSeedRecord(after: before?.seed, nonces: nonces, suite: suite)
        for place in places {
            let slot = slots[place]
            if let record = slot.record {
                changes.append((slot.key, encoded(record, at: slot.key, seed, suite)))
            } else if slot.isInBase {
                // Made and removed within the block, nothing remains to be changed.
                changes.append((slot.key, nil))
            }
        }
        if let seed, seed != before {
            let key = StateKey.saltSeed(suite)
            let place = changes.firstIndex { $0.key > key } ?? changes.count
            changes.insert((key, encoded(.saltSeed(seed), at: key, seed, suite)), at: place)
        }
        return changes
    }

    private func encoded(
        _ record: AnyRecord, at key: Digest, _ seed: SaltSeedRecord?, _ suite: Suite
    ) -> [UInt8] {
        let salt = StoredRecord.salt(seed: seed?.seed, height: height, key: key, suite: suite)
        return StoredRecord.encode(record, salt: salt)
    }
}
