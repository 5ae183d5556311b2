internal import CSodium

/// A private signing key with its public half. The secret is wiped from memory with the last copy.
public struct SigningKey: Sendable {
    public static let secretByteCount = 32

    public let publicKey: PublicKey
    private let material: Material

    // Ed25519 as libsodium wants it (seed ‖ public key); SM2 as d beside the parsed key.
    private enum Material: Sendable {
        case ed25519(SecretBytes)
        case sm2(SM2Key, SecretBytes)
    }

    /// A fresh key from the operating system's randomness.
    public static func generate(_ suite: Suite) -> SigningKey {
        while true {
            // For SM2 a random secret is out of range with probability 2^-32: draw again.
            let secret = SecureRandom.bytes(secretByteCount)
            if let key = try? SigningKey(suite: suite, secret: secret) { return key }
        }
    }

    /// `secret` is 32 bytes: the RFC 8032 seed for Ed25519; d, big-endian in [1, n-2], for SM2.
    public init(suite: Suite, secret: [UInt8]) throws(KeyError) {
        guard secret.count == SigningKey.secretByteCount else {
            throw .wrongLength(expected: SigningKey.secretByteCount, actual: secret.count)
        }
        switch suite {
        case .ed25519SHA256:
            Sodium.ready()
            var point = [UInt8](repeating: 0, count: Int(crypto_sign_ed25519_PUBLICKEYBYTES))
            var expanded = [UInt8](repeating: 0, count: Int(crypto_sign_ed25519_SECRETKEYBYTES))
            crypto_sign_seed_keypair(&point, &expanded, secret)
            publicKey = PublicKey(checkedSuite: suite, bytes: point, sm2: nil)
            material = .ed25519(SecretBytes(expanded))
            sodium_memzero(&expanded, expanded.count)
        case .sm2SM3:
            guard let (key, point) = SM2Key.withSecret(secret) else { throw .secretOutOfRange }
            publicKey = PublicKey(checkedSuite: suite, bytes: point, sm2: key)
            material = .sm2(key, SecretBytes(secret))
        }
    }

    /// A 64-byte signature. Ed25519 is deterministic; SM2 draws fresh randomness each time.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        switch material {
        case .ed25519(let expanded):
            var signature = [UInt8](repeating: 0, count: Suite.signatureByteCount)
            expanded.withBytes {
                _ = crypto_sign_detached(&signature, nil, message, UInt64(message.count), $0)
            }
            return signature
        case .sm2(let key, _):
            return key.sign(message)
        }
    }

    /// The 32 secret bytes, as `init` takes them. The copy is the caller's to guard.
    public var secret: [UInt8] {
        switch material {
        case .ed25519(let expanded): Array(expanded.bytes.prefix(SigningKey.secretByteCount))
        case .sm2(_, let scalar): scalar.bytes
        }
    }
}
