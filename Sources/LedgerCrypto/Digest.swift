public import Encoding

/// A 32-byte digest, held inline as four words in memory order: no heap, cheap to compare.
///
/// Ordered as its bytes are, from the first. On the wire a CBOR byte string of exactly 32 bytes.
@frozen
public struct Digest: Hashable, Comparable, Sendable {
    public static let byteCount = 32
    public static let bitCount = 256

    /// 32 zero bytes: never a digest of anything known, used for "nothing".
    @inlinable public static var zero: Digest { Digest(0, 0, 0, 0) }

    // Native words over the bytes as they lie in memory, so that `withBytes` needs no copying.
    @usableFromInline var word0: UInt64
    @usableFromInline var word1: UInt64
    @usableFromInline var word2: UInt64
    @usableFromInline var word3: UInt64

    @inlinable
    init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
    }

    /// Nil unless there are exactly 32 bytes.
    @inlinable
    public init?(bytes: [UInt8]) {
        guard bytes.count == Digest.byteCount else { return nil }
        self = bytes.withUnsafeBytes { Digest(loading: $0) }
    }

    /// Nil unless there are exactly 32 bytes.
    @inlinable
    public init?(bytes: ArraySlice<UInt8>) {
        guard bytes.count == Digest.byteCount else { return nil }
        self = bytes.withUnsafeBytes { Digest(loading: $0) }
    }

    /// Nil unless there are exactly 32 bytes.
    @inlinable
    public init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Digest.byteCount else { return nil }
        self.init(loading: bytes)
    }

    @inlinable
    init(loading bytes: UnsafeRawBufferPointer) {
        self.init(
            bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    }

    /// Nil unless `hex` is exactly 64 hexadecimal digits.
    public init?(hex: String) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes: bytes)
    }

    /// Filled by `body`, which writes 32 bytes.
    init(filledBy body: (UnsafeMutableRawPointer) -> Void) {
        self = .zero
        withUnsafeMutableBytes(of: &self) { buffer in
            precondition(buffer.count == Digest.byteCount)
            if let base = buffer.baseAddress { body(base) }
        }
    }

    @inlinable
    public var bytes: [UInt8] { withBytes { Array($0) } }

    /// 64 lower-case hexadecimal digits.
    public var hex: String { Hex.encode(bytes) }

    /// Gives `body` the 32 bytes in place; the pointer is valid only inside `body`.
    @inlinable
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeBytes(of: self, body)
    }

    /// Bit `index` of 0…255, where 0 is the most significant bit of the first byte.
    @inlinable
    public func bit(_ index: Int) -> Bool {
        precondition(index >= 0 && index < Digest.bitCount)
        let native =
            switch index >> 6 {
            case 0: word0
            case 1: word1
            case 2: word2
            default: word3
            }
        return (UInt64(bigEndian: native) >> UInt64(63 - (index & 63))) & 1 == 1
    }

    /// The first `count` bits (0…64) as a number: the bucket of a key in a trie's fixed top.
    @inlinable
    public func prefix(bits count: Int) -> UInt64 {
        precondition(count >= 0 && count <= 64)
        return count == 0 ? 0 : UInt64(bigEndian: word0) >> UInt64(64 - count)
    }

    @inlinable
    public static func == (left: Digest, right: Digest) -> Bool {
        left.word0 == right.word0 && left.word1 == right.word1
            && left.word2 == right.word2 && left.word3 == right.word3
    }

    @inlinable
    public static func < (left: Digest, right: Digest) -> Bool {
        if left.word0 != right.word0 {
            return UInt64(bigEndian: left.word0) < UInt64(bigEndian: right.word0)
        }
        if left.word1 != right.word1 {
            return UInt64(bigEndian: left.word1) < UInt64(bigEndian: right.word1)
        }
        if left.word2 != right.word2 {
            return UInt64(bigEndian: left.word2) < UInt64(bigEndian: right.word2)
        }
        return UInt64(bigEndian: left.word3) < UInt64(bigEndian: right.word3)
    }

    // All four words: a digest read from the wire may be anything, and a table keyed by part of
    // it could be flooded with collisions at no cost.
    @inlinable
    public func hash(into hasher: inout Hasher) {
        withBytes { hasher.combine(bytes: $0) }
    }

    #if !hasFeature(Embedded)
        /// What tables keyed by digests call: two multiplications of secret and digest in the place of SipHash, which took a twentieth of
        /// the time of a block's execution. Keyed like Swift's own, so that nobody can make digests that collide.
        @inlinable
        public func _rawHashValue(seed: Int) -> Int {
            let secret = TableSecret.words
            let seeded = word0 ^ secret.0 ^ UInt64(truncatingIfNeeded: seed)
            let one = seeded.multipliedFullWidth(by: word1 ^ secret.1)
            let two = (word2 ^ secret.2).multipliedFullWidth(by: word3 ^ secret.3)
            let mixed =
                (one.high ^ one.low) &+ (two.high ^ two.low) &* 0x9E37_79B9_7F4A_7C15
            return Int(truncatingIfNeeded: mixed ^ mixed >> 32)
        }
    #endif
}

extension Digest: CustomStringConvertible {
    public var description: String { hex }
}

extension Digest: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.bytes32(
            word0.bigEndian, word1.bigEndian, word2.bigEndian, word3.bigEndian)
    }

    /// The first 16 bytes as a byte string.
    public func encodeFirstHalf(into encoder: inout CBOREncoder) {
        encoder.bytes16(word0.bigEndian, word1.bigEndian)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        let words = try decoder.bytes32()
        self.init(
            words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
    }
}
