import Encoding
import LedgerCrypto
import Records

/// The records that a block has read and written. Apart from `StateView`, which is generic over where they come
/// from, so that all of this is compiled for concrete types.
struct StateTable {
    struct Slot {
        let key: Digest
        var record: AnyRecord?
        /// Nil while the record is as the base has it.
        var seed: [UInt8]?
        /// The salt in the base; empty when there was no record.
        let salt: [UInt8]

        var isWritten: Bool { seed != nil }
    }

    private let height: UInt64
    private var places: [Digest: Int] = [:]
    /// In the order in which they were first asked for.
    private(set) var slots: [Slot] = []
    /// What the running entry has overwritten, oldest first.
    private var undo: [(place: Int, record: AnyRecord?, seed: [UInt8]?)] = []
    private var seed: [UInt8]?
    /// Grows whenever a member or a key is written, also when that is undone later.
    private(set) var memberWrites = 0

    init(height: UInt64) {
        self.height = height
    }

    mutating func begin(seed: [UInt8]?) {
        precondition(undo.isEmpty, "the entry before has been committed or rolled back")
        self.seed = seed
    }

    mutating func commit() {
        undo.removeAll(keepingCapacity: true)
    }

    mutating func rollback() {
        for step in undo.reversed() {
            slots[step.place].record = step.record
            slots[step.place].seed = step.seed
        }
        undo.removeAll(keepingCapacity: true)
    }

    func place(of key: Digest) -> Int? { places[key] }

    /// Takes in what the base holds under a key that has no place yet.
    mutating func load(_ key: Digest, _ value: [UInt8]?, _ cache: RecordCache?) -> Int {
        let decoded = value.map { cache?.decoded($0, at: key) ?? DecodedValue($0) }
        places[key] = slots.count
        slots.append(Slot(key: key, record: decoded?.record, seed: nil, salt: decoded?.salt ?? []))
        return slots.count - 1
    }

    mutating func write(_ record: AnyRecord?, at place: Int) {
        undo.append((place, slots[place].record, slots[place].seed))
        let seed = self.seed ?? slots[place].salt + height.encoded
        slots[place].record = record
        slots[place].seed = seed
        switch record {
        case .member, .key: memberWrites += 1
        case .policy, .asset, .attestation, .offer, .agreement, .account, .bank, .withdrawal, .job,
            .evidence, .timerIndex, .timerDay, .timerHour, nil:
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

    func changes(_ suite: Suite) -> [(key: Digest, value: [UInt8]?)] {
        let places = writtenPlaces()
        var changes: [(key: Digest, value: [UInt8]?)] = []
        changes.reserveCapacity(places.count)
        for place in places {
            let slot = slots[place]
            guard let seed = slot.seed else { continue }
            guard let record = slot.record else {
                // Made and removed within the block: nothing remains to be changed.
                if !slot.salt.isEmpty { changes.append((slot.key, nil)) }
                continue
            }
            let salt = StoredRecord.salt(seed: seed, key: slot.key, suite: suite)
            changes.append((slot.key, StoredRecord.encode(record, salt: salt)))
        }
        return changes
    }
}
