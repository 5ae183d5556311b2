import Encoding
import LedgerCrypto
import Records

/// The records that a block has read and written.
struct StateTable {
    struct Slot {
        let key: Digest
        var record: AnyRecord?
        var isWritten = false
        /// Whether there is a record in the base; nil while nobody has read it. Who only writes does not ask.
        var isInBase: Bool?
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
        forgetUndo()
    }

    private mutating func forgetUndo() {
        if !undo.isEmpty { undo.removeAll(keepingCapacity: true) }
    }

    mutating func rollback() {
        for step in undo.reversed() {
            slots[step.place].record = step.record
            slots[step.place].isWritten = step.isWritten
        }
        forgetUndo()
    }

    func place(of key: Digest) -> Int? { places[key] }

    /// A place for a key that has none yet, of which the base was not asked.
    mutating func add(_ key: Digest) -> Int {
        places[key] = slots.count
        slots.append(Slot(key: key, record: nil))
        return slots.count - 1
    }

    /// Whether what is at this place must be read from the base first: never where it has been written.
    func isUnread(_ place: Int) -> Bool {
        !slots[place].isWritten && slots[place].isInBase == nil
    }

    /// Takes in what the base holds at an unread place.
    mutating func load(_ value: [UInt8]?, _ cache: RecordCache?, at place: Int) {
        let key = slots[place].key
        let decoded = value.map { cache?.decoded($0, at: key) ?? DecodedValue($0) }
        slots[place].record = decoded?.record
        slots[place].isInBase = decoded != nil
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

    /// - Parameters:
    ///   - before: what salts came from in the base.
    ///   - isInBase: whether there is a record under a key in the base; asked for what was removed and never read.
    func changes(
        _ suite: Suite, seed before: SaltSeedRecord?, isInBase: (Digest) -> Bool
    ) -> [(key: Digest, value: [UInt8]?)] {
        let places = writtenPlaces()
        var changes: [(key: Digest, value: [UInt8]?)] = []
        changes.reserveCapacity(places.count + 1)
        let seed =
            nonces.isEmpty
            ? before : SaltSeedRecord(after: before?.seed, nonces: nonces, suite: suite)
        var writer = StoredRecordWriter(seed: seed?.seed, height: height, suite: suite)
        for place in places {
            let slot = slots[place]
            if let record = slot.record {
                changes.append((slot.key, writer.value(record, at: slot.key)))
            } else if slot.isInBase ?? isInBase(slot.key) {
                // Made and removed within the block, nothing remains to be changed.
                changes.append((slot.key, nil))
            }
        }
        if let seed, seed != before {
            let key = StateKey.saltSeed(suite)
            let place = changes.firstIndex { $0.key > key } ?? changes.count
            changes.insert((key, writer.value(.saltSeed(seed), at: key)), at: place)
        }
        return changes
    }
}
