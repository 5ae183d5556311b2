internal import CSodium
internal import Encoding

/// The readable part of a key file, authenticated by the passphrase.
///
/// CBOR map `{1: version, 2: kind, 3: label, 4: public key, 5: operations, 6: memory KiB,
/// 7: salt, 8: nonce}`.
public struct KeyFileHeader: Equatable, Sendable {
    public static let version: UInt64 = 1
    /// UTF-8 bytes.
    public static let labelBytesMax = 128
    static let saltByteCount = Int(crypto_pwhash_SALTBYTES)

    public let suite: Suite
    public let kind: KeyFileKind
    /// Free text for people; says nothing to the program.
    public let label: String
    /// As in `PublicKey.bytes` or `EncryptionPublicKey.bytes`; empty for secret bytes.
    public let publicKey: [UInt8]
    public let cost: KeyDerivationCost
    let salt: [UInt8]
    let nonce: [UInt8]

    /// With fresh salt and nonce.
    init(
        suite: Suite, kind: KeyFileKind, label: String, publicKey: [UInt8],
        cost: KeyDerivationCost
    ) {
        self.suite = suite
        self.kind = kind
        self.label = label
        self.publicKey = publicKey
        self.cost = cost
        salt = SecureRandom.bytes(KeyFileHeader.saltByteCount)
        nonce = SecureRandom.bytes(AtRest.nonceByteCount(suite))
    }

    func derivedKey(_ passphrase: String) throws(KeyFileError) -> [UInt8] {
        try cost.derive(passphrase: Array(passphrase.utf8), salt: salt)
    }

    var encoded: [UInt8] {
        var encoder = CBOREncoder()
        encoder.map(8)
        encoder.integerKey(1)
        encoder.unsigned(KeyFileHeader.version)
        encoder.integerKey(2)
        encoder.value(kind)
        encoder.integerKey(3)
        encoder.text(label)
        encoder.integerKey(4)
        encoder.bytes(publicKey)
        encoder.integerKey(5)
        encoder.unsigned(cost.operations)
        encoder.integerKey(6)
        encoder.unsigned(cost.memoryKiB)
        encoder.integerKey(7)
        encoder.bytes(salt)
        encoder.integerKey(8)
        encoder.bytes(nonce)
        return encoder.bytes
    }

    private static let fieldNames = [
        "version", "kind", "label", "public key", "kdf operations", "kdf memory", "salt", "nonce",
    ]

    init(decoding bytes: [UInt8], suite: Suite) throws(KeyFileError) {
        self.suite = suite
        var field = "header"
        let version: UInt64
        do throws(CBORError) {
            var decoder = CBORDecoder(bytes.span.bytes, limits: EncryptedKeyFile.limits)
            guard try decoder.map(max: 16) == KeyFileHeader.fieldNames.count else {
                throw decoder.invalid("the header must have 8 fields")
            }
            // The keys are exactly 1…8 in order, which is the only canonical form.
            func enter(
                _ key: Int, _ decoder: inout CBORDecoder
            ) throws(CBORError) {
                field = KeyFileHeader.fieldNames[key - 1]
                guard try decoder.unsigned() == UInt64(key) else {
                    throw decoder.invalid("key \(key) is missing")
                }
            }
            try enter(1, &decoder)
            version = try decoder.unsigned()
            try enter(2, &decoder)
            kind = try decoder.value()
            try enter(3, &decoder)
            label = try decoder.text(max: KeyFileHeader.labelBytesMax)
            try enter(4, &decoder)
            publicKey = try decoder.bytes(
                exactly: kind == .bytes ? 0 : suite.publicKeyByteCount)
            try enter(5, &decoder)
            let operations = try decoder.unsigned()
            try enter(6, &decoder)
            cost = KeyDerivationCost(operations: operations, memoryKiB: try decoder.unsigned())
            try enter(7, &decoder)
            salt = try decoder.bytes(exactly: KeyFileHeader.saltByteCount)
            try enter(8, &decoder)
            nonce = try decoder.bytes(exactly: AtRest.nonceByteCount(suite))
            try decoder.finish()
        } catch {
            throw .malformed(field: field, reason: error)
        }
        guard version == KeyFileHeader.version else { throw .unsupportedVersion(version) }
        try cost.check()
    }
}

/// What opening a key file costs: Argon2id (RFC 9106) in both suites, for no Chinese standard
/// has a memory-hard function; see `docs/decisions/0002-crypto-libraries.md`.
public struct KeyDerivationCost: Equatable, Sendable {
    /// Passes over the memory, 1…10.
    public var operations: UInt64
    /// 8…262 144 KiB, so that a hostile file cannot exhaust the machine that opens it.
    public var memoryKiB: UInt64

