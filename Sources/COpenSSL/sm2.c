#include "huijin_openssl.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <string.h>

// GM/T 0009 clause 10: the signer ID where none is agreed. OpenSSL versions differ in their default, so
// it is always set.
static const char signer_id[] = "1234567812345678";

// The order n of the base point, GB/T 32918.5 clause 2.
static const uint8_t order[32] = {
    0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0x72, 0x03, 0xDF, 0x6B, 0x21, 0xC6, 0x05, 0x2B, 0x53, 0xBB, 0xF4, 0x09, 0x39, 0xD5, 0x41, 0x23,
};

static const uint8_t zero[32];

static int in_scalar_range(const uint8_t scalar[32]) {
    return memcmp(scalar, zero, 32) != 0 && memcmp(scalar, order, 32) < 0;
}

// The struct is never defined: a key *is* an EVP_PKEY, and the name keeps OpenSSL out of Swift.
static EVP_PKEY *evp(const huijin_sm2_key *key) {
    return (EVP_PKEY *)key;
}

static huijin_sm2_key *make_key(const uint8_t *point, const BIGNUM *secret) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    int ok = context != NULL && builder != NULL
        && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "SM2", 0)
        && OSSL_PARAM_BLD_push_octet_string(
            builder, OSSL_PKEY_PARAM_PUB_KEY, point, HUIJIN_SM2_POINT_BYTES)
        && (secret == NULL || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret))
        && (parameters = OSSL_PARAM_BLD_to_param(builder)) != NULL
        && EVP_PKEY_fromdata_init(context) > 0
        && EVP_PKEY_fromdata(
               context, &key, secret == NULL ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR, parameters)
            > 0;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    if (!ok) {
        EVP_PKEY_free(key);
        key = NULL;
        ERR_clear_error();
    }
    return (huijin_sm2_key *)key;
}

huijin_sm2_key *huijin_sm2_public_key(const uint8_t *point) {
    // Only the uncompressed form: OpenSSL would take the hybrid forms 0x06 and 0x07 too, and one
    // key must have one encoding. The import refuses coordinates >= p and points off the curve.
    if (point[0] != 0x04) {
        return NULL;
    }
    return make_key(point, NULL);
}

huijin_sm2_key *huijin_sm2_private_key(const uint8_t *secret, uint8_t *point) {
    uint8_t limit[32];
    memcpy(limit, order, 32);
    limit[31] -= 1;  // d is in [1, n-2]: signing inverts 1 + d
    if (!in_scalar_range(secret) || memcmp(secret, limit, 32) >= 0) {
        return NULL;
    }
    huijin_sm2_key *key = NULL;
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_sm2);
    EC_POINT *public_point = group == NULL ? NULL : EC_POINT_new(group);
    BIGNUM *scalar = BN_secure_new();
    if (public_point != NULL && scalar != NULL && BN_bin2bn(secret, 32, scalar) != NULL) {
        BN_set_flags(scalar, BN_FLG_CONSTTIME);
        if (EC_POINT_mul(group, public_point, scalar, NULL, NULL, NULL)
            && EC_POINT_point2oct(
                   group, public_point, POINT_CONVERSION_UNCOMPRESSED, point,
                   HUIJIN_SM2_POINT_BYTES, NULL)
                == HUIJIN_SM2_POINT_BYTES) {
            key = make_key(point, scalar);
        }
    }
    BN_clear_free(scalar);
    EC_POINT_free(public_point);
    EC_GROUP_free(group);
    if (key == NULL) {
        ERR_clear_error();
    }
    return key;
}

void huijin_sm2_key_free(huijin_sm2_key *key) {
    EVP_PKEY_free(evp(key));
}

