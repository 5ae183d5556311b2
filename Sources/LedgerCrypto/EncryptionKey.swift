internal import COpenSSL
internal import CSodium
public import Encoding

/// A public key to seal bytes to, checked when made; registered apart from signing keys, which it
/// can never be used as. On the wire `[suite, bytes]`.
public struct EncryptionPublicKey: Sendable {
    public let suite: Suite
    /// 32 bytes for X25519 (RFC 7748); `0x04 ‖ X ‖ Y`, 65 bytes, for SM2.
    public let bytes: [UInt8]
    public let keyID: KeyID
    let sm2: SM2Key?

    /// Refuses wrong lengths, points off the SM2 curve, and X25519 keys that are not canonical or
    /// of small order.
    public init(suite: Suite, bytes: [UInt8]) throws(KeyError) {
        let expected = suite.publicKeyByteCount
        guard bytes.count == expected else {
            throw .wrongLength(expected: expected, actual: bytes.count)
        }
        switch suite {
        case .ed25519SHA256:
            try Curve25519.checkAgreementKey(bytes)
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
}

extension EncryptionPublicKey: Hashable {
    public static func == (left: EncryptionPublicKey, right: EncryptionPublicKey) -> Bool {
        left.suite == right.suite && left.bytes == right.bytes
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(keyID)
    }
}

extension EncryptionPublicKey: CBORCodable {
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

/// A private encryption key with its public half.
public struct EncryptionKey: Sendable {
    public static let secretByteCount = 32

    public let publicKey: EncryptionPublicKey
    let material: SecretBytes
    let sm2: SM2Key?

    /// A fresh key from the operating system's randomness.
    public static func generate(_ suite: Suite) -> EncryptionKey {
        while true {
            // As for signing keys: an SM2 draw out of range has probability 2^-32.
            let secret = SecureRandom.bytes(secretByteCount)
            if let key = try? EncryptionKey(suite: suite, secret: secret) { return key }
        }
    }

    /// `secret` is 32 bytes: any for X25519; d, big-endian in [1, n-2], for SM2.
    public init(suite: Suite, secret: [UInt8]) throws(KeyError) {
        guard secret.count == EncryptionKey.secretByteCount else {
            throw .wrongLength(expected: EncryptionKey.secretByteCount, actual: secret.count)
        }
        switch suite {
        case .ed25519SHA256:
            Sodium.ready()
            var point = [UInt8](repeating: 0, count: Int(crypto_box_PUBLICKEYBYTES))
            _ = crypto_scalarmult_base(&point, secret)
            publicKey = EncryptionPublicKey(checkedSuite: suite, bytes: point, sm2: nil)
            sm2 = nil
        case .sm2SM3:
            guard let (key, point) = SM2Key.withSecret(secret) else { throw .secretOutOfRange }
            publicKey = EncryptionPublicKey(checkedSuite: suite, bytes: point, sm2: key)
            sm2 = key
        }
        material = SecretBytes(secret)
    }

    /// The 32 secret bytes, as `init` takes them. The copy is the caller's to guard.
    public var secret: [UInt8] { material.bytes }
}
