#include "simdisk_internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static simdisk *registry = NULL;
static uint64_t next_number = 1;

static uint64_t draw(simdisk *disk) {
    uint64_t mixed = (disk->random += 0x9E3779B97F4A7C15u);
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
}

// MARK: Images

static int reserve(image *image, size_t size) {
    if (size <= image->room) return 1;
    size_t room = image->room ? image->room : 4096;
    while (room < size) room *= 2;
    uint8_t *bytes = realloc(image->bytes, room);
    if (!bytes) return 0;
    image->bytes = bytes;
    image->room = room;
    return 1;
}

int simdisk_resize(image *image, size_t size) {
    if (!reserve(image, size)) return 0;
    if (size > image->size) memset(image->bytes + image->size, 0, size - image->size);
    image->size = size;
    return 1;
}

int simdisk_put(image *image, size_t offset, const uint8_t *bytes, size_t length) {
    if (offset + length > image->size && !simdisk_resize(image, offset + length)) return 0;
    if (length) memcpy(image->bytes + offset, bytes, length);
    return 1;
}

static int assign(image *to, const image *from) {
    if (!reserve(to, from->size)) return 0;
    if (from->size) memcpy(to->bytes, from->bytes, from->size);
    to->size = from->size;
    return 1;
}

void simdisk_forget(file *file) {
    file->count = 0;
    file->payload.size = 0;
}

int simdisk_remember(file *file, operation operation, const uint8_t *bytes) {
    if (file->count == file->count_room) {
        size_t room = file->count_room ? 2 * file->count_room : 64;
        void *grown = realloc(file->operations, room * sizeof operation);
        if (!grown) return 0;
        file->operations = grown;
        file->count_room = room;
    }
    operation.payload = file->payload.size;
    if (!operation.is_truncation && !simdisk_put(&file->payload, file->payload.size, bytes, operation.length))
        return 0;
    file->operations[file->count++] = operation;
    return 1;
}

// Puts the unsynced operations on the platter.
int simdisk_store(file *file) {
    for (size_t index = 0; index < file->count; index++) {
        operation *next = &file->operations[index];
        int is_done = next->is_truncation
            ? simdisk_resize(&file->stored, next->offset)
            : simdisk_put(&file->stored, next->offset, file->payload.bytes + next->payload, next->length);
        if (!is_done) return 0;
    }
    simdisk_forget(file);
    return 1;
}

void simdisk_store_folder(simdisk *disk) {
    for (int index = 0; index < FILES_MAX; index++)
        disk->files[index].is_linked_stored = disk->files[index].is_linked;
}

// MARK: Power cuts

// Which of the unsynced operations survive.
enum { KEEP_NONE, KEEP_ALL, KEEP_FIRST, KEEP_SOME, KEEP_SECTORS, KEEP_WAYS };

static void keep_sectors(simdisk *disk, file *file, const operation *operation) {
    int kept = 0;
    int lost = 0;
    size_t at = 0;
    while (at < operation->length) {
        size_t offset = operation->offset + at;
        size_t length = disk->sector - offset % disk->sector;
        if (length > operation->length - at) length = operation->length - at;
        if (draw(disk) & 1) {
            simdisk_put(&file->stored, offset, file->payload.bytes + operation->payload + at, length);
            kept++;
        } else {
            lost++;
        }
        at += length;
    }
    if (!kept) disk->counts.lost++;
    if (kept && lost) disk->counts.torn++;
}

static void lose_power(simdisk *disk, file *file, int way) {
    size_t first = file->count ? draw(disk) % (file->count + 1) : 0;
    for (size_t index = 0; index < file->count; index++) {
        operation *next = &file->operations[index];
        int is_kept = 1;
        switch (way) {
            case KEEP_NONE: is_kept = 0; break;
            case KEEP_ALL: break;
            case KEEP_FIRST: is_kept = index < first; break;
            case KEEP_SOME: is_kept = draw(disk) & 1; break;
            default:
                if (!next->is_truncation) {
                    keep_sectors(disk, file, next);
                    continue;
                }
                is_kept = draw(disk) & 1;
        }
        if (!is_kept) {
            disk->counts.lost++;
        } else if (next->is_truncation) {
            simdisk_resize(&file->stored, next->offset);
        } else {
            simdisk_put(&file->stored, next->offset, file->payload.bytes + next->payload, next->length);
        }
    }
    simdisk_forget(file);
}