    public static let operationsMax: UInt64 = 10
    public static let memoryKiBMin: UInt64 = 8
    public static let memoryKiBMax: UInt64 = 256 * 1024

    /// 3 passes over 64 MiB (the second recommendation of RFC 9106 §4).
    public static let standard = KeyDerivationCost(operations: 3, memoryKiB: 64 * 1024)
    /// The least there is: for tests and throw-away keys.
    public static let minimal = KeyDerivationCost(operations: 1, memoryKiB: memoryKiBMin)

    public init(operations: UInt64, memoryKiB: UInt64) {
        self.operations = operations
        self.memoryKiB = memoryKiB
    }

    func check() throws(KeyFileError) {
        guard (1...KeyDerivationCost.operationsMax).contains(operations) else {
            throw .costRefused(
                field: "kdf operations", value: operations, min: 1,
                max: KeyDerivationCost.operationsMax)
        }
        let memory = KeyDerivationCost.memoryKiBMin...KeyDerivationCost.memoryKiBMax
        guard memory.contains(memoryKiB) else {
            throw .costRefused(
                field: "kdf memory", value: memoryKiB, min: memory.lowerBound,
                max: memory.upperBound)
        }
    }

    /// 32 bytes.
    func derive(passphrase: [UInt8], salt: [UInt8]) throws(KeyFileError) -> [UInt8] {
        Sodium.ready()
        var key = [UInt8](repeating: 0, count: AtRest.keyByteCount)
        let code = crypto_pwhash(
            &key, UInt64(key.count), passphrase.map { CChar(bitPattern: $0) },
            UInt64(passphrase.count), salt, operations, Int(memoryKiB) * 1024,
            crypto_pwhash_ALG_ARGON2ID13)
        guard code == 0 else { throw .outOfMemory(kibibytes: memoryKiB) }
        return key
    }
}

/// Authenticated encryption under a 32-byte key, by suite.
enum AtRest {
    static let keyByteCount = 32

    static func nonceByteCount(_ suite: Suite) -> Int {
        switch suite {
        case .ed25519SHA256: Int(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
        case .sm2SM3: SM4Box.nonceByteCount
        }
    }

    /// Ciphertext followed by its tag.
    static func seal(
        _ plain: [UInt8], suite: Suite, key: [UInt8], nonce: [UInt8],
        authenticating associated: [UInt8]
    ) -> [UInt8] {
        precondition(key.count == keyByteCount && nonce.count == nonceByteCount(suite))
        switch suite {
        case .ed25519SHA256:
            let overhead = Int(crypto_aead_xchacha20poly1305_ietf_ABYTES)
            var sealed = [UInt8](repeating: 0, count: plain.count + overhead)
            crypto_aead_xchacha20poly1305_ietf_encrypt(
                &sealed, nil, plain, UInt64(plain.count), associated, UInt64(associated.count),
                nil, nonce, key)
            return sealed
        case .sm2SM3:
            let (ciphertext, tag) = SM4Box(seed: key, nonce: nonce)
                .seal(plain, authenticating: associated)
            return ciphertext + tag
        }
    }

    /// Nil unless the tag is right.
    static func open(
        _ sealed: [UInt8], suite: Suite, key: [UInt8], nonce: [UInt8],
        authenticating associated: [UInt8]
    ) -> [UInt8]? {
        switch suite {
        case .ed25519SHA256:
            let overhead = Int(crypto_aead_xchacha20poly1305_ietf_ABYTES)
            guard sealed.count >= overhead else { return nil }
            // At least one byte, so that the buffer has an address.
            var plain = [UInt8](repeating: 0, count: max(sealed.count - overhead, 1))
            let code = crypto_aead_xchacha20poly1305_ietf_decrypt(
                &plain, nil, nil, sealed, UInt64(sealed.count), associated,
                UInt64(associated.count), nonce, key)
            guard code == 0 else { return nil }
            return Array(plain.prefix(sealed.count - overhead))
        case .sm2SM3:
            guard sealed.count >= SM4Box.tagByteCount else { return nil }
            return SM4Box(seed: key, nonce: nonce).open(
                Array(sealed.dropLast(SM4Box.tagByteCount)),
                tag: Array(sealed.suffix(SM4Box.tagByteCount)), authenticating: associated)
        }
    }
}