// Writes one DER INTEGER of a 32-byte big-endian scalar; returns its length (at most 35).
static size_t der_integer(uint8_t *output, const uint8_t scalar[32]) {
    size_t start = 0;
    while (start < 31 && scalar[start] == 0) {
        start += 1;
    }
    size_t pad = scalar[start] >= 0x80 ? 1 : 0;
    size_t count = 32 - start;
    output[0] = 0x02;
    output[1] = (uint8_t)(count + pad);
    output[2] = 0;
    memcpy(output + 2 + pad, scalar + start, count);
    return 2 + pad + count;
}

static EVP_PKEY_CTX *signing_context(const huijin_sm2_key *key, EVP_MD_CTX *digest) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, evp(key), NULL);
    if (context == NULL || EVP_PKEY_CTX_set1_id(context, signer_id, sizeof signer_id - 1) <= 0) {
        EVP_PKEY_CTX_free(context);
        return NULL;
    }
    EVP_MD_CTX_set_pkey_ctx(digest, context);
    return context;
}

int huijin_sm2_sign(
    const huijin_sm2_key *key, const void *message, size_t count, uint8_t *signature) {
    uint8_t der[80];
    size_t der_count = sizeof der;
    ECDSA_SIG *parsed = NULL;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_PKEY_CTX *context = digest == NULL ? NULL : signing_context(key, digest);
    int ok = context != NULL
        && EVP_DigestSignInit(digest, NULL, EVP_sm3(), NULL, evp(key)) > 0
        && EVP_DigestSign(digest, der, &der_count, message, count) > 0;
    if (ok) {
        const unsigned char *cursor = der;
        parsed = d2i_ECDSA_SIG(NULL, &cursor, (long)der_count);
        ok = parsed != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(parsed), signature, 32) == 32
            && BN_bn2binpad(ECDSA_SIG_get0_s(parsed), signature + 32, 32) == 32;
    }
    ECDSA_SIG_free(parsed);
    EVP_MD_CTX_free(digest);
    EVP_PKEY_CTX_free(context);
    if (!ok) {
        ERR_clear_error();
    }
    return ok;
}

int huijin_sm2_verify(
    const huijin_sm2_key *key, const void *message, size_t count, const uint8_t *signature) {
    if (!in_scalar_range(signature) || !in_scalar_range(signature + 32)) {
        return 0;
    }
    uint8_t der[2 + 2 * 35];
    size_t body = der_integer(der + 2, signature);
    body += der_integer(der + 2 + body, signature + 32);
    der[0] = 0x30;
    der[1] = (uint8_t)body;

    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_PKEY_CTX *context = digest == NULL ? NULL : signing_context(key, digest);
    int ok = context != NULL
        && EVP_DigestVerifyInit(digest, NULL, EVP_sm3(), NULL, evp(key)) > 0
        && EVP_DigestVerify(digest, der, body + 2, message, count) == 1;
    EVP_MD_CTX_free(digest);
    EVP_PKEY_CTX_free(context);
    if (!ok) {
        ERR_clear_error();
    }
    return ok;
}

int huijin_sm2_encrypt(
    const huijin_sm2_key *key, const void *plain, size_t count, uint8_t *output,
    size_t *output_count) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, evp(key), NULL);
    int ok = context != NULL && EVP_PKEY_encrypt_init(context) > 0
        && EVP_PKEY_encrypt(context, output, output_count, plain, count) > 0;
    EVP_PKEY_CTX_free(context);
    if (!ok) {
        ERR_clear_error();
    }
    return ok;
}

int huijin_sm2_decrypt(
    const huijin_sm2_key *key, const void *cipher, size_t count, uint8_t *output,
    size_t *output_count) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, evp(key), NULL);
    size_t needed = 0;
    int ok = context != NULL && EVP_PKEY_decrypt_init(context) > 0
        && EVP_PKEY_decrypt(context, NULL, &needed, cipher, count) > 0
        && needed <= *output_count
        && EVP_PKEY_decrypt(context, output, output_count, cipher, count) > 0;
    EVP_PKEY_CTX_free(context);
    if (!ok) {
        ERR_clear_error();
    }
    return ok;
}
