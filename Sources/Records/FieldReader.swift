import Encoding
import LedgerCrypto

/// Reads a map with small integer keys whose fields are asked for in ascending order.
///
/// Optional fields that are absent are left out of the map, so that a field added later does not change the encoding
/// of what exists. Unknown, repeated and disordered keys are refused.
public struct FieldReader: Sendable {
    private var remaining: Int
    private var pending: UInt64?

    /// Reads the map's head.
    public init(_ decoder: inout CBORDecoder, max: Int = 64) throws(CBORError) {
        remaining = try decoder.map(max: max)
    }

    /// Consumes `key` when it is the next one.
    public mutating func has(
        _ key: UInt64, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> Bool {
        if pending == nil, remaining > 0 {
            pending = try decoder.unsigned()
            remaining -= 1
        }
        guard pending == key else { return false }
        pending = nil
        return true
    }

    public mutating func require(
        _ key: UInt64, _ decoder: inout CBORDecoder
    ) throws(CBORError) {
        guard try has(key, &decoder) else {
            throw decoder.invalid("field \(key) is missing or out of order")
        }
    }

    @inlinable
    public mutating func value<T: CBORDecodable>(
        _ key: UInt64, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> T {
        try require(key, &decoder)
        return try decoder.value()
    }

    @inlinable
    public mutating func optional<T: CBORDecodable>(
        _ key: UInt64, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> T? {
        guard try has(key, &decoder) else { return nil }
        let value: T = try decoder.value()
        return value
    }

    @inlinable
    public mutating func list<T: CBORDecodable>(
        _ key: UInt64, max: Int, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> [T] {
        try require(key, &decoder)
        return try decoder.list(max: max)
    }

    /// A list of distinct items in strictly ascending order, as sets are written.
    @inlinable
    public mutating func sortedList<T: CBORDecodable & Comparable>(
        _ key: UInt64, max: Int, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> [T] {
        let items: [T] = try list(key, max: max, &decoder)
        for (left, right) in zip(items, items.dropFirst()) where left >= right {
            throw decoder.invalid("field \(key) lists each item once, in ascending order")
        }
        return items
    }

    /// As `sortedList`; one without items is absent, so that it has one form.
    @inlinable
    public mutating func optionalSortedList<T: CBORDecodable & Comparable>(
        _ key: UInt64, max: Int, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> [T] {
        guard try has(key, &decoder) else { return [] }
        let items: [T] = try decoder.list(max: max)
        guard !items.isEmpty else { throw decoder.invalid("field \(key) is absent or not empty") }
        for (left, right) in zip(items, items.dropFirst()) where left >= right {
            throw decoder.invalid("field \(key) lists each item once, in ascending order")
        }
        return items
    }

    public mutating func text(
        _ key: UInt64, max: Int, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> String {
        try require(key, &decoder)
        return try decoder.text(max: max)
    }

    public mutating func optionalText(
        _ key: UInt64, max: Int, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> String? {
        try has(key, &decoder) ? try decoder.text(max: max) : nil
    }

    /// Texts of at most `textMax` bytes each.
    public mutating func texts(
        _ key: UInt64, max: Int, textMax: Int, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> [String] {
        try require(key, &decoder)
        let count = try decoder.array(max: max)
        var texts: [String] = []
        texts.reserveCapacity(count)
        for _ in 0..<count { texts.append(try decoder.text(max: textMax)) }
        return texts
    }

    public mutating func bytes(
        _ key: UInt64, exactly count: Int, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> [UInt8] {
        try require(key, &decoder)
        return try decoder.bytes(exactly: count)
    }

    public mutating func bytes(
        _ key: UInt64, max: Int, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> [UInt8] {
        try require(key, &decoder)
        return try decoder.bytes(max: max)
    }

    public mutating func number(
        _ key: UInt64, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> UInt64 {
        try require(key, &decoder)
        return try decoder.unsigned()
    }

    public mutating func optionalNumber(
        _ key: UInt64, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> UInt64? {
        try has(key, &decoder) ? try decoder.unsigned() : nil
    }

    /// - Throws: `CBORError.invalid` when a field is left that nobody asked for.
    public func finish(_ decoder: inout CBORDecoder) throws(CBORError) {
        guard pending == nil, remaining == 0 else {
            throw decoder.invalid("the map has a field that is unknown or out of order")
        }
    }
}

/// The writer's side of `FieldReader`: the caller writes the map's head and then the fields by ascending key.
extension CBOREncoder {
    @inlinable
    public mutating func field<T: CBOREncodable>(_ key: UInt64, _ value: T) {
        unsigned(key)
        self.value(value)
    }

    /// Nothing for `nil`; the map's head counts only what is there (`fieldCount`).
    @inlinable
    public mutating func field<T: CBOREncodable>(_ key: UInt64, ifPresent value: T?) {
        if let value { field(key, value) }
    }

    @inlinable
    public mutating func field<T: CBOREncodable>(_ key: UInt64, list values: [T]) {
        unsigned(key)
        list(values)
    }

    /// Nothing for an empty list (`FieldReader.optionalSortedList`).
    @inlinable
    public mutating func field<T: CBOREncodable>(_ key: UInt64, unlessEmpty values: [T]) {
        if !values.isEmpty { field(key, list: values) }
    }

    public mutating func field(_ key: UInt64, bytes value: [UInt8]) {
        unsigned(key)
        bytes(value)
    }
}

/// Number of fields of a map: the required ones and those of the optional ones that are present.
public func fieldCount(_ required: Int, _ optional: Bool...) -> Int {
    var count = required
    for isPresent in optional where isPresent { count += 1 }
    return count
}
