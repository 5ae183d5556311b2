#include "simdisk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 8, NAME_BYTES_MAX = 48, FOLDER_BYTES_MAX = 24 };
enum { HELD_NONE = 0, HELD_SHARED = 1, HELD_RESERVED = 2, HELD_PENDING = 3, HELD_EXCLUSIVE = 4 };

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

typedef struct handle {
    sqlite3_file base;
    simdisk *disk;
    file *file;
    uint64_t life;
    int lock;
    // The directory's entry is synced with the file's first sync.
    int syncs_folder;
    int deletes_on_close;
} handle;

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

static int resize(image *image, size_t size) {
    if (!reserve(image, size)) return 0;
    if (size > image->size) memset(image->bytes + image->size, 0, size - image->size);
    image->size = size;
    return 1;
}

static int put(image *image, size_t offset, const uint8_t *bytes, size_t length) {
    if (offset + length > image->size && !resize(image, offset + length)) return 0;
    if (length) memcpy(image->bytes + offset, bytes, length);
    return 1;
}

static int assign(image *to, const image *from) {
    if (!reserve(to, from->size)) return 0;
    if (from->size) memcpy(to->bytes, from->bytes, from->size);
    to->size = from->size;
    return 1;
}

static void forget(file *file) {
    file->count = 0;
    file->payload.size = 0;
}

static int remember(file *file, operation operation, const uint8_t *bytes) {
    if (file->count == file->count_room) {
        size_t room = file->count_room ? 2 * file->count_room : 64;
        void *grown = realloc(file->operations, room * sizeof operation);
        if (!grown) return 0;
        file->operations = grown;
        file->count_room = room;
    }
    operation.payload = file->payload.size;
    if (!operation.is_truncation && !put(&file->payload, file->payload.size, bytes, operation.length))
        return 0;
    file->operations[file->count++] = operation;
    return 1;
}

// Puts the unsynced operations on the platter.
static int store(file *file) {
    for (size_t index = 0; index < file->count; index++) {
        operation *next = &file->operations[index];
        int is_done = next->is_truncation
            ? resize(&file->stored, next->offset)
            : put(&file->stored, next->offset, file->payload.bytes + next->payload, next->length);
        if (!is_done) return 0;
    }
    forget(file);
    return 1;
}

static void store_folder(simdisk *disk) {
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
            put(&file->stored, offset, file->payload.bytes + operation->payload + at, length);
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
            resize(&file->stored, next->offset);
        } else {
            put(&file->stored, next->offset, file->payload.bytes + next->payload, next->length);
        }
    }
    forget(file);
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
        forget(file);
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

// MARK: Files

// One more operation: whether the disk still does it.
static int is_alive(handle *handle) {
    simdisk *disk = handle->disk;
    if (handle->life != disk->life || disk->is_dead) return 0;
    if (disk->operations_left < 0) return 1;
    if (disk->operations_left == 0) disk->is_dead = 1;
    disk->operations_left--;
    return 1;
}

static int can_read(handle *handle) {
    return handle->life == handle->disk->life && !handle->disk->is_dead;
}

static int file_read(sqlite3_file *base, void *into, int length, sqlite3_int64 offset) {
    handle *self = (handle *)base;
    if (!can_read(self)) return SQLITE_IOERR_READ;
    const image *cache = &self->file->cache;
    size_t at = (size_t)offset;
    size_t wanted = (size_t)length;
    size_t there = at >= cache->size ? 0 : cache->size - at;
    if (there > wanted) there = wanted;
    if (there) memcpy(into, cache->bytes + at, there);
    if (there == wanted) return SQLITE_OK;
    memset((uint8_t *)into + there, 0, wanted - there);
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *from, int length, sqlite3_int64 offset) {
    handle *self = (handle *)base;
    if (!is_alive(self)) return SQLITE_IOERR_WRITE;
    self->disk->counts.writes++;
    operation operation = {(size_t)offset, (size_t)length, 0, 0};
    if (!remember(self->file, operation, from)
        || !put(&self->file->cache, operation.offset, from, operation.length))
        return SQLITE_IOERR_NOMEM;
    // The power went during this write: a part of it may stay, and nobody was told.
    return self->disk->is_dead ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    handle *self = (handle *)base;
    if (!is_alive(self)) return SQLITE_IOERR_TRUNCATE;
    operation operation = {(size_t)size, 0, 0, 1};
    if (!remember(self->file, operation, NULL) || !resize(&self->file->cache, operation.offset))
        return SQLITE_IOERR_NOMEM;
    return self->disk->is_dead ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags) {
    (void)flags;
    handle *self = (handle *)base;
    simdisk *disk = self->disk;
    if (!is_alive(self) || disk->is_dead) return SQLITE_IOERR_FSYNC;
    disk->counts.syncs++;
    if (disk->is_lying) {
        disk->counts.lies++;
        return SQLITE_OK;
    }
    if (!store(self->file)) return SQLITE_IOERR_NOMEM;
    self->file->is_linked_stored = self->file->is_linked;
    if (self->syncs_folder) store_folder(disk);
    self->syncs_folder = 0;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size) {
    handle *self = (handle *)base;
    if (!can_read(self)) return SQLITE_IOERR_FSTAT;
    *size = (sqlite3_int64)self->file->cache.size;
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *base, int level) {
    handle *self = (handle *)base;
    if (self->life == self->disk->life) {
        if (self->lock >= HELD_RESERVED && level < HELD_RESERVED) self->file->reserved--;
        if (self->lock >= HELD_SHARED && level < HELD_SHARED) self->file->shared--;
    }
    self->lock = level;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level) {
    handle *self = (handle *)base;
    if (!can_read(self)) return SQLITE_IOERR_LOCK;
    if (level <= self->lock) return SQLITE_OK;
    file *file = self->file;
    int others = file->shared - (self->lock >= HELD_SHARED);
    int writers = file->reserved - (self->lock >= HELD_RESERVED);
    if (writers > 0 || (level == HELD_EXCLUSIVE && others > 0)) return SQLITE_BUSY;
    if (self->lock < HELD_SHARED) file->shared++;
    if (self->lock < HELD_RESERVED && level >= HELD_RESERVED) file->reserved++;
    self->lock = level;
    return SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *base, int *is_reserved) {
    handle *self = (handle *)base;
    *is_reserved = self->file->reserved > 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int operation, void *argument) {
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *base) { return (int)((handle *)base)->disk->sector; }

