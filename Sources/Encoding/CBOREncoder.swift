/// Writes deterministic CBOR (RFC 8949 §4.2.1): shortest heads, definite lengths.
///
/// The caller writes as many items as it announced and map keys in ascending canonical order;
/// `CBOREncodable.encoded` checks both in debug builds.
public struct CBOREncoder: Sendable {
    public private(set) var bytes: [UInt8]

    public init() {
        bytes = []
    }

    /// - Parameter reserving: bytes to reserve, where the caller can estimate the size.
    public init(reserving count: Int) {
        bytes = []
        bytes.reserveCapacity(count)
    }

    /// Forgets what was written and keeps the room, for many small values in turn.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
    }

    /// Drops what was written behind the first `count` bytes and keeps the room.
    public mutating func truncate(to count: Int) {
        bytes.removeLast(bytes.count - count)
    }

    @usableFromInline
    mutating func head(_ type: CBORItemType, _ argument: UInt64) {
        let major = type.rawValue << 5
        if argument < 24 {
            bytes.append(major | UInt8(truncatingIfNeeded: argument))
        } else if argument <= 0xFF {
            bytes.append(major | 24)
            bytes.append(UInt8(truncatingIfNeeded: argument))
        } else {
            longHead(major, argument)
        }
    }

    private mutating func longHead(_ major: UInt8, _ argument: UInt64) {
        let (information, width): (UInt8, Int) =
            argument <= 0xFFFF ? (25, 2) : argument <= 0xFFFF_FFFF ? (26, 4) : (27, 8)
        bytes.append(major | information)
        var shift = width * 8
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: argument >> UInt64(shift)))
        }
    }

    public mutating func unsigned(_ number: UInt64) {
        head(.unsigned, number)
    }

    public mutating func integer(_ number: Int64) {
        if number >= 0 {
            head(.unsigned, UInt64(number))
        } else {
            head(.negative, UInt64(bitPattern: ~number))
        }
    }

    /// A map key; the caller keeps canonical order: 0, 1, 2 … then −1, −2 ….
    public mutating func integerKey(_ key: Int64) {
        integer(key)
    }

    public mutating func bytes(_ string: [UInt8]) {
        head(.bytes, UInt64(string.count))
        bytes.append(contentsOf: string)
    }

    public mutating func bytes(_ string: ArraySlice<UInt8>) {
        head(.bytes, UInt64(string.count))
        bytes.append(contentsOf: string)
    }

    /// A byte string of 16 bytes given as two big-endian words, without a heap allocation.
    public mutating func bytes16(_ high: UInt64, _ low: UInt64) {
        head(.bytes, 16)
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { bytes.append(contentsOf: $0) }
    }

    /// A byte string of 32 bytes given as four big-endian words, without a heap allocation.
    public mutating func bytes32(_ w0: UInt64, _ w1: UInt64, _ w2: UInt64, _ w3: UInt64) {
        head(.bytes, 32)
        withUnsafeBytes(of: (w0.bigEndian, w1.bigEndian, w2.bigEndian, w3.bigEndian)) {
            bytes.append(contentsOf: $0)
        }
    }

    public mutating func text(_ string: String) {
        var string = string
        string.withUTF8 { utf8 in
            head(.text, UInt64(utf8.count))
            bytes.append(contentsOf: utf8)
        }
    }

    /// The head of an array; `count` items must follow.
    public mutating func array(_ count: Int) {
        precondition(count >= 0, "an array has at least 0 items")
        head(.array, UInt64(count))
    }

    /// The head of a map; `count` pairs must follow, keys ascending.
    public mutating func map(_ count: Int) {
        precondition(count >= 0, "a map has at least 0 pairs")
        head(.map, UInt64(count))
    }

    public mutating func bool(_ value: Bool) {
        bytes.append(value ? 0xF5 : 0xF4)
    }

    public mutating func null() {
        bytes.append(0xF6)
    }

    /// The head of a tag; one item must follow.
    public mutating func tag(_ number: UInt64) {
        head(.tag, number)
    }

    /// One item that is deterministic CBOR already.
    public mutating func raw(_ item: [UInt8]) {
        bytes.append(contentsOf: item)
    }

    @inlinable
    public mutating func value<T: CBOREncodable>(_ value: T) {
        value.encode(into: &self)
    }

    /// `null` for `nil`, otherwise the value.
    @inlinable
    public mutating func optional<T: CBOREncodable>(_ value: T?) {
        if let value {
            value.encode(into: &self)
        } else {
            null()
        }
    }

    /// An array of the values.
    @inlinable
    public mutating func list<T: CBOREncodable>(_ values: [T]) {
        array(values.count)
        for value in values { value.encode(into: &self) }
    }
}
