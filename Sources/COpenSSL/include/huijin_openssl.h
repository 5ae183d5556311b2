// What Huijin uses of OpenSSL's libcrypto: SHA-256, SM3, SM2, SM4-CTR and HMAC-SM3.
//
// OpenSSL's own headers stay out of this one, so that Swift sees only these functions and all
// OpenSSL state is made, kept and freed in C. Every `int` result is 1 for success, 0 for failure.
#ifndef HUIJIN_OPENSSL_H
#define HUIJIN_OPENSSL_H

#include <stddef.h>
#include <stdint.h>

#define HUIJIN_SHA256 1
#define HUIJIN_SM3 2
#define HUIJIN_DIGEST_BYTES 32

// A running digest. SHA-256 lives wholly in `sha256`; SM3 borrows a context from a per-thread
// pool, which `huijin_digest_final` or `huijin_digest_discard` gives back (from any thread).
typedef struct {
    uint64_t sha256[14];
    void *_Nullable sm3;
} huijin_digest_state;

void huijin_digest_init(huijin_digest_state *_Nonnull state, int algorithm);
void huijin_digest_update(
    huijin_digest_state *_Nonnull state, const void *_Nullable bytes, size_t count);
void huijin_digest_final(huijin_digest_state *_Nonnull state, void *_Nonnull digest);
void huijin_digest_discard(huijin_digest_state *_Nonnull state);

// H(bytes), H(prefix || bytes) and H(0x01 || left || right). SHA-256 uses no heap; for SM3,
// OpenSSL 3.0 allocates its inner state anew (once) for each digest.
void huijin_digest(
    int algorithm, const void *_Nullable bytes, size_t count, void *_Nonnull digest);
void huijin_digest_prefixed(
    int algorithm, uint8_t prefix, const void *_Nullable bytes, size_t count,
    void *_Nonnull digest);
void huijin_digest_node(
    int algorithm, const void *_Nonnull left, const void *_Nonnull right, void *_Nonnull digest);

// HMAC-SM3 (GB/T 15852.2), 32 bytes out.
int huijin_hmac_sm3(
    const void *_Nonnull key, size_t key_count, const void *_Nullable bytes, size_t count,
    void *_Nonnull tag);

// SM4 in counter mode (GB/T 17964); encrypts and decrypts. `output` has room for `count` bytes.
int huijin_sm4_ctr(
    const uint8_t *_Nonnull key, const uint8_t *_Nonnull counter, const void *_Nullable input,
    size_t count, void *_Nullable output);

// SM2 (GB/T 32918). A key is immutable once made and may be used by several threads at once.
typedef struct huijin_sm2_key huijin_sm2_key;

#define HUIJIN_SM2_POINT_BYTES 65
#define HUIJIN_SM2_SECRET_BYTES 32
#define HUIJIN_SM2_SIGNATURE_BYTES 64
// A ciphertext is DER (GM/T 0009 7.2) and at most this much longer than its plaintext.
#define HUIJIN_SM2_CIPHERTEXT_OVERHEAD 128

// `point` is 0x04 || X || Y; null unless X, Y < p and the point is on the curve.
huijin_sm2_key *_Nullable huijin_sm2_public_key(const uint8_t *_Nonnull point);
// `secret` is d, big-endian, in [1, n-2]; null otherwise. Writes the public point.
huijin_sm2_key *_Nullable huijin_sm2_private_key(
    const uint8_t *_Nonnull secret, uint8_t *_Nonnull point);
void huijin_sm2_key_free(huijin_sm2_key *_Nullable key);

// Signatures are r || s, 32 bytes big-endian each, both in [1, n-1]; signer ID 1234567812345678.
int huijin_sm2_sign(
    const huijin_sm2_key *_Nonnull key, const void *_Nullable message, size_t count,
    uint8_t *_Nonnull signature);
int huijin_sm2_verify(
    const huijin_sm2_key *_Nonnull key, const void *_Nullable message, size_t count,
    const uint8_t *_Nonnull signature);

// `*output_count` is the room on entry and the length on success.
int huijin_sm2_encrypt(
    const huijin_sm2_key *_Nonnull key, const void *_Nonnull plain, size_t count,
    uint8_t *_Nonnull output, size_t *_Nonnull output_count);
int huijin_sm2_decrypt(
    const huijin_sm2_key *_Nonnull key, const void *_Nonnull cipher, size_t count,
    uint8_t *_Nonnull output, size_t *_Nonnull output_count);

#endif