void simdisk_cut(simdisk *disk, int is_power_cut) {
    disk->life++;
    disk->is_dead = 0;
    disk->operations_left = -1;
    int way = (int)(draw(disk) % KEEP_WAYS);
    for (int index = 0; index < FILES_MAX; index++) {
        file *file = &disk->files[index];
        file->shared = 0;
        file->reserved = 0;
        if (!is_power_cut) continue;
        lose_power(disk, file, way);
        if (file->is_linked != file->is_linked_stored) {
            int is_lost = way == KEEP_NONE || (way != KEEP_ALL && (draw(disk) & 1));
            file->is_linked = is_lost ? file->is_linked_stored : file->is_linked;
            file->is_linked_stored = file->is_linked;
        }
        if (!file->is_linked) file->stored.size = 0;
        assign(&file->cache, &file->stored);
    }
}

void simdisk_wipe(simdisk *disk) {
    for (int index = 0; index < FILES_MAX; index++) {
        file *file = &disk->files[index];
        simdisk_forget(file);
        file->cache.size = 0;
        file->stored.size = 0;
        file->is_linked = 0;
        file->is_linked_stored = 0;
    }
}

int simdisk_rot(simdisk *disk) {
    size_t total = 0;
    for (int index = 0; index < FILES_MAX; index++) total += disk->files[index].stored.size;
    if (total == 0) return 0;
    size_t at = draw(disk) % total;
    uint8_t bit = (uint8_t)(1u << (draw(disk) % 8));
    for (int index = 0; index < FILES_MAX; index++) {
        file *file = &disk->files[index];
        if (at >= file->stored.size) {
            at -= file->stored.size;
            continue;
        }
        file->stored.bytes[at] ^= bit;
        if (at < file->cache.size) file->cache.bytes[at] ^= bit;
        return 1;
    }
    return 0;
}

// MARK: Finding

// The disk whose folder a path begins with, and the name after it.
simdisk *simdisk_find(const char *path, const char **name) {
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!slash || strlen(slash + 1) >= NAME_BYTES_MAX) return NULL;
    *name = slash + 1;
    size_t length = (size_t)(slash - path);
    pthread_mutex_lock(&registry_lock);
    simdisk *disk = registry;
    while (disk && (strlen(disk->folder) != length || memcmp(disk->folder, path, length)))
        disk = disk->next;
    pthread_mutex_unlock(&registry_lock);
    return disk;
}

file *simdisk_file(simdisk *disk, const char *name) {
    for (int index = 0; index < FILES_MAX; index++)
        if (!strcmp(disk->files[index].name, name)) return &disk->files[index];
    return NULL;
}

file *simdisk_make_file(simdisk *disk, const char *name) {
    for (int index = 0; index < FILES_MAX; index++) {
        file *file = &disk->files[index];
        if (file->name[0] && strcmp(file->name, name)) continue;
        snprintf(file->name, sizeof file->name, "%s", name);
        return file;
    }
    return NULL;
}

// MARK: Disks

simdisk *simdisk_new(uint64_t seed, uint32_t sector) {
    simdisk *disk = calloc(1, sizeof *disk);
    if (!disk) return NULL;
    disk->random = seed;
    disk->sector = sector;
    disk->operations_left = -1;
    disk->references = 1;
    pthread_mutex_lock(&registry_lock);
    snprintf(
        disk->folder, sizeof disk->folder, "/%llx", (unsigned long long)next_number++);
    disk->next = registry;
    registry = disk;
    pthread_mutex_unlock(&registry_lock);
    return disk;
}

void simdisk_drop(simdisk *disk) {
    if (--disk->references > 0) return;
    pthread_mutex_lock(&registry_lock);
    simdisk **link = &registry;
    while (*link != disk) link = &(*link)->next;
    *link = disk->next;
    pthread_mutex_unlock(&registry_lock);
    for (int index = 0; index < FILES_MAX; index++) {
        free(disk->files[index].cache.bytes);
        free(disk->files[index].stored.bytes);
        free(disk->files[index].payload.bytes);
        free(disk->files[index].operations);
    }
    free(disk);
}

void simdisk_release(simdisk *disk) { simdisk_drop(disk); }

const char *simdisk_folder(const simdisk *disk) { return disk->folder; }

int simdisk_copy(simdisk *to, const simdisk *from) {
    simdisk_wipe(to);
    for (int index = 0; index < FILES_MAX; index++) {
        const file *source = &from->files[index];
        if (!source->is_linked_stored) continue;
        file *copy = simdisk_make_file(to, source->name);
        if (!copy || !assign(&copy->stored, &source->stored)
            || !assign(&copy->cache, &source->stored))
            return 0;
        copy->is_linked = 1;
        copy->is_linked_stored = 1;
    }
    return 1;
}

void simdisk_arm(simdisk *disk, int64_t operations) { disk->operations_left = operations; }

int simdisk_is_dead(const simdisk *disk) { return disk->is_dead; }

void simdisk_set_lying(simdisk *disk, int is_lying) { disk->is_lying = is_lying; }

simdisk_counts simdisk_get_counts(const simdisk *disk) { return disk->counts; }
