// swift-format-ignore-file: AlwaysUseLowerCamelCase
// The names are C's: the compiler holds each function to its declaration in huijin_openssl.h.

import COpenSSL
import CSodium

// What LedgerCrypto asks of libcrypto to verify with: SHA-256 by libsodium, SM3 and SM2 by this room. What it asks of
// it besides, to sign and to seal, is not in the page; the linker would name what is missing.

@c @implementation
public func huijin_digest_init(
    _ state: UnsafeMutablePointer<huijin_digest_state>, _ algorithm: Int32
) {
    guard algorithm == HUIJIN_SM3 else {
        state.pointee.sm3 = nil
        _ = crypto_hash_sha256_init(sha256(state))
        return
    }
    let running = UnsafeMutablePointer<SM3>.allocate(capacity: 1)
    running.initialize(to: SM3())
    state.pointee.sm3 = UnsafeMutableRawPointer(running)
}

@c @implementation
public func huijin_digest_update(
    _ state: UnsafeMutablePointer<huijin_digest_state>, _ bytes: UnsafeRawPointer?, _ count: Int
) {
    guard count > 0 else { return }
    guard let running = sm3(state) else {
        _ = crypto_hash_sha256_update(
            sha256(state), bytes?.assumingMemoryBound(to: UInt8.self), UInt64(count))
        return
    }
    running.pointee.update(UnsafeRawBufferPointer(start: bytes, count: count))
}

@c @implementation
public func huijin_digest_final(
    _ state: UnsafeMutablePointer<huijin_digest_state>, _ digest: UnsafeMutableRawPointer
) {
    guard let running = sm3(state) else {
        _ = crypto_hash_sha256_final(sha256(state), digest.assumingMemoryBound(to: UInt8.self))
        return
    }
    digest.copyMemory(from: running.pointee.finalize(), byteCount: SM3.byteCount)
    huijin_digest_discard(state)
}

@c @implementation
public func huijin_digest_discard(_ state: UnsafeMutablePointer<huijin_digest_state>) {
    guard let running = sm3(state) else { return }
    running.deinitialize(count: 1)
    running.deallocate()
    state.pointee.sm3 = nil
}

@c @implementation
public func huijin_digest(
    _ algorithm: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ digest: UnsafeMutableRawPointer
) {
    var state = huijin_digest_state()
    huijin_digest_init(&state, algorithm)
    huijin_digest_update(&state, bytes, count)
    huijin_digest_final(&state, digest)
}

@c @implementation
public func huijin_digest_prefixed(
    _ algorithm: Int32, _ prefix: UInt8, _ bytes: UnsafeRawPointer?, _ count: Int,
    _ digest: UnsafeMutableRawPointer
) {
    var state = huijin_digest_state()
    huijin_digest_init(&state, algorithm)
    withUnsafeBytes(of: prefix) { huijin_digest_update(&state, $0.baseAddress, 1) }
    huijin_digest_update(&state, bytes, count)
    huijin_digest_final(&state, digest)
}

@c @implementation
public func huijin_digest_node(
    _ algorithm: Int32, _ left: UnsafeRawPointer, _ right: UnsafeRawPointer,
    _ digest: UnsafeMutableRawPointer
) {
    var state = huijin_digest_state()
    huijin_digest_init(&state, algorithm)
    withUnsafeBytes(of: UInt8(0x01)) { huijin_digest_update(&state, $0.baseAddress, 1) }
    huijin_digest_update(&state, left, Int(HUIJIN_DIGEST_BYTES))
    huijin_digest_update(&state, right, Int(HUIJIN_DIGEST_BYTES))
    huijin_digest_final(&state, digest)
}

@c @implementation
public func huijin_sm2_public_key(_ point: UnsafePointer<UInt8>) -> OpaquePointer? {
    let bytes = UnsafeBufferPointer(start: point, count: SM2PublicKey.byteCount)
    guard let key = SM2PublicKey(Array(bytes)) else { return nil }
    let held = UnsafeMutablePointer<SM2PublicKey>.allocate(capacity: 1)
    held.initialize(to: key)
    return OpaquePointer(held)
}

@c @implementation
public func huijin_sm2_verify(
    _ key: OpaquePointer, _ message: UnsafeRawPointer?, _ count: Int,
    _ signature: UnsafePointer<UInt8>
) -> Int32 {
    let bytes = UnsafeBufferPointer(start: signature, count: SM2PublicKey.signatureByteCount)
    let isValid = UnsafePointer<SM2PublicKey>(key).pointee.isValid(
        signature: Array(bytes), over: UnsafeRawBufferPointer(start: message, count: count))
    return isValid ? 1 : 0
}

@c @implementation
public func huijin_sm2_key_free(_ key: OpaquePointer?) {
    guard let key else { return }
    let held = UnsafeMutablePointer<SM2PublicKey>(key)
    held.deinitialize(count: 1)
    held.deallocate()
}

private func sha256(
    _ state: UnsafeMutablePointer<huijin_digest_state>
) -> UnsafeMutablePointer<crypto_hash_sha256_state> {
    UnsafeMutableRawPointer(state).assumingMemoryBound(to: crypto_hash_sha256_state.self)
}

private func sm3(_ state: UnsafeMutablePointer<huijin_digest_state>) -> UnsafeMutablePointer<SM3>? {
    state.pointee.sm3?.assumingMemoryBound(to: SM3.self)
}
