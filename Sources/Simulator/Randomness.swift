/// SplitMix64 (Steele, Lea, Flood 2014): every choice of a simulation comes out of one of these, so that a seed is
/// a whole history.
public struct Randomness: Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0 ..< bound, by multiplication (the bias is far below what a simulation could notice).
    public mutating func below(_ bound: UInt64) -> UInt64 {
        bound == 0 ? 0 : next().multipliedFullWidth(by: bound).high
    }

    public mutating func below(_ bound: Int) -> Int { Int(below(UInt64(bound))) }

    public mutating func between(_ low: UInt64, _ high: UInt64) -> UInt64 {
        low + below(high - low + 1)
    }

    /// True in so many of a thousand cases.
    public mutating func chance(perMille: UInt64) -> Bool { below(1_000) < perMille }
}

/// A running 64-bit fingerprint of everything that happens in a simulation.
struct Fingerprint {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func mix(_ number: UInt64) {
        value = (value ^ number) &* 0x0000_0100_0000_01B3
        value ^= value >> 29
    }

    mutating func mix(_ number: Int) { mix(UInt64(bitPattern: Int64(number))) }
}

/// A binary heap of events by time and then by number, so that equal times have one order.
struct EventQueue<Event> {
    struct Entry {
        let atUs: UInt64
        let number: UInt64
        let event: Event

        func isBefore(_ other: Entry) -> Bool {
            atUs != other.atUs ? atUs < other.atUs : number < other.number
        }
    }

    private var entries: [Entry] = []
    private var nextNumber: UInt64 = 0

    var count: Int { entries.count }

    mutating func push(_ event: Event, atUs: UInt64) {
        entries.append(Entry(atUs: atUs, number: nextNumber, event: event))
        nextNumber += 1
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].isBefore(entries[parent]) else { break }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Entry? {
        guard let first = entries.first else { return nil }
        let last = entries.removeLast()
        guard !entries.isEmpty else { return first }
        entries[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if entries[child].isBefore(entries[least]) { least = child }
            }
            guard least != parent else { return first }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
