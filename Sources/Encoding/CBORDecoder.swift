/// Reads deterministic CBOR (RFC 8949 §4.2.1) and refuses everything else.
///
/// It borrows the input and copies only what it returns. Every read either consumes exactly one
/// head or item, or throws; after an error the decoder's position has no meaning. Limits are
/// checked before anything is allocated.
public struct CBORDecoder: ~Escapable {
    @usableFromInline let span: RawSpan
    @usableFromInline let limits: CBORLimits
    /// First byte that may not be read: 0 when the input is over its limit, so that the cold path
    /// of the first read reports it and the hot path needs no extra test.
    @usableFromInline let end: Int
    @usableFromInline var position: Int
    /// Where the item read last starts: what errors point at.
    @usableFromInline var itemOffset: Int
    @usableFromInline var depth: Int

    @_lifetime(copy span)
    public init(_ span: RawSpan, limits: CBORLimits) {
        self.span = span
        self.limits = limits
        end = span.byteCount <= limits.bytesMax ? span.byteCount : 0
        position = 0
        itemOffset = 0
        depth = 0
    }

    /// The next byte to read, counted from 0.
    @inlinable
    public var offset: Int { position }

    public var isAtEnd: Bool { position == span.byteCount }

    /// - Throws: `trailingBytes` unless the whole input has been read.
    public func finish() throws(CBORError) {
        if span.byteCount > limits.bytesMax {
            throw .inputTooLong(bytes: span.byteCount, max: limits.bytesMax)
        }
        if !isAtEnd { throw .trailingBytes(offset: offset, count: span.byteCount - offset) }
    }

    /// The error by which a codec refuses the item that was read last.
    public func invalid(_ what: String) -> CBORError {
        .invalid(offset: itemOffset, what: what)
    }

    // MARK: Heads

    @usableFromInline
    func truncated() -> CBORError {
        if span.byteCount > limits.bytesMax {
            return .inputTooLong(bytes: span.byteCount, max: limits.bytesMax)
        }
        return .truncated(offset: itemOffset)
    }

