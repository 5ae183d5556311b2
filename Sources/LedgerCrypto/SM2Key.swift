internal import COpenSSL

/// A parsed SM2 key, public or with its secret; immutable, so several threads may use it at once.
final class SM2Key: @unchecked Sendable {
    // An EVP_PKEY: OpenSSL counts its references atomically, and nothing here changes it.
    private let key: OpaquePointer

    /// Nil unless `point` is `0x04 ‖ X ‖ Y` on the curve.
    init?(point: [UInt8]) {
        guard point.count == Int(HUIJIN_SM2_POINT_BYTES), let key = huijin_sm2_public_key(point)
        else { return nil }
        self.key = key
    }

    private init(_ key: OpaquePointer) {
        self.key = key
    }

    deinit {
        huijin_sm2_key_free(key)
    }

    /// Nil unless the 32-byte big-endian `secret` is in [1, n-2].
    static func withSecret(_ secret: [UInt8]) -> (key: SM2Key, point: [UInt8])? {
        guard secret.count == Int(HUIJIN_SM2_SECRET_BYTES) else { return nil }
        var point = [UInt8](repeating: 0, count: Int(HUIJIN_SM2_POINT_BYTES))
        guard let key = huijin_sm2_private_key(secret, &point) else { return nil }
        return (SM2Key(key), point)
    }

    func sign(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Int(HUIJIN_SM2_SIGNATURE_BYTES))
        let signed = message.withUnsafeBytes {
            huijin_sm2_sign(key, $0.baseAddress, $0.count, &signature)
        }
        precondition(signed == 1, "SM2 signing fails only without memory or randomness")
        return signature
    }

    func isValid(signature: [UInt8], over message: [UInt8]) -> Bool {
        guard signature.count == Int(HUIJIN_SM2_SIGNATURE_BYTES) else { return false }
        return message.withUnsafeBytes {
            huijin_sm2_verify(key, $0.baseAddress, $0.count, signature) == 1
        }
    }

    /// A DER ciphertext (GM/T 0009 7.2) of `plain`, which must not be empty; nil on failure.
    func encrypt(_ plain: [UInt8]) -> [UInt8]? {
        var count = plain.count + Int(HUIJIN_SM2_CIPHERTEXT_OVERHEAD)
        var cipher = [UInt8](repeating: 0, count: count)
        guard huijin_sm2_encrypt(key, plain, plain.count, &cipher, &count) == 1 else { return nil }
        return Array(cipher.prefix(count))
    }

    /// The plaintext of a DER ciphertext, or nil when it is not one for this key.
    func decrypt(_ cipher: [UInt8]) -> [UInt8]? {
        var count = cipher.count
        var plain = [UInt8](repeating: 0, count: count)
        guard huijin_sm2_decrypt(key, cipher, cipher.count, &plain, &count) == 1 else {
            return nil
        }
        return Array(plain.prefix(count))
    }
}
