#ifndef STOCKGATE_CSQLITE_H
#define STOCKGATE_CSQLITE_H

#include <sqlite3.h>

/// Whether closing the last connection leaves the WAL as it is, or moves it into the database and removes it (SQLite's own way).
/// sqlite3_db_config is variadic, so Swift cannot call it.
int stockgate_sqlite_keep_wal(sqlite3 *db, int keeps);

#endif
