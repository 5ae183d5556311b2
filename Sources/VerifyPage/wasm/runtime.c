// What Swift and libsodium ask of a C library, and memory, in a page that has none.
//
// A block is a header of 16 bytes and the room after it. Its size is one of four to each doubling, and freed blocks
// wait in a list of their size; nothing is given back before the instance goes. When the memory's limit
// (build.py) is reached, or the room asked for is absurd, the instance traps: the page then shows an error.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HEADER_BYTES 16
#define CLASS_COUNT 128
#define PAGE_BYTES 65536u

typedef struct block {
    uint32_t class;
    struct block *next;
    uint64_t padding;
} block;
_Static_assert(sizeof(block) == HEADER_BYTES, "blocks stay aligned to 16 bytes");

extern unsigned char __heap_base;
static uintptr_t top;
static block *freed[CLASS_COUNT];

// The smallest class whose size holds `bytes`; sizes are (4 + class % 4) << (class / 4 + 2): 16, 20, 24, 28, 32 …
static uint32_t class_of(size_t bytes) {
    if (bytes <= 16) {
        return 0;
    }
    uint32_t shift = 29 - (uint32_t)__builtin_clz((uint32_t)bytes - 1);
    return (shift - 2) * 4 + (uint32_t)((bytes - 1) >> shift) - 3;
}

static size_t size_of(uint32_t class) {
    size_t size = (size_t)(4 + class % 4) << (class / 4 + 2);
    return (size + 15) & ~(size_t)15;
}

void *malloc(size_t bytes) {
    if (bytes > 0x40000000u) {
        __builtin_trap();
    }
    uint32_t class = class_of(bytes);
    block *found = freed[class];
    if (found != NULL) {
        freed[class] = found->next;
        return found + 1;
    }
    if (top == 0) {
        top = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
    }
    uint64_t end = (uint64_t)top + HEADER_BYTES + size_of(class);
    uint64_t present = (uint64_t)__builtin_wasm_memory_size(0) * PAGE_BYTES;
    if (end > present) {
        size_t more = (size_t)((end - present + PAGE_BYTES - 1) / PAGE_BYTES);
        if (__builtin_wasm_memory_grow(0, more) == SIZE_MAX) {
            __builtin_trap();
        }
    }
    found = (block *)top;
    top = (uintptr_t)end;
    found->class = class;
    return found + 1;
}

void free(void *room) {
    if (room == NULL) {
        return;
    }
    block *given = (block *)room - 1;
    given->next = freed[given->class];
    freed[given->class] = given;
}

int posix_memalign(void **room, size_t alignment, size_t bytes) {
    if (alignment > 16) {
        __builtin_trap();
    }
    *room = malloc(bytes);
    return 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    return __builtin_memcpy(to, from, count);
}

void *memmove(void *to, const void *from, size_t count) {
    return __builtin_memmove(to, from, count);
}

void *memset(void *to, int byte, size_t count) {
    return __builtin_memset(to, byte, count);
}

int memcmp(const void *left, const void *right, size_t count) {
    const unsigned char *one = left, *other = right;
    for (size_t index = 0; index < count; index++) {
        if (one[index] != other[index]) {
            return one[index] < other[index] ? -1 : 1;
        }
    }
    return 0;
}

size_t strlen(const char *text) {
    size_t count = 0;
    while (text[count] != 0) {
        count++;
    }
    return count;
}

char *strdup(const char *text) {
    size_t count = strlen(text) + 1;
    return memcpy(malloc(count), text, count);
}

// The seed of Swift's hash tables. A fixed one: the verifier keeps none that others could fill with collisions.
void arc4random_buf(void *bytes, size_t count) {
    memset(bytes, 0x5A, count);
}

// libsodium's start looks for randomness and for the processor's features; verification needs neither.
int sodium_init(void) {
    return 0;
}

void sodium_memzero(void *bytes, size_t count) {
    memset(bytes, 0, count);
}

int sodium_memcmp(const void *left, const void *right, size_t count) {
    return memcmp(left, right, count) == 0 ? 0 : -1;
}

int sodium_is_zero(const unsigned char *bytes, size_t count) {
    unsigned char any = 0;
    for (size_t index = 0; index < count; index++) {
        any |= bytes[index];
    }
    return any == 0;
}

// The product modulo 2^128, which the compiler asks for where a product of 64 bits is checked for overflow.
__int128 __multi3(__int128 left, __int128 right) {
    uint64_t l = (uint64_t)left, r = (uint64_t)right;
    uint64_t l0 = (uint32_t)l, l1 = l >> 32, r0 = (uint32_t)r, r1 = r >> 32;
    uint64_t low = l0 * r0;
    uint64_t middle = l1 * r0 + (low >> 32);
    uint64_t other = l0 * r1 + (uint32_t)middle;
    uint64_t high = l1 * r1 + (middle >> 32) + (other >> 32);
    high += l * (uint64_t)((unsigned __int128)right >> 64);
    high += r * (uint64_t)((unsigned __int128)left >> 64);
    return (__int128)((unsigned __int128)high << 64 | (other << 32 | (uint32_t)low));
}
