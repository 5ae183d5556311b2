/// A type with exactly one deterministic encoding.
public protocol CBOREncodable {
    /// Writes one item.
    func encode(into encoder: inout CBOREncoder)
}

/// A type that is read from one item, or refuses it.
public protocol CBORDecodable {
    init(from decoder: inout CBORDecoder) throws(CBORError)
}

public typealias CBORCodable = CBOREncodable & CBORDecodable

extension CBOREncodable {
    /// The value as one deterministic item. Debug builds check that it is one.
    @inlinable
    public var encoded: [UInt8] {
        var encoder = CBOREncoder()
        encode(into: &encoder)
        assert(isDeterministicItem(encoder.bytes), "an encoder wrote something else than one item")
        return encoder.bytes
    }
}

/// Whether the bytes are exactly one deterministic item of any size, at most 256 levels deep.
public func isDeterministicItem(_ bytes: [UInt8]) -> Bool {
    let limits = CBORLimits(
        bytesMax: .max, depthMax: 256, itemsMax: .max, stringBytesMax: .max)
    var decoder = CBORDecoder(bytes.span.bytes, limits: limits)
    do throws(CBORError) {
        _ = try decoder.skip()
        try decoder.finish()
        return true
    } catch {
        return false
    }
}

extension CBORDecodable {
    /// Reads the whole input as one value.
    ///
    /// - Throws: `CBORError`, also where bytes are left over.
    @inlinable
    public static func decode(
        _ bytes: [UInt8], limits: CBORLimits = .standard
    ) throws(CBORError) -> Self {
        var decoder = CBORDecoder(bytes.span.bytes, limits: limits)
        let value = try Self(from: &decoder)
        try decoder.finish()
        return value
    }
}

extension UInt64: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) { encoder.unsigned(self) }
    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        self = try decoder.unsigned()
    }
}

extension UInt32: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) { encoder.unsigned(UInt64(self)) }
    public init(from decoder: inout CBORDecoder) throws(CBORError) { self = try decoder.uint32() }
}

extension UInt16: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) { encoder.unsigned(UInt64(self)) }
    public init(from decoder: inout CBORDecoder) throws(CBORError) { self = try decoder.uint16() }
}

extension Int64: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) { encoder.integer(self) }
    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        self = try decoder.integer()
    }
}

extension Bool: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) { encoder.bool(self) }
    public init(from decoder: inout CBORDecoder) throws(CBORError) { self = try decoder.bool() }
}

extension String: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) { encoder.text(self) }
    /// At most `CBORLimits.stringBytesMax` bytes.
    public init(from decoder: inout CBORDecoder) throws(CBORError) { self = try decoder.text() }
}

/// A byte string as a value, for lists and optionals of byte strings. `[UInt8]` itself is not
/// codable: as a list it would be written as an array of numbers.
public struct ByteString: Hashable, Sendable, CBORCodable {
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    public func encode(into encoder: inout CBOREncoder) { encoder.bytes(bytes) }
    /// At most `CBORLimits.stringBytesMax` bytes.
    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        bytes = try decoder.bytes()
    }
}