    /// The caller has checked that `offset < end`.
    @inlinable
    func byte(at offset: Int) -> UInt8 {
        span.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    @inlinable
    mutating func initialByte() throws(CBORError) -> UInt8 {
        itemOffset = offset
        guard offset < end else { throw truncated() }
        let initial = byte(at: offset)
        position &+= 1
        return initial
    }

    /// The argument of a head whose initial byte has just been read.
    @inlinable
    mutating func argument(_ initial: UInt8) throws(CBORError) -> UInt64 {
        let information = initial & 0x1F
        return information < 24 ? UInt64(information) : try longArgument(information)
    }

    @usableFromInline
    mutating func longArgument(_ information: UInt8) throws(CBORError) -> UInt64 {
        guard information <= 27 else {
            throw information == 31
                ? .indefiniteLength(offset: itemOffset) : .reservedHeader(offset: itemOffset)
        }
        let width = 1 << (Int(information) - 24)
        guard end - offset >= width else { throw truncated() }
        var number: UInt64 = 0
        for position in offset..<offset + width {
            number = number << 8 | UInt64(byte(at: position))
        }
        position += width
        let least: UInt64 =
            switch width {
            case 1: 24
            case 2: 0x100
            case 4: 0x1_0000
            default: 0x1_0000_0000
            }
        guard number >= least else { throw .notShortest(offset: itemOffset) }
        return number
    }

    @inlinable
    mutating func head(_ type: CBORItemType) throws(CBORError) -> UInt64 {
        let initial = try initialByte()
        guard initial >> 5 == type.rawValue else { throw wrongType(type, initial) }
        return try argument(initial)
    }

    @usableFromInline
    func wrongType(_ expected: CBORItemType, _ initial: UInt8) -> CBORError {
        .wrongType(offset: itemOffset, expected: expected, initialByte: initial)
    }

    // MARK: Numbers and simple values

    @inlinable
    public mutating func unsigned() throws(CBORError) -> UInt64 {
        try head(.unsigned)
    }

    /// - Throws: `outOfRange` where the number is beyond `Int64`.
    public mutating func integer() throws(CBORError) -> Int64 {
        let initial = try initialByte()
        guard initial >> 5 <= CBORItemType.negative.rawValue else {
            throw wrongType(.integer, initial)
        }
        guard let magnitude = Int64(exactly: try argument(initial)) else {
            throw .outOfRange(offset: itemOffset, bits: 64)
        }
        return initial >> 5 == 0 ? magnitude : ~magnitude
    }

    public mutating func uint32() throws(CBORError) -> UInt32 {
        guard let number = UInt32(exactly: try unsigned()) else {
            throw .outOfRange(offset: itemOffset, bits: 32)
        }
        return number
    }

    public mutating func uint16() throws(CBORError) -> UInt16 {
        guard let number = UInt16(exactly: try unsigned()) else {
            throw .outOfRange(offset: itemOffset, bits: 16)
        }
        return number
    }

    public mutating func uint8() throws(CBORError) -> UInt8 {
        guard let number = UInt8(exactly: try unsigned()) else {
            throw .outOfRange(offset: itemOffset, bits: 8)
        }
        return number
    }

    public mutating func bool() throws(CBORError) -> Bool {
        let initial = try initialByte()
        guard initial == 0xF4 || initial == 0xF5 else { throw wrongType(.bool, initial) }
        return initial == 0xF5
    }

    public mutating func null() throws(CBORError) {
        let initial = try initialByte()
        guard initial == 0xF6 else { throw wrongType(.null, initial) }
    }

    /// Whether the next item is `null`; consumes nothing.
    public mutating func peekIsNull() throws(CBORError) -> Bool {
        itemOffset = offset
        guard offset < end else { throw truncated() }
        return byte(at: offset) == 0xF6
    }

    /// Whether the next item is an array.
    public mutating func peekIsArray() throws(CBORError) -> Bool {
        try peekType() == .array
    }

    /// What the next item is, by its major type: `unsigned` to `simple`.
    public mutating func peekType() throws(CBORError) -> CBORItemType {
        itemOffset = offset
        guard offset < end else { throw truncated() }
        guard let type = CBORItemType(rawValue: byte(at: offset) >> 5) else {
            preconditionFailure("three bits are one of eight major types")
        }
        return type
    }

    // MARK: Strings

    @inlinable
    mutating func stringBody(_ type: CBORItemType, max: Int) throws(CBORError) -> Range<Int> {
        let count = try head(type)
        let max = Swift.min(max, limits.stringBytesMax)
        guard count <= UInt64(max) else {
            throw .tooMany(offset: itemOffset, max: max, found: count)
        }
        guard Int(count) <= end - offset else { throw truncated() }
        let body = offset..<offset + Int(count)
        position = body.upperBound
        return body
    }

    @usableFromInline
    func copy(_ range: Range<Int>) -> [UInt8] {
        span.withUnsafeBytes { Array($0[range]) }
    }

    /// A byte string of at most `max` bytes, and at most `CBORLimits.stringBytesMax`.
    public mutating func bytes(max: Int = .max) throws(CBORError) -> [UInt8] {
        copy(try stringBody(.bytes, max: max))
    }

    /// Where in the input the content of a byte string is; like `bytes(max:)` without the copy.
    public mutating func byteRange(max: Int = .max) throws(CBORError) -> Range<Int> {
        try stringBody(.bytes, max: max)
    }

    /// Where in the input the content of a byte string of just that many bytes is.
    public mutating func byteRange(exactly count: Int) throws(CBORError) -> Range<Int> {
        try fixedBody(count)
    }

    /// A byte string of just that many bytes.
    public mutating func bytes(exactly count: Int) throws(CBORError) -> [UInt8] {
        copy(try fixedBody(count))
    }

    private mutating func fixedBody(_ count: Int) throws(CBORError) -> Range<Int> {
        let found = try head(.bytes)
        guard found == UInt64(count) else {
            throw .wrongCount(offset: itemOffset, expected: count, found: found)
        }
        guard count <= end - offset else { throw truncated() }
        let body = offset..<offset + count
        position = body.upperBound
        return body
    }

    private func word(at offset: Int) -> UInt64 {
        UInt64(
            bigEndian: span.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    /// A byte string of 16 bytes as two big-endian words, without a heap allocation.
    public mutating func bytes16() throws(CBORError) -> (UInt64, UInt64) {
        let start = try fixedBody(16).lowerBound
        return (word(at: start), word(at: start + 8))
    }

    /// A byte string of 32 bytes as four big-endian words, without a heap allocation.
    public mutating func bytes32() throws(CBORError) -> (UInt64, UInt64, UInt64, UInt64) {
        let start = try fixedBody(32).lowerBound
        return (word(at: start), word(at: start + 8), word(at: start + 16), word(at: start + 24))
    }

    /// A text string of at most `max` bytes of valid UTF-8, and at most
    /// `CBORLimits.stringBytesMax`.
    public mutating func text(max: Int = .max) throws(CBORError) -> String {
        let body = try stringBody(.text, max: max)
        let text: String? = span.withUnsafeBytes { bytes in
            let utf8 = UnsafeRawBufferPointer(rebasing: bytes[body])
            // Much faster than validating; what is ill-formed is repaired, and then other bytes come out.
            var text = String(decoding: utf8, as: UTF8.self)
            return text.withUTF8 { $0.elementsEqual(utf8) } ? text : nil
        }
        guard let text else { throw .invalidUTF8(offset: itemOffset) }
        return text
    }

    // MARK: Containers

    private mutating func count(_ type: CBORItemType, max: Int) throws(CBORError) -> Int {
        let count = try head(type)
        let max = Swift.min(max, limits.itemsMax)
        guard count <= UInt64(max) else {
            throw .tooMany(offset: itemOffset, max: max, found: count)
        }
        // Every element has at least one byte, every pair two: a lying count reserves nothing.
        let room = type == .map ? (end - offset) / 2 : end - offset
        guard Int(count) <= room else { throw truncated() }
        return Int(count)
    }

    /// The head of an array of at most `max` elements; its elements follow.
    public mutating func array(max: Int = .max) throws(CBORError) -> Int {
        try count(.array, max: max)
    }

    /// The head of an array of just that many elements.
    public mutating func array(exactly count: Int) throws(CBORError) {
        let found = try head(.array)
        guard found == UInt64(count) else {
            throw .wrongCount(offset: itemOffset, expected: count, found: found)
        }
    }

    /// The head of a map of at most `max` pairs. The caller checks the keys' order; prefer
    /// `integerMap`, which does.
    public mutating func map(max: Int = .max) throws(CBORError) -> Int {
        try count(.map, max: max)
    }

    @inlinable
    public mutating func tag() throws(CBORError) -> UInt64 {
        try head(.tag)
    }

    public mutating func tag(exactly number: UInt64) throws(CBORError) {
        let found = try tag()
        guard found == number else {
            throw .wrongTag(offset: itemOffset, expected: number, found: found)
        }
    }
}