// As SQLite's own Unix VFS says of its files.
static int file_characteristics(sqlite3_file *base) {
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static void drop(simdisk *disk);

static int file_close(sqlite3_file *base) {
    handle *self = (handle *)base;
    file_unlock(base, HELD_NONE);
    if (self->deletes_on_close && self->life == self->disk->life) self->file->is_linked = 0;
    drop(self->disk);
    return SQLITE_OK;
}

// Version 1: no shared memory, so that write-ahead logging needs locking_mode=EXCLUSIVE.
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_characteristics,
};

// MARK: The VFS

// The disk whose folder a path begins with, and the name after it.
static simdisk *find_disk(const char *path, const char **name) {
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

static file *find_file(simdisk *disk, const char *name) {
    for (int index = 0; index < FILES_MAX; index++)
        if (!strcmp(disk->files[index].name, name)) return &disk->files[index];
    return NULL;
}

static file *make_file(simdisk *disk, const char *name) {
    for (int index = 0; index < FILES_MAX; index++) {
        file *file = &disk->files[index];
        if (file->name[0] && strcmp(file->name, name)) continue;
        snprintf(file->name, sizeof file->name, "%s", name);
        return file;
    }
    return NULL;
}

static int vfs_open(
    sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out_flags) {
    (void)vfs;
    handle *self = (handle *)base;
    memset(self, 0, sizeof *self);
    const char *name = NULL;
    simdisk *disk = find_disk(path, &name);
    if (!disk || disk->is_dead) return SQLITE_CANTOPEN;
    file *file = make_file(disk, name);
    if (!file || (!file->is_linked && !(flags & SQLITE_OPEN_CREATE))) return SQLITE_CANTOPEN;
    int is_new = !file->is_linked;
    if (is_new) {
        // Another file of the same name: the old one's contents are gone with it.
        forget(file);
        file->cache.size = 0;
        file->stored.size = 0;
        file->is_linked = 1;
    }
    disk->references++;
    self->disk = disk;
    self->file = file;
    self->life = disk->life;
    self->deletes_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    // SQLite's Unix VFS syncs the folder for these and for no others.
    self->syncs_folder = is_new && (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL));
    self->base.pMethods = &methods;
    if (out_flags) *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int syncs_folder) {
    (void)vfs;
    const char *name = NULL;
    simdisk *disk = find_disk(path, &name);
    file *file = disk ? find_file(disk, name) : NULL;
    if (!file || !file->is_linked) return SQLITE_IOERR_DELETE_NOENT;
    handle probe = {.disk = disk, .life = disk->life};
    if (!is_alive(&probe) || disk->is_dead) return SQLITE_IOERR_DELETE;
    file->is_linked = 0;
    if (syncs_folder && !disk->is_lying) store_folder(disk);
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *answer) {
    (void)vfs;
    const char *name = NULL;
    simdisk *disk = find_disk(path, &name);
    file *file = disk ? find_file(disk, name) : NULL;
    *answer = file && file->is_linked && (flags != SQLITE_ACCESS_EXISTS || file->cache.size > 0);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int room, char *full) {
    (void)vfs;
    sqlite3_snprintf(room, full, "%s", path);
    return SQLITE_OK;
}

// Asked only when SQLite begins its random numbers, and then `simdisk_seed_sqlite` has given it a seed.
static int vfs_randomness(sqlite3_vfs *vfs, int length, char *bytes) {
    (void)vfs;
    memset(bytes, 0x5A, (size_t)length);
    return length;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    return microseconds;
}

// Julian days, in milliseconds: the time stands still on 1 January 2024.
static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *time) {
    (void)vfs;
    *time = 212570827200000 + 43200000;
    return SQLITE_OK;
}

static int vfs_time_days(sqlite3_vfs *vfs, double *days) {
    sqlite3_int64 time = 0;
    vfs_time(vfs, &time);
    *days = (double)time / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int length, char *text) {
    (void)vfs;
    (void)length;
    (void)text;
    return 0;
}

static sqlite3_vfs simulated = {
    .iVersion = 2,
    .szOsFile = sizeof(handle),
    .mxPathname = 128,
    .zName = SIMDISK_VFS,
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_path,
    .xRandomness = vfs_randomness,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time_days,
    .xGetLastError = vfs_last_error,
    .xCurrentTimeInt64 = vfs_time,
};

// Registering it again changes nothing, so that every simulator may do it.
int simdisk_register(void) { return sqlite3_vfs_register(&simulated, 0); }

void simdisk_seed_sqlite(int seed) {
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, seed ? seed : 1, (sqlite3 *)NULL);
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

static void drop(simdisk *disk) {
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

void simdisk_release(simdisk *disk) { drop(disk); }

const char *simdisk_folder(const simdisk *disk) { return disk->folder; }

int simdisk_copy(simdisk *to, const simdisk *from) {
    simdisk_wipe(to);
    for (int index = 0; index < FILES_MAX; index++) {
        const file *source = &from->files[index];
        if (!source->is_linked_stored) continue;
        file *copy = make_file(to, source->name);
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
