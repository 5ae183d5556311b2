internal import CSodium
public import Encoding

/// Why sealed bytes could not be opened, or bytes not be sealed.
public enum SealedBoxError: Error, Equatable, Sendable {
    /// More than `SealedBox.plaintextBytesMax`.
    case tooLong(bytes: Int, max: Int)
    /// SM2: not the CBOR array of three byte strings.
    case malformed(CBORError)
    /// Sealed to another key, or altered on the way.
    case notForThisKey
}

extension SealedBoxError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLong(let bytes, let max):
            "sealed data of \(bytes) bytes exceeds \(max) / 密封数据 \(bytes) 字节，超过上限 \(max)"
        case .malformed(let error):
            "sealed data is malformed: \(error.english) / 密封数据格式错误：\(error.chinese)"
        case .notForThisKey:
            "sealed data was made for another key, or altered; ask the sender to seal it again "
                + "/ 密封数据不属于此密钥或已被改动，请发送方重新密封"
        }
    }
}

/// Bytes sealed to one recipient's encryption key; the sender stays unnamed.
///
/// - `ed25519SHA256`: libsodium's `crypto_box_seal` (ephemeral X25519, XSalsa20-Poly1305).
/// - `sm2SM3`: CBOR `[wrapped, ciphertext, tag]`, where `wrapped` is a fresh 32-byte seed under
///   SM2 encryption (GB/T 32918.4, DER of GM/T 0009), and SM4-CTR with HMAC-SM3 under keys
///   derived from the seed does the rest.
public enum SealedBox {
    /// Openings of fields and small documents; bulk data never travels sealed.
    public static let plaintextBytesMax = 1 << 20

    private static let overheadBytesMax = 512
    private static let limits = CBORLimits(
        bytesMax: plaintextBytesMax + overheadBytesMax, depthMax: 2, itemsMax: 3,
        stringBytesMax: plaintextBytesMax)

    /// - Throws: `tooLong`.
    public static func seal(
        _ bytes: [UInt8], to key: EncryptionPublicKey
    ) throws(SealedBoxError) -> [UInt8] {
        guard bytes.count <= plaintextBytesMax else {
            throw .tooLong(bytes: bytes.count, max: plaintextBytesMax)
        }
        switch key.suite {
        case .ed25519SHA256:
            Sodium.ready()
            var sealed = [UInt8](
                repeating: 0, count: bytes.count + Int(crypto_box_sealbytes()))
            let code = crypto_box_seal(&sealed, bytes, UInt64(bytes.count), key.bytes)
            precondition(code == 0, "sealing fails only for keys of small order, refused before")
            return sealed
        case .sm2SM3:
            guard let sm2 = key.sm2 else { preconditionFailure("an SM2 key is parsed when made") }
            let seed = SecureRandom.bytes(SM4Box.seedByteCount)
            guard let wrapped = sm2.encrypt(seed) else {
                preconditionFailure("SM2 encryption fails only without memory or randomness")
            }
            let box = SM4Box(seed: seed, nonce: SM4Box.onlyNonce)
            let (ciphertext, tag) = box.seal(bytes, authenticating: wrapped)
            var encoder = CBOREncoder(reserving: bytes.count + overheadBytesMax)
            encoder.array(3)
            encoder.bytes(wrapped)
            encoder.bytes(ciphertext)
            encoder.bytes(tag)
            return encoder.bytes
        }
    }

    /// - Throws: `tooLong`, `malformed`, `notForThisKey`.
    public static func open(
        _ sealed: [UInt8], with key: EncryptionKey
    ) throws(SealedBoxError) -> [UInt8] {
        guard sealed.count <= limits.bytesMax else {
            throw .tooLong(bytes: sealed.count, max: limits.bytesMax)
        }
        switch key.publicKey.suite {
        case .ed25519SHA256: return try openX25519(sealed, with: key)
        case .sm2SM3: return try openSM2(sealed, with: key)
        }
    }

    private static func openX25519(
        _ sealed: [UInt8], with key: EncryptionKey
    ) throws(SealedBoxError) -> [UInt8] {
        let overhead = Int(crypto_box_sealbytes())
        guard sealed.count >= overhead else { throw .notForThisKey }
        Sodium.ready()
        // At least one byte, so that the buffer has an address.
        var plain = [UInt8](repeating: 0, count: max(sealed.count - overhead, 1))
        let code = key.material.withBytes {
            crypto_box_seal_open(
                &plain, sealed, UInt64(sealed.count), key.publicKey.bytes, $0)
        }
        guard code == 0 else { throw .notForThisKey }
        return Array(plain.prefix(sealed.count - overhead))
    }

    private static func openSM2(
        _ sealed: [UInt8], with key: EncryptionKey
    ) throws(SealedBoxError) -> [UInt8] {
        let wrapped: [UInt8]
        let ciphertext: [UInt8]
        let tag: [UInt8]
        do throws(CBORError) {
            var decoder = CBORDecoder(sealed.span.bytes, limits: limits)
            try decoder.array(exactly: 3)
            wrapped = try decoder.bytes(max: overheadBytesMax)
            ciphertext = try decoder.bytes()
            tag = try decoder.bytes(exactly: SM4Box.tagByteCount)
            try decoder.finish()
        } catch {
            throw .malformed(error)
        }
        guard let sm2 = key.sm2 else { preconditionFailure("an SM2 key is parsed when made") }
        guard let seed = sm2.decrypt(wrapped), seed.count == SM4Box.seedByteCount,
            let plain = SM4Box(seed: seed, nonce: SM4Box.onlyNonce)
                .open(ciphertext, tag: tag, authenticating: wrapped)
        else { throw .notForThisKey }
        return plain
    }
}
