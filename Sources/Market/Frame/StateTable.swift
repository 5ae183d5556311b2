import Encoding
import LedgerCrypto
import Records

/// The records that a block has read and written. Apart from `StateView`, which is generic over where they come
/// from, so that all of this is compiled for concrete types.
struct StateTable {
    enum Writer {
        /// Nobody in this block: the record is as the base has it.
        case nobody
        /// A transaction of this nonce.
        case transaction(nonce: [UInt8])
        case automatic
    }

    struct Slot {
        let key: Digest
        var record: AnyRecord?
        /// The last one.
        var writer: Writer
        /// The salt in the base; empty when there was no record.
        let salt: [UInt8]

        var isWritten: Bool {
            switch writer {
            case .nobody: false
            case .transaction, .automatic: true
            }
        }
    }

    private let height: UInt64
    private var places: [Digest: Int] = [:]
    /// In the order in which they were first asked for.
    private(set) var slots: [Slot] = []
    /// What the running entry has overwritten, oldest first.
    private var undo: [(place: Int, record: AnyRecord?, writer: Writer)] = []
    private var writer = Writer.nobody
    /// Grows whenever a member or a key is written, also when that is undone later.
    private(set) var memberWrites = 0

    init(height: UInt64) {
        self.height = height
    }

    mutating func begin(nonce: [UInt8]?) {
        precondition(undo.isEmpty, "the entry before has been committed or rolled back")
        writer = nonce.map { .transaction(nonce: $0) } ?? .automatic
    }

    mutating func commit() {
        undo.removeAll(keepingCapacity: true)
    }

    mutating func rollback() {
        for step in undo.reversed() {
            slots[step.place].record = step.record
            slots[step.place].writer = step.writer
        }
        undo.removeAll(keepingCapacity: true)
    }

    func place(of key: Digest) -> Int? { places[key] }

    /// Takes in what the base holds under a key that has no place yet.
    mutating func load(_ key: Digest, _ value: [UInt8]?, _ cache: RecordCache?) -> Int {
        let decoded = value.map { cache?.decoded($0, at: key) ?? DecodedValue($0) }
        places[key] = slots.count
        slots.append(
            Slot(key: key, record: decoded?.record, writer: .nobody, salt: decoded?.salt ?? []))
        return slots.count - 1
    }

    mutating func write(_ record: AnyRecord?, at place: Int) {
        undo.append((place, slots[place].record, slots[place].writer))
        slots[place].record = record
        slots[place].writer = writer
        switch record {
        case .member, .key: memberWrites += 1
        case .policy, .validators, .votingKey, .asset, .attestation, .transfer, .offer, .agreement,
            .account,
            .bank, .withdrawal, .job,
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
            guard let record = slot.record else {
                // Made and removed within the block: nothing remains to be changed.
                if !slot.salt.isEmpty { changes.append((slot.key, nil)) }
                continue
            }
            changes.append((slot.key, StoredRecord.encode(record, salt: salt(of: slot, suite))))
        }
        return changes
    }

    private func salt(of slot: Slot, _ suite: Suite) -> [UInt8] {
        switch slot.writer {
        case .transaction(let nonce):
            StoredRecord.salt(nonce: nonce, key: slot.key, suite: suite)
        case .nobody, .automatic:
            StoredRecord.salt(previous: slot.salt, height: height, key: slot.key, suite: suite)
        }
    }
}
