// What the two halves of the simulated disk share: simdisk.c keeps contents, simdisk_vfs.c is SQLite's view of them.
#ifndef HUIJIN_SIMDISK_INTERNAL_H
#define HUIJIN_SIMDISK_INTERNAL_H

#include <stddef.h>

#include "simdisk.h"

enum { FILES_MAX = 8, NAME_BYTES_MAX = 48, FOLDER_BYTES_MAX = 24 };

typedef struct image {
    uint8_t *bytes;
    size_t size;
    size_t room;
} image;

// A write or truncation since the last sync; its bytes are in the file's `payload`.
typedef struct operation {
    size_t offset;
    size_t length;
    size_t payload;
    int is_truncation;
} operation;

typedef struct file {
    char name[NAME_BYTES_MAX];
    // What the system's cache shows, and what is on the platter.
    image cache;
    image stored;
    operation *operations;
    size_t count;
    size_t count_room;
    image payload;
    // In the directory as the system shows it, and as it is on the platter.
    int is_linked;
    int is_linked_stored;
    int shared;
    int reserved;
} file;

struct simdisk {
    char folder[FOLDER_BYTES_MAX];
    uint64_t random;
    uint32_t sector;
    int64_t operations_left;
    int is_dead;
    int is_lying;
    uint64_t life;
    int references;
    simdisk_counts counts;
    file files[FILES_MAX];
    simdisk *next;
};

// Each returns 0 where memory ran out.
int simdisk_resize(image *image, size_t size);
int simdisk_put(image *image, size_t offset, const uint8_t *bytes, size_t length);
// Notes an unsynced operation.
int simdisk_remember(file *file, operation operation, const uint8_t *bytes);
// Puts the unsynced operations on the platter.
int simdisk_store(file *file);

void simdisk_forget(file *file);
void simdisk_store_folder(simdisk *disk);
file *simdisk_file(simdisk *disk, const char *name);
// NULL where the disk has no room for another file.
file *simdisk_make_file(simdisk *disk, const char *name);
// The disk whose folder a path begins with, and the name after it.
simdisk *simdisk_find(const char *path, const char **name);
void simdisk_drop(simdisk *disk);

#endif
