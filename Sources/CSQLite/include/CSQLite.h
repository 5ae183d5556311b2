// SQLite's C interface, with functions for what Swift cannot import: macros that cast, and
// variadic functions.
#ifndef HUIJIN_CSQLITE_H
#define HUIJIN_CSQLITE_H

#include <sqlite3.h>

#include "simdisk.h"

// Binds a copy of the bytes. SQLite takes a null pointer for SQL NULL, so that an empty blob or
// text needs a form of its own.
static inline int csqlite_bind_blob(
    sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    if (count == 0) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}

static inline int csqlite_bind_text(
    sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 count) {
    return sqlite3_bind_text64(
        statement, index, count == 0 ? "" : text, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

// Sets one of the SQLITE_DBCONFIG_ switches; the switch's state afterwards goes to `*state`.
int csqlite_db_config(sqlite3 *database, int option, int enable, int *state);

// Whether a failed call says that there is no room left to write.
int csqlite_is_full(int extended_code, int system_error);

#endif
