internal import COpenSSL
internal import CSodium
internal import Encoding

/// Authenticated encryption of the `sm2SM3` suite: SM4-CTR, then HMAC-SM3 over associated data,
/// nonce and ciphertext. OpenSSL 3.0 has no SM4-GCM or CCM; encrypt-then-MAC with separate keys
/// composes safely from what it has.
struct SM4Box {
    static let seedByteCount = 32
    static let nonceByteCount = 16
    static let tagByteCount = 32
    /// For seeds that seal one message only.
    static let onlyNonce = [UInt8](repeating: 0, count: nonceByteCount)

    private let encryptionKey: [UInt8]
    private let authenticationKey: [UInt8]
    private let nonce: [UInt8]

    init(seed: [UInt8], nonce: [UInt8]) {
        precondition(seed.count == SM4Box.seedByteCount && nonce.count == SM4Box.nonceByteCount)
        encryptionKey = Array(SM4Box.mac(seed, Array("huijin/sm4/encrypt".utf8)).prefix(16))
        authenticationKey = SM4Box.mac(seed, Array("huijin/sm4/authenticate".utf8))
        self.nonce = nonce
    }

    func seal(
        _ plain: [UInt8], authenticating associated: [UInt8]
    ) -> (ciphertext: [UInt8], tag: [UInt8]) {
        let ciphertext = counterMode(plain)
        return (ciphertext, tag(ciphertext, associated))
    }

    /// Nil unless the tag is right.
    func open(
        _ ciphertext: [UInt8], tag found: [UInt8], authenticating associated: [UInt8]
    ) -> [UInt8]? {
        let expected = tag(ciphertext, associated)
        guard found.count == expected.count,
            sodium_memcmp(found, expected, expected.count) == 0
        else { return nil }
        return counterMode(ciphertext)
    }

    // An encoded array, so that no two splits into parts have the same bytes.
    private func tag(_ ciphertext: [UInt8], _ associated: [UInt8]) -> [UInt8] {
        var encoder = CBOREncoder(reserving: ciphertext.count + associated.count + 64)
        encoder.array(3)
        encoder.bytes(associated)
        encoder.bytes(nonce)
        encoder.bytes(ciphertext)
        return SM4Box.mac(authenticationKey, encoder.bytes)
    }

    private func counterMode(_ input: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: input.count)
        let code = huijin_sm4_ctr(encryptionKey, nonce, input, input.count, &output)
        precondition(code == 1, "SM4 fails only without memory")
        return output
    }

    static func mac(_ key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: tagByteCount)
        let code = huijin_hmac_sm3(key, key.count, bytes, bytes.count, &tag)
        precondition(code == 1, "HMAC-SM3 fails only without memory")
        return tag
    }
}
