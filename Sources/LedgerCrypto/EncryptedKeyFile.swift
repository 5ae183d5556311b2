internal import Encoding

/// A secret encrypted under a passphrase, as it lies on disk.
///
/// CBOR `[magic, suite, header, sealed, checksum]`: `header` is the encoded `KeyFileHeader`,
/// readable without the passphrase and authenticated by it; `sealed` is the secret under
/// XChaCha20-Poly1305 or SM4-CTR with HMAC-SM3, by suite; `checksum` is the suite's digest of
/// everything before it, which tells a damaged file from a wrong passphrase.
public enum EncryptedKeyFile {
    public static let fileBytesMax = 65_536

    static let magic = "huijin-key"
    static let limits = CBORLimits(
        bytesMax: fileBytesMax, depthMax: 4, itemsMax: 16, stringBytesMax: fileBytesMax)

    // MARK: Writing

    public static func seal(
        _ key: SigningKey, label: String, passphrase: String,
        cost: KeyDerivationCost = .standard
    ) throws(KeyFileError) -> [UInt8] {
        try seal(
            secret: key.secret,
            header: KeyFileHeader(
                suite: key.publicKey.suite, kind: .signingKey, label: label,
                publicKey: key.publicKey.bytes, cost: cost),
            passphrase: passphrase)
    }

    public static func seal(
        _ key: EncryptionKey, label: String, passphrase: String,
        cost: KeyDerivationCost = .standard
    ) throws(KeyFileError) -> [UInt8] {
        try seal(
            secret: key.secret,
            header: KeyFileHeader(
                suite: key.publicKey.suite, kind: .encryptionKey, label: label,
                publicKey: key.publicKey.bytes, cost: cost),
            passphrase: passphrase)
    }

    /// Any other secret, such as a TLS private key; at most about 64 KiB.
    public static func sealBytes(
        _ secret: [UInt8], suite: Suite, label: String, passphrase: String,
        cost: KeyDerivationCost = .standard
    ) throws(KeyFileError) -> [UInt8] {
        try seal(
            secret: secret,
            header: KeyFileHeader(
                suite: suite, kind: .bytes, label: label, publicKey: [], cost: cost),
            passphrase: passphrase)
    }

    // MARK: Reading

    /// What the file says of itself; needs no passphrase and proves nothing about the secret.
    public static func inspect(_ file: [UInt8]) throws(KeyFileError) -> KeyFileHeader {
        try KeyFileParts(file).header
    }

    public static func open(
        _ file: [UInt8], passphrase: String
    ) throws(KeyFileError) -> SigningKey {
        let (header, secret) = try open(file, kind: .signingKey, passphrase: passphrase)
        guard let key = try? SigningKey(suite: header.suite, secret: secret),
            key.publicKey.bytes == header.publicKey
        else { throw .publicKeyMismatch }
        return key
    }

    public static func openEncryptionKey(
        _ file: [UInt8], passphrase: String
    ) throws(KeyFileError) -> EncryptionKey {
        let (header, secret) = try open(file, kind: .encryptionKey, passphrase: passphrase)
        guard let key = try? EncryptionKey(suite: header.suite, secret: secret),
            key.publicKey.bytes == header.publicKey
        else { throw .publicKeyMismatch }
        return key
    }

    public static func openBytes(
        _ file: [UInt8], passphrase: String
    ) throws(KeyFileError) -> [UInt8] {
        try open(file, kind: .bytes, passphrase: passphrase).secret
    }

    // MARK: Both

    private static func seal(
        secret: [UInt8], header: KeyFileHeader, passphrase: String
    ) throws(KeyFileError) -> [UInt8] {
        guard !passphrase.isEmpty else { throw .emptyPassphrase }
        let labelBytes = header.label.utf8.count
        guard labelBytes <= KeyFileHeader.labelBytesMax else {
            throw .labelTooLong(bytes: labelBytes, max: KeyFileHeader.labelBytesMax)
        }
        try header.cost.check()
        let headerBytes = header.encoded
        let key = try header.derivedKey(passphrase)
        let sealed = AtRest.seal(
            secret, suite: header.suite, key: key, nonce: header.nonce,
            authenticating: headerBytes)
        let file = KeyFileParts.file(suite: header.suite, header: headerBytes, sealed: sealed)
        guard file.count <= fileBytesMax else {
            throw .tooLong(byteCount: file.count, max: fileBytesMax)
        }
        return file
    }

    private static func open(
        _ file: [UInt8], kind: KeyFileKind, passphrase: String
    ) throws(KeyFileError) -> (header: KeyFileHeader, secret: [UInt8]) {
        let parts = try KeyFileParts(file)
        guard parts.header.kind == kind else {
            throw .wrongKind(expected: kind, found: parts.header.kind)
        }
        guard !passphrase.isEmpty else { throw .emptyPassphrase }
        let key = try parts.header.derivedKey(passphrase)
        let secret = AtRest.open(
            parts.sealed, suite: parts.header.suite, key: key, nonce: parts.header.nonce,
            authenticating: parts.headerBytes)
        guard let secret else { throw .wrongPassphrase }
        return (parts.header, secret)
    }
}

/// A key file taken apart, its checksum and costs checked, nothing decrypted.
struct KeyFileParts {
    let header: KeyFileHeader
    let headerBytes: [UInt8]
    let sealed: [UInt8]

    static func file(suite: Suite, header: [UInt8], sealed: [UInt8]) -> [UInt8] {
        var encoder = CBOREncoder(reserving: header.count + sealed.count + 64)
        encoder.array(5)
        encoder.text(EncryptedKeyFile.magic)
        encoder.value(suite)
        encoder.bytes(header)
        encoder.bytes(sealed)
        encoder.value(suite.digest(encoder.bytes))
        return encoder.bytes
    }

    init(_ file: [UInt8]) throws(KeyFileError) {
        guard file.count <= EncryptedKeyFile.fileBytesMax else {
            throw .tooLong(byteCount: file.count, max: EncryptedKeyFile.fileBytesMax)
        }
        var field = "magic"
        let suite: Suite
        do throws(CBORError) {
            var decoder = CBORDecoder(file.span.bytes, limits: EncryptedKeyFile.limits)
            try decoder.array(exactly: 5)
            guard try decoder.text(max: 32) == EncryptedKeyFile.magic else {
                throw decoder.invalid("another magic")
            }
            field = "suite"
            suite = try decoder.value()
            field = "header"
            headerBytes = try decoder.bytes()
            field = "sealed secret"
            sealed = try decoder.bytes()
            field = "checksum"
            let content = file[..<decoder.offset]
            let checksum: Digest = try decoder.value()
            try decoder.finish()
            guard checksum == suite.digest(content) else { throw decoder.invalid("checksum") }
        } catch {
            throw KeyFileParts.meaning(of: error, field: field, byteCount: file.count)
        }
        header = try KeyFileHeader(decoding: headerBytes, suite: suite)
    }

    private static func meaning(
        of error: CBORError, field: String, byteCount: Int
    ) -> KeyFileError {
        if case .truncated = error { return .truncated(byteCount: byteCount) }
        if field == "magic" { return .notAKeyFile }
        if field == "checksum", case .invalid = error { return .altered }
        return .malformed(field: field, reason: error)
    }
}
