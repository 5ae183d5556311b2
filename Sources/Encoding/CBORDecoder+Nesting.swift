// Everything that nests, and so counts against `CBORLimits.depthMax`.
extension CBORDecoder {
    @inlinable
    mutating func enter() throws(CBORError) {
        guard depth < limits.depthMax else {
            throw .tooDeep(offset: offset, max: limits.depthMax)
        }
        depth &+= 1
    }

    @inlinable
    mutating func leave() {
        depth &-= 1
    }

    @inlinable
    public mutating func value<T: CBORDecodable>() throws(CBORError) -> T {
        try enter()
        let value = try T(from: &self)
        leave()
        return value
    }

    @inlinable
    public mutating func value<T: CBORDecodable>(_: T.Type) throws(CBORError) -> T {
        let value: T = try value()
        return value
    }

    /// `nil` for `null`, otherwise a value.
    @inlinable
    public mutating func optional<T: CBORDecodable>(_: T.Type = T.self) throws(CBORError) -> T? {
        if try peekIsNull() {
            try null()
            return nil
        }
        let value: T = try value()
        return value
    }

    /// An array of at most `max` values.
    @inlinable
    public mutating func list<T: CBORDecodable>(
        max: Int = .max, of _: T.Type = T.self
    ) throws(CBORError) -> [T] {
        let count = try array(max: max)
        try enter()
        var values: [T] = []
        // `count` is at most the bytes left, but a `T` may be far larger than its encoding.
        values.reserveCapacity(Swift.min(count, 1_024))
        for _ in 0..<count { values.append(try T(from: &self)) }
        leave()
        return values
    }

    /// A map with integer keys in strictly ascending canonical order: 0, 1, 2 … then −1, −2 ….
    ///
    /// `body` reads the value of each key, and throws for a key that it does not know.
    @inlinable
    public mutating func integerMap(
        max: Int = .max,
        _ body: (Int64, inout CBORDecoder) throws(CBORError) -> Void
    ) throws(CBORError) {
        let count = try map(max: max)
        try enter()
        var last: UInt64?
        for _ in 0..<count {
            let key = try integer()
            // Bytewise order of encodings puts every unsigned number before every negative one.
            let rank = key >= 0 ? UInt64(key) : UInt64(bitPattern: ~key) | 1 << 63
            if let last, rank <= last {
                throw rank == last
                    ? .duplicateKey(offset: itemOffset) : .keysOutOfOrder(offset: itemOffset)
            }
            last = rank
            try body(key, &self)
        }
        leave()
    }

    /// Checks the next item, whatever it is, and returns where its bytes are in the input.
    public mutating func skip() throws(CBORError) -> Range<Int> {
        let start = offset
        let initial = try initialByte()
        switch initial >> 5 {
        case 0, 1:
            _ = try argument(initial)
        case 2:
            position = start
            _ = try stringBody(.bytes, max: .max)
        case 3:
            position = start
            let body = try stringBody(.text, max: .max)
            guard isUTF8(body) else { throw .invalidUTF8(offset: start) }
        case 4:
            position = start
            let count = try array()
            try enter()
            for _ in 0..<count { _ = try skip() }
            leave()
        case 5:
            position = start
            try skipMap()
        case 6:
            _ = try argument(initial)
            try enter()
            _ = try skip()
            leave()
        default:
            try simple(initial)
        }
        return start..<offset
    }

    private mutating func skipMap() throws(CBORError) {
        let count = try map()
        try enter()
        var last: Range<Int>?
        for _ in 0..<count {
            let key = try skip()
            if let last { try requireAscending(last, key) }
            last = key
            _ = try skip()
        }
        leave()
    }

    /// Checks that the item at `second` encodes a greater map key than the one at `first`.
    func requireAscending(_ first: Range<Int>, _ second: Range<Int>) throws(CBORError) {
        let common = Swift.min(first.count, second.count)
        for index in 0..<common {
            let (a, b) = (byte(at: first.lowerBound + index), byte(at: second.lowerBound + index))
            if a < b { return }
            if a > b { throw .keysOutOfOrder(offset: second.lowerBound) }
        }
        // No well-formed item is a proper prefix of another, so equal here means the same key.
        throw .duplicateKey(offset: second.lowerBound)
    }

    private func isUTF8(_ range: Range<Int>) -> Bool {
        span.withUnsafeBytes { String(validating: $0[range], as: UTF8.self) != nil }
    }

    /// Accepts true, false and null; says what is wrong with every other initial byte of type 7.
    mutating func simple(_ initial: UInt8) throws(CBORError) {
        switch initial & 0x1F {
        case 20, 21, 22: return
        case 28, 29, 30: throw .reservedHeader(offset: itemOffset)
        case 31: throw .indefiniteLength(offset: itemOffset)
        default: throw .unsupportedSimple(offset: itemOffset)
        }
    }

    /// The bytes of the next item, checked as `skip()` does.
    public mutating func rawItem() throws(CBORError) -> [UInt8] {
        copy(try skip())
    }
}
