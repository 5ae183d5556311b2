// A simulated disk: a SQLite VFS in memory that knows what was synced and what was not, and can be cut off from
// power between any two writes. For the simulator alone; nothing uses it unless it is named.
//
// A disk and its files belong to one thread at a time. Equal seeds and equal calls give equal contents.
#ifndef HUIJIN_SIMDISK_H
#define HUIJIN_SIMDISK_H

#include <stdint.h>

// The name under which `simdisk_register` makes the VFS known; it is never the default one.
#define SIMDISK_VFS "huijin-simulated"

typedef struct simdisk simdisk;

// What happened to a disk since it was made.
typedef struct simdisk_counts {
    uint64_t writes;
    uint64_t syncs;
    // Unsynced writes that a power cut lost, and those of which it kept some sectors.
    uint64_t lost;
    uint64_t torn;
    // Syncs that were confirmed and not done.
    uint64_t lies;
} simdisk_counts;

// Registers the VFS, once for the process. Returns a SQLite result code.
int simdisk_register(void);

// Makes an empty disk; NULL where memory ran out. `sector` is the unit in which writes are torn: 512 or 4096.
simdisk *simdisk_new(uint64_t seed, uint32_t sector);

// Gives the disk up. It goes with the last file that is open on it.
void simdisk_release(simdisk *disk);

// The folder under which SQLite finds the disk's files: `simdisk_folder()/ledger.db`.
const char *simdisk_folder(const simdisk *disk);

// Makes the contents of `to`, which has no open files, those that `from` has synced.
int simdisk_copy(simdisk *to, const simdisk *from);

// The disk fails during the operation (write, truncation, sync, deletion) after the next `operations` ones, and
// answers nothing from then on; negative: never.
void simdisk_arm(simdisk *disk, int64_t operations);

// Whether it has failed so.
int simdisk_is_dead(const simdisk *disk);

// Ends the process that used the disk: its open files are of no use any more. Without `is_power_cut` the system's
// cache stays, with everything that was written. With it, unsynced writes are lost, kept or torn, in any
// order; what was synced stays. The disk can be opened again.
void simdisk_cut(simdisk *disk, int is_power_cut);

// Everything on the disk is gone.
void simdisk_wipe(simdisk *disk);

// Turns one bit of what is stored. Returns 0 where nothing is.
int simdisk_rot(simdisk *disk);

// From now on syncs are confirmed and not done.
void simdisk_set_lying(simdisk *disk, int is_lying);

simdisk_counts simdisk_get_counts(const simdisk *disk);

// Begins SQLite's own random numbers, which are the process's, anew from `seed`.
void simdisk_seed_sqlite(int seed);

#endif
