/* libhuijin_verify: what `huijin-verify` decides, for programs in other languages. It reads no files, asks nobody and
 * keeps nothing; any thread may call it.
 *
 * `make library` builds .build/release/libhuijin_verify.so; it needs libcrypto 3 and libsodium, and the Swift runtime is inside.
 */
#ifndef HUIJIN_VERIFY_H
#define HUIJIN_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What huijin_verify returns. */
#define HUIJIN_PROVEN 0       /* 已证明 */
#define HUIJIN_PROVEN_FALSE 1 /* 证明为假 */
#define HUIJIN_NOT_PROVEN 2   /* 未获证明, or cannot be trusted yet 暂不可信 */
#define HUIJIN_MISUSE 64      /* arguments that cannot be: a null pointer, a size below 0, no genesis, no such format */

#define HUIJIN_JSON 0 /* one JSON object, UTF-8 */
#define HUIJIN_TEXT 1 /* lines in English and Chinese, UTF-8 */
#define HUIJIN_BOTH 2 /* the JSON, which has no line feed in it, a line feed, and the lines */

/* Decides whether the bundle proves its answers on the ledger of that genesis. A bundle brings its own questions: the caller compares
 * them, in the report, with those in mind.
 *
 * genesis  genesis.cbor, at most 4 MiB
 * bundle   the evidence bundle, at most 256 MiB
 * format   HUIJIN_JSON, HUIJIN_TEXT or HUIJIN_BOTH
 * report   null, or where to put the report, which huijin_release frees; null is put there when memory is short
 */
int32_t huijin_verify(const uint8_t *genesis, ptrdiff_t genesis_bytes, const uint8_t *bundle,
                      ptrdiff_t bundle_bytes, int32_t format, char **report);

/* Frees a report; null is allowed. */
void huijin_release(char *report);

#ifdef __cplusplus
}
#endif
#endif
