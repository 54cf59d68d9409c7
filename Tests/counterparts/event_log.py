#!/usr/bin/env python3
"""Reads the event log of a gateway that has ended, and checks its chain, independent of the gateway's code.

    event_log.py STATE_DIRECTORY

The first line printed is {"problems": [...]}, then comes every event as it is stored. The database is copied first, with its WAL, so
that nothing of the gateway's is touched. Checked: the numbers have no gap from the archive's first file on, each event names the SHA-256
of the bytes before it, the ids follow from gateway, epoch and number, the bytes are JSON with sorted keys, the archive's files are those
that checkpoints with genuine signatures name, no cursor is past the end, and SQLite finds no fault.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import sys
import tempfile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


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


def archived(database, folder, gateway, problems):
    """Events of the files that checkpoints name, by number."""
    columns = ("first", "last", "hash", "file", "state", "at", "signer", "signature")
    for row in database.execute(f"SELECT {', '.join(columns)} FROM checkpoint ORDER BY last"):
        checkpoint = dict(zip(columns, row))
        signer, signature = bytes.fromhex(checkpoint.pop("signer")), bytes.fromhex(checkpoint.pop("signature"))
        text = json.dumps(checkpoint | {"gateway": gateway}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        name = f"{checkpoint['first']}-{checkpoint['last']}.ndjson"
        try:
            Ed25519PublicKey.from_public_bytes(signer).verify(signature, text.encode())
        except InvalidSignature:
            problems.append(f"the checkpoint of {name} is not genuine")
        with open(os.path.join(folder, "archive", name), "rb") as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != checkpoint["file"]:
            problems.append(f"{name} is not what was signed")
        lines = content.splitlines()
        if hashlib.sha256(lines[-1]).hexdigest() != checkpoint["hash"]:
            problems.append(f"the last event of {name} is not what was signed")
        yield from enumerate(lines, checkpoint["first"])


def check(database, folder):
    problems = [row[0] for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
    gateway = dict(database.execute("SELECT key, value FROM meta"))["gateway"]
    epochs = list(database.execute("SELECT first, epoch FROM epoch ORDER BY first"))
    if not epochs or epochs[0][0] != 1:
        problems.append("the first event has no epoch")
    expected, previous, bodies = 1, "0" * 64, []
    for number, body in [*archived(database, folder, gateway, problems), *database.execute("SELECT seq, body FROM event ORDER BY seq")]:
        body = bytes(body)
        event = json.loads(body)
        if number != expected or event["seq"] != number:
            problems.append(f"event {expected} expected, {number} found, which says {event['seq']}")
        if event["prev"] != previous:
            problems.append(f"event {number} does not follow from the one before it")
        epoch = [name for first, name in epochs if first <= number][-1]
        if event["id"] != identifier(gateway, epoch, number):
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
        problems, bodies = check(database, sys.argv[1])
        database.close()
    sys.stdout.buffer.write(json.dumps({"problems": problems}).encode() + b"\n")
    for body in bodies:
        sys.stdout.buffer.write(body + b"\n")


if __name__ == "__main__":
    main()
