#ifndef STOCKGATE_STORE_PEER_H
#define STOCKGATE_STORE_PEER_H

#include <stdint.h>

// What the store writes, made beforehand: bytes one after the other, lengths beside them.
struct store_peer_rows {
    const uint8_t *bodies;        // of the events
    const int32_t *body_lengths;
    const int32_t *row_counts;    // state rows that go with each event
    const uint8_t *keys;
    const int32_t *key_lengths;
    const uint8_t *values;
    const int32_t *value_lengths; // -1: the row is removed
    int64_t events;
};

// Writes events and state rows with SQLite as a careful C program would: WAL, synchronous=FULL, prepared statements.
// The first `before` events are written first, in groups of 500, and not timed; then `group` events in each transaction.
// Returns nanoseconds from the first timed BEGIN to the last COMMIT, or -1. `path` must not exist.
int64_t store_peer_run(const char *path, const struct store_peer_rows *rows, int64_t before, int64_t group);

// The same, a transaction at a time.
struct store_peer;

// NULL when SQLite refused. `path` must not exist.
struct store_peer *store_peer_open(const char *path);

// All rows in one transaction. Returns nanoseconds from before BEGIN to after COMMIT, or -1.
int64_t store_peer_commit(struct store_peer *peer, const struct store_peer_rows *rows);

void store_peer_close(struct store_peer *peer);

#endif
