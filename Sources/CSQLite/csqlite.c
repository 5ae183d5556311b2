#include "CSQLite.h"

#include <errno.h>

int csqlite_db_config(sqlite3 *database, int option, int enable, int *state) {
    return sqlite3_db_config(database, option, enable, state);
}

int csqlite_is_full(int extended_code, int system_error) {
    if ((extended_code & 0xff) == SQLITE_FULL) return 1;
    if ((extended_code & 0xff) != SQLITE_IOERR) return 0;
    // SQLite reports ENOSPC of write() as SQLITE_FULL, but not a quota (EDQUOT), nor ENOSPC of
    // fsync() or of growing the shared memory file.
    switch (extended_code) {
        case SQLITE_IOERR_WRITE:
        case SQLITE_IOERR_SHMSIZE:
            return 1;
        default:
            return system_error == ENOSPC || system_error == EDQUOT;
    }
}
