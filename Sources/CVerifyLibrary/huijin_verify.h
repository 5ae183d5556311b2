/* libhuijin_verify: what `huijin-verify` decides, for programs in other languages. It reads no files, asks nobody and
 * keeps nothing; any thread with 256 KiB of stack may call it.
 *
 * `make library` builds out/libhuijin_verify.so; it needs libcrypto 3 and libsodium, and the Swift runtime is inside.
 */
#ifndef HUIJIN_VERIFY_H
#define HUIJIN_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What huijin_verify returns: the exit codes of `huijin-verify`. */
#define HUIJIN_PROVEN 0       /* 已证明: what the report says, which may be that something was not so (no such record, a licence that
                               * was not live, a role that was not held): read the answer before acting on it */
#define HUIJIN_PROVEN_FALSE 1 /* 证明为假 */
#define HUIJIN_NOT_PROVEN 2   /* 未获证明, or cannot be trusted yet 暂不可信 */
#define HUIJIN_FORK 3         /* two histories 两份历史: the bundle contradicts what is trusted or what a witness saw */
#define HUIJIN_MISUSE 64      /* arguments that cannot be, which the report names: also where `huijin-verify` ends with 66 */

#define HUIJIN_JSON 0 /* one JSON object, UTF-8 */
#define HUIJIN_TEXT 1 /* lines in English and Chinese, UTF-8 */
#define HUIJIN_BOTH 2 /* the JSON, which has no line feed in it, a line feed, and the lines */

/* What a caller brings, as the options of `huijin-verify`: questions and witnesses as often as wanted, of the others one each at
 * most, HUIJIN_PARTS_MAX in all. Texts are UTF-8, of 4,096 bytes at most. */
#define HUIJIN_PARTS_MAX 512
#define HUIJIN_GENESIS 1    /* genesis.cbor, at most 4 MiB; always */
#define HUIJIN_BUNDLE 2     /* the evidence bundle, at most 256 MiB; always */
#define HUIJIN_EXPECTED 3   /* a question in the words of `huijin audit` that the bundle must answer */
#define HUIJIN_CHECKPOINT 4 /* a checkpoint file, at most 128 KiB: trust starts at its header instead of the genesis */
#define HUIJIN_ACCEPTED 5   /* the digest of that header in 64 lower-case hexadecimal digits, known from somebody who is believed; with it */
#define HUIJIN_TRUST 6      /* what an earlier call gave to be kept, at most 64 MiB: the bundle is followed. No bytes the first
                             * time, and only then: with them nothing is compared with what was trusted before */
#define HUIJIN_NOTE 7       /* a checkpoint that witnesses cosigned (c2sp.org/tlog-checkpoint), at most 128 KiB */
#define HUIJIN_WITNESS 8    /* a witness's verifier key (c2sp.org/signed-note); with it, up to 16 of them */

typedef struct {
  int32_t kind;
  const uint8_t *start; /* may be null where count is 0 */
  ptrdiff_t count;      /* bytes */
} huijin_part;

/* What huijin_release frees. What is not there is null, for want of memory too. */
typedef struct {
  char *report; /* ended by a zero byte */
  /* After HUIJIN_PROVEN with HUIJIN_TRUST: what is trusted from now on, for the next call. After HUIJIN_FORK, unless a witness
   * saw it: the evidence, which `huijin-verify fork` and others judge. What was trusted stays as it was, and the next call knows
   * nothing of the fork: as long as people have not settled which history is true, the caller proves nothing with that trust,
   * unless the JSON says "byEndedKeys": true. */
  uint8_t *kept;
  ptrdiff_t kept_count;
} huijin_result;

/* Decides whether the bundle proves its answers on the ledger of that genesis. A bundle brings its own questions: name the ones
 * that are meant (HUIJIN_EXPECTED), or compare them in the report.
 *
 * now_ms  milliseconds of Unix time: with HUIJIN_TRUST, HUIJIN_CHECKPOINT and HUIJIN_NOTE, what is later by more than 10 s cannot be trusted yet
 * format  HUIJIN_JSON, HUIJIN_TEXT or HUIJIN_BOTH
 * result  where to put what comes of it; what was in it is not freed. Null is HUIJIN_MISUSE
 */
int32_t huijin_verify(const huijin_part *parts, ptrdiff_t part_count, uint64_t now_ms, int32_t format,
                      huijin_result *result);

/* Frees what is in a result, which is empty then. */
void huijin_release(huijin_result *result);

#ifdef __cplusplus
}
#endif
#endif
