"""Checks of the record that share no code with the product."""

import collections
import hashlib
import json


class Ledger:
    def __init__(self, integrity, rows):
        """`rows`: number and stored bytes in hexadecimal, a line for each event."""
        self.integrity = integrity
        self.events = []
        self.faults = [] if integrity == "ok" else [f"integrity_check: {integrity[:200]}"]
        previous = "0" * 64
        for place, line in enumerate(rows.split("\n")):
            if not line:
                continue
            number, _, body = line.partition(" ")
            body = bytes.fromhex(body)
            event = json.loads(body)
            if int(number) != place + 1 or event["seq"] != int(number):
                self.faults.append(f"event {number} stands in place {place + 1}")
            if event["prev"] != previous:
                self.faults.append(f"event {number} does not follow from the one before it")
            previous = hashlib.sha256(body).hexdigest()
            self.events.append(event)

    @property
    def codes(self):
        return collections.Counter(event["data"]["code"] for event in self.events if event["data"].get("kind") == "unknown_code")

    def lost(self, acknowledged):
        held = self.codes
        return [code for code in acknowledged if code not in held]

    def doubled(self):
        return [code for code, count in self.codes.items() if count > 1]
