#!/usr/bin/env python3
"""Reads the event log of a gateway that has ended, and checks its chain, independent of the gateway's code.

    event_log.py STATE_DIRECTORY

The first line printed is {"problems": [...]}, then comes every event as it is stored. The database is copied first, with its WAL, so
that nothing of the gateway's is touched. Checked: the numbers have no gap, each event names the SHA-256 of the bytes before it, the
ids follow from gateway, epoch and number, the bytes are JSON with sorted keys, no cursor is past the end, and SQLite finds no fault.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import sys
import tempfile


def identifier(gateway, epoch, number):
    """RFC 9562 section 5.8, version 8: 60 bits of the hash over gateway and epoch, 62 bits of the number."""
    prefix = int.from_bytes(hashlib.sha256(f"{gateway}|{epoch}".encode()).digest()[:8], "big") >> 4
    value = (prefix >> 12) << 80 | 8 << 76 | (prefix & 0xFFF) << 64 | 2 << 62 | number & ((1 << 62) - 1)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_sorted(body):
    orders = []

    def note(pairs):
        names = [name.encode() for name, _ in pairs]
        orders.append(names == sorted(names))
        return dict(pairs)

    json.loads(body, object_pairs_hook=note)
    return all(orders)


def check(database):
    problems = [row[0] for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
    meta = dict(database.execute("SELECT key, value FROM meta"))
    expected, previous, bodies = 1, "0" * 64, []
    for number, body in database.execute("SELECT seq, body FROM event ORDER BY seq"):
        body = bytes(body)
        event = json.loads(body)
        if number != expected or event["seq"] != number:
            problems.append(f"event {expected} expected, {number} found, which says {event['seq']}")
        if event["prev"] != previous:
            problems.append(f"event {number} does not follow from the one before it")
        if event["id"] != identifier(meta["gateway"], meta["epoch"], number):
            problems.append(f"event {number} has the id {event['id']}")
        if not is_sorted(body):
            problems.append(f"event {number}: keys are not sorted")
        previous, expected = hashlib.sha256(body).hexdigest(), number + 1
        bodies.append(body)
    for destination, acknowledged in database.execute("SELECT destination, acked FROM cursor"):
        if acknowledged >= expected:
            problems.append(f"{destination} has acknowledged {acknowledged} of {expected - 1} events")
    return problems, bodies


def main():
    with tempfile.TemporaryDirectory() as copy:
        for name in ("events.db", "events.db-wal"):
            path = os.path.join(sys.argv[1], name)
            if os.path.exists(path):
                shutil.copy(path, copy)
        database = sqlite3.connect(os.path.join(copy, "events.db"))
        problems, bodies = check(database)
        database.close()
    sys.stdout.buffer.write(json.dumps({"problems": problems}).encode() + b"\n")
    for body in bodies:
        sys.stdout.buffer.write(body + b"\n")


if __name__ == "__main__":
    main()
