internal import CSodium
public import Encoding

/// A public signing key, checked when made: a value of this type can be relied on to be a proper
/// key of its suite. On the wire `[suite, bytes]`.
///
/// Ed25519 signatures are decided by libsodium alone. It and other libraries disagree about keys
/// of small order and signatures with R of small order, and a chain must not fork on that; other
/// clients have to add the same checks (see `docs/decisions/0002-crypto-libraries.md`).
public struct PublicKey: Sendable {
    public let suite: Suite
    /// 32 bytes for Ed25519; `0x04 ‖ X ‖ Y`, 65 bytes, for SM2.
    public let bytes: [UInt8]
    public let keyID: KeyID
    // Parsing an SM2 key costs a curve check, so it happens once; nil for Ed25519.
    private let sm2: SM2Key?

    /// Refuses wrong lengths, points off the curve, and for Ed25519 also non-canonical encodings,
    /// points of small order and points outside the prime-order subgroup.
    public init(suite: Suite, bytes: [UInt8]) throws(KeyError) {
        let expected = suite.publicKeyByteCount
        guard bytes.count == expected else {
            throw .wrongLength(expected: expected, actual: bytes.count)
        }
        switch suite {
        case .ed25519SHA256:
            try Curve25519.checkSigningKey(bytes)
            self.init(checkedSuite: suite, bytes: bytes, sm2: nil)
        case .sm2SM3:
            guard let key = SM2Key(point: bytes) else { throw .invalidPoint }
            self.init(checkedSuite: suite, bytes: bytes, sm2: key)
        }
    }

    init(checkedSuite suite: Suite, bytes: [UInt8], sm2: SM2Key?) {
        self.suite = suite
        self.bytes = bytes
        self.keyID = KeyID(suite.digest(bytes))
        self.sm2 = sm2
    }

    /// Whether `signature` (64 bytes) is one of this key over `message`. May be called from any
    /// thread. Every malformed signature is just not valid.
    public func isValid(signature: [UInt8], over message: [UInt8]) -> Bool {
        guard signature.count == Suite.signatureByteCount else { return false }
        switch suite {
        case .ed25519SHA256:
            Sodium.ready()
            return crypto_sign_verify_detached(
                signature, message, UInt64(message.count), bytes) == 0
        case .sm2SM3:
            guard let sm2 else { preconditionFailure("an SM2 public key is parsed when made") }
            return sm2.isValid(signature: signature, over: message)
        }
    }
}

extension PublicKey: Hashable {
    public static func == (left: PublicKey, right: PublicKey) -> Bool {
        left.suite == right.suite && left.bytes == right.bytes
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(keyID)
    }
}

extension PublicKey: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(suite)
        encoder.bytes(bytes)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        let suite: Suite = try decoder.value()
        let bytes = try decoder.bytes(exactly: suite.publicKeyByteCount)
        do throws(KeyError) {
            try self.init(suite: suite, bytes: bytes)
        } catch {
            throw decoder.invalid(error.description)
        }
    }
}
