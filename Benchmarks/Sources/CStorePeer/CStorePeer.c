#include "CStorePeer.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>

struct store_peer {
    sqlite3 *database;
    sqlite3_stmt *begin, *commit, *insert, *upsert, *remove;
    const struct store_peer_rows *rows;
    int64_t event, row, before; // before: events of earlier transactions
    const uint8_t *body, *key, *value;
};

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int step(sqlite3_stmt *statement) {
    int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ? 0 : -1;
}

static int write_event(struct store_peer *w) {
    const struct store_peer_rows *rows = w->rows;
    int32_t length = rows->body_lengths[w->event];
    sqlite3_bind_int64(w->insert, 1, w->before + w->event + 1);
    sqlite3_bind_blob(w->insert, 2, w->body, length, SQLITE_STATIC);
    if (step(w->insert)) return -1;
    w->body += length;
    for (int32_t count = rows->row_counts[w->event]; count > 0; count--, w->row++) {
        int32_t key = rows->key_lengths[w->row], value = rows->value_lengths[w->row];
        sqlite3_stmt *statement = value < 0 ? w->remove : w->upsert;
        sqlite3_bind_text(statement, 1, (const char *)w->key, key, SQLITE_STATIC);
        if (value >= 0) sqlite3_bind_text(statement, 2, (const char *)w->value, value, SQLITE_STATIC);
        if (step(statement)) return -1;
        w->key += key;
        if (value > 0) w->value += value;
    }
    w->event++;
    return 0;
}

static int write_groups(struct store_peer *w, int64_t end, int64_t group) {
    while (w->event < end) {
        if (step(w->begin)) return -1;
        for (int64_t count = 0; count < group && w->event < end; count++)
            if (write_event(w)) return -1;
        if (step(w->commit)) return -1;
    }
    return 0;
}

static int prepare(struct store_peer *w) {
    static const char *const setup =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000;"
        "PRAGMA journal_size_limit=4194304; PRAGMA foreign_keys=ON;"
        "CREATE TABLE event(seq INTEGER PRIMARY KEY, body BLOB NOT NULL);"
        "CREATE TABLE state(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";
    sqlite3 *d = w->database;
    return sqlite3_exec(d, setup, 0, 0, 0) || sqlite3_prepare_v2(d, "BEGIN IMMEDIATE", -1, &w->begin, 0)
        || sqlite3_prepare_v2(d, "COMMIT", -1, &w->commit, 0)
        || sqlite3_prepare_v2(d, "INSERT INTO event(seq, body) VALUES (?, ?)", -1, &w->insert, 0)
        || sqlite3_prepare_v2(d,
                              "INSERT INTO state(key, value) VALUES (?, ?) "
                              "ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                              -1, &w->upsert, 0)
        || sqlite3_prepare_v2(d, "DELETE FROM state WHERE key = ?", -1, &w->remove, 0);
}

static void finish(struct store_peer *w) {
    sqlite3_finalize(w->begin);
    sqlite3_finalize(w->commit);
    sqlite3_finalize(w->insert);
    sqlite3_finalize(w->upsert);
    sqlite3_finalize(w->remove);
    sqlite3_close(w->database);
}

int64_t store_peer_run(const char *path, const struct store_peer_rows *rows, int64_t before, int64_t group) {
    struct store_peer w = {.rows = rows, .body = rows->bodies, .key = rows->keys, .value = rows->values};
    int64_t elapsed = -1;
    if (sqlite3_open(path, &w.database) == SQLITE_OK && prepare(&w) == 0 && write_groups(&w, before, 500) == 0) {
        sqlite3_wal_checkpoint_v2(w.database, 0, SQLITE_CHECKPOINT_TRUNCATE, 0, 0);
        int64_t start = now();
        if (write_groups(&w, rows->events, group) == 0) elapsed = now() - start;
    }
    finish(&w);
    return elapsed;
}

struct store_peer *store_peer_open(const char *path) {
    struct store_peer *peer = calloc(1, sizeof *peer);
    if (!peer) return 0;
    if (sqlite3_open(path, &peer->database) == SQLITE_OK && prepare(peer) == 0) return peer;
    store_peer_close(peer);
    return 0;
}

int64_t store_peer_commit(struct store_peer *peer, const struct store_peer_rows *rows) {
    peer->rows = rows;
    peer->body = rows->bodies;
    peer->key = rows->keys;
    peer->value = rows->values;
    peer->event = peer->row = 0;
    int64_t start = now();
    int failed = write_groups(peer, rows->events, rows->events);
    int64_t elapsed = now() - start;
    peer->before += rows->events;
    return failed ? -1 : elapsed;
}

void store_peer_close(struct store_peer *peer) {
    if (!peer) return;
    finish(peer);
    free(peer);
}
