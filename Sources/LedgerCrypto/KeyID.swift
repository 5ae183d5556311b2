public import Encoding

/// Names a public key: the first 16 bytes of the digest (of the key's suite) of its bytes.
///
/// 128 bits make a second key of the same id infeasible; keys are looked up by id in a registry
/// that never holds two of one id, so a collision made on purpose (2^64 work) gains nothing.
@frozen
public struct KeyID: Hashable, Comparable, Sendable {
    public static let byteCount = 16

    // Native words over the bytes as they lie in memory, as in `Digest`.
    @usableFromInline var word0: UInt64
    @usableFromInline var word1: UInt64

    /// The id of a key with that digest.
    @inlinable
    public init(_ publicKeyDigest: Digest) {
        word0 = publicKeyDigest.word0
        word1 = publicKeyDigest.word1
    }

    /// Nil unless there are exactly 16 bytes.
    @inlinable
    public init?(bytes: [UInt8]) {
        guard bytes.count == KeyID.byteCount else { return nil }
        (word0, word1) = bytes.withUnsafeBytes {
            (
                $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
    }

    /// Nil unless `hex` is exactly 32 hexadecimal digits.
    public init?(hex: String) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes: bytes)
    }

    @inlinable
    public var bytes: [UInt8] { withUnsafeBytes(of: self) { Array($0) } }

    /// 32 lower-case hexadecimal digits.
    public var hex: String { Hex.encode(bytes) }

    @inlinable
    public static func < (left: KeyID, right: KeyID) -> Bool {
        if left.word0 != right.word0 {
            return UInt64(bigEndian: left.word0) < UInt64(bigEndian: right.word0)
        }
        return UInt64(bigEndian: left.word1) < UInt64(bigEndian: right.word1)
    }
}

extension KeyID: CustomStringConvertible {
    public var description: String { hex }
}

extension KeyID: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.bytes16(word0.bigEndian, word1.bigEndian)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        let words = try decoder.bytes16()
        word0 = words.0.bigEndian
        word1 = words.1.bigEndian
    }
}
