#include "huijin_openssl.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>

int huijin_hmac_sm3(
    const void *key, size_t key_count, const void *bytes, size_t count, void *tag) {
    size_t written = 0;
    unsigned char *result = EVP_Q_mac(
        NULL, "HMAC", NULL, "SM3", NULL, key, key_count, bytes, count, tag, HUIJIN_DIGEST_BYTES,
        &written);
    if (result == NULL || written != HUIJIN_DIGEST_BYTES) {
        ERR_clear_error();
        return 0;
    }
    return 1;
}

int huijin_sm4_ctr(
    const uint8_t *key, const uint8_t *counter, const void *input, size_t count, void *output) {
    if (count > INT_MAX) {
        return 0;
    }
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;
    int ok = context != NULL
        && EVP_EncryptInit_ex(context, EVP_sm4_ctr(), NULL, key, counter)
        && (count == 0 || EVP_EncryptUpdate(context, output, &written, input, (int)count))
        && (size_t)written == count;
    EVP_CIPHER_CTX_free(context);
    if (!ok) {
        ERR_clear_error();
    }
    return ok;
}
