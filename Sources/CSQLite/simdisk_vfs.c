#include <sqlite3.h>
#include <string.h>

#include "simdisk_internal.h"

enum { HELD_NONE = 0, HELD_SHARED = 1, HELD_RESERVED = 2, HELD_PENDING = 3, HELD_EXCLUSIVE = 4 };

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
    if (!simdisk_remember(self->file, operation, from)
        || !simdisk_put(&self->file->cache, operation.offset, from, operation.length))
        return SQLITE_IOERR_NOMEM;
    // The power went during this write: a part of it may stay, and nobody was told.
    return self->disk->is_dead ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    handle *self = (handle *)base;
    if (!is_alive(self)) return SQLITE_IOERR_TRUNCATE;
    operation operation = {(size_t)size, 0, 0, 1};
    if (!simdisk_remember(self->file, operation, NULL) || !simdisk_resize(&self->file->cache, operation.offset))
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
    if (!simdisk_store(self->file)) return SQLITE_IOERR_NOMEM;
    self->file->is_linked_stored = self->file->is_linked;
    if (self->syncs_folder) simdisk_store_folder(disk);
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

static int file_close(sqlite3_file *base) {
    handle *self = (handle *)base;
    file_unlock(base, HELD_NONE);
    if (self->deletes_on_close && self->life == self->disk->life) self->file->is_linked = 0;
    simdisk_drop(self->disk);
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

static int vfs_open(
    sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out_flags) {
    (void)vfs;
    handle *self = (handle *)base;
    memset(self, 0, sizeof *self);
    const char *name = NULL;
    simdisk *disk = simdisk_find(path, &name);
    if (!disk || disk->is_dead) return SQLITE_CANTOPEN;
    file *file = simdisk_make_file(disk, name);
    if (!file || (!file->is_linked && !(flags & SQLITE_OPEN_CREATE))) return SQLITE_CANTOPEN;
    int is_new = !file->is_linked;
    if (is_new) {
        // Another file of the same name: the old one's contents are gone with it.
        simdisk_forget(file);
        file->cache.size = 0;
        file->stored.size = 0;
        file->is_linked = 1;
    }
    disk->references++;
    self->disk = disk;
    self->file = file;
    self->life = disk->life;
    self->deletes_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    // SQLite's Unix VFS syncs the folder with the first sync of these and of no others, made by this process or not.
    self->syncs_folder =
        (flags & SQLITE_OPEN_CREATE) && (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL));
    self->base.pMethods = &methods;
    if (out_flags) *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int syncs_folder) {
    (void)vfs;
    const char *name = NULL;
    simdisk *disk = simdisk_find(path, &name);
    file *file = disk ? simdisk_file(disk, name) : NULL;
    if (!file || !file->is_linked) return SQLITE_IOERR_DELETE_NOENT;
    handle probe = {.disk = disk, .life = disk->life};
    if (!is_alive(&probe) || disk->is_dead) return SQLITE_IOERR_DELETE;
    file->is_linked = 0;
    if (syncs_folder && !disk->is_lying) simdisk_store_folder(disk);
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *answer) {
    (void)vfs;
    const char *name = NULL;
    simdisk *disk = simdisk_find(path, &name);
    file *file = disk ? simdisk_file(disk, name) : NULL;
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
