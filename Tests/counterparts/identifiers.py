#!/usr/bin/env python3
"""Reads random tags and scans with epcpy and biip and prints what they say, one JSON object a line.

usage: identifiers.py [SEED [COUNT]]

The lines are input of CounterpartTests (variable STOCKGATE_IDENTIFIER_COUNTERPARTS names the file). Needs epcpy 0.1.8 and
biip 5.2.0 in a virtual environment of its own. A line has "hex" with "element_string" and "epc_uri" (null where
epcpy refuses the bits), or "scan" with "bracketed" and "expiry" (null where biip refuses the data).
"""
import json
import random
import sys

import biip
from epcpy import hex_to_tag_encodable

PREFIX_BITS = [40, 37, 34, 30, 27, 24, 20]
# header: bits of prefix and reference, digits of both, bits of the tail, whether the tail is a serial number
SCHEMES = {
    0x30: (44, 13, 38, True),
    0x31: (58, 17, 24, False),
    0x32: (41, 12, 41, True),
    0x33: (44, 12, 38, True),
    0x34: (82, 25, 0, False),
    0x2C: (41, 12, 41, True),
    0x2D: (58, 17, 24, False),
    0x2E: (58, 17, 24, False),
}


def random_tag(rng):
    header = rng.choice(list(SCHEMES))
    bits, digits, tail_bits, has_serial = SCHEMES[header]
    partition = rng.randrange(7)
    prefix_digits = 12 - partition
    reference_bits = bits - PREFIX_BITS[partition]
    reference_limit = min(10 ** (digits - prefix_digits), 1 << reference_bits)
    # One in eight breaks a rule: a prefix or reference with too many digits.
    broken = rng.randrange(16)
    prefix = rng.randrange(10**prefix_digits)
    reference = rng.randrange(reference_limit)
    if broken == 0:
        prefix = rng.randrange(10**prefix_digits, 1 << PREFIX_BITS[partition])
    # epcpy drops a reference where the prefix leaves no digit for one, and so does not see that it should be 0.
    if broken == 1 and digits > prefix_digits and reference_limit < 1 << reference_bits:
        reference = rng.randrange(reference_limit, 1 << reference_bits)
    value = header << 6 | rng.randrange(8) << 3 | partition
    value = value << PREFIX_BITS[partition] | prefix
    value = value << reference_bits | reference
    tail = rng.choice([0, 1, (1 << tail_bits) - 1, rng.randrange(1 << tail_bits)]) if has_serial else 0
    return f"{value << tail_bits | tail:024X}"


def read_tag(text):
    line = {"hex": text, "element_string": None, "epc_uri": None}
    try:
        tag = hex_to_tag_encodable(text)
        line.update(epc_uri=tag.epc_uri, element_string=tag.gs1_element_string())
    except Exception as error:
        line["refusal"] = str(error)
    return line


def check_digit(digits):
    return str(-sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits))) % 10)


def random_scan(rng):
    def digits(count):
        return "".join(rng.choice("0123456789") for _ in range(count))

    def text(limit):
        return "".join(rng.choice("ABCxyz0189-/.%!_") for _ in range(rng.randint(1, limit)))

    key = "0" + digits(12)
    parts = ["01" + key + check_digit(key)]
    optional = [
        "17" + digits(2) + f"{rng.randint(1, 12):02}{rng.randint(0, 31):02}",
        "10" + text(20) + "\x1d",
        "21" + text(20) + "\x1d",
        "240" + text(30) + "\x1d",
        "3103" + digits(6),
        "30" + digits(rng.randint(1, 8)) + "\x1d",
    ]
    rng.shuffle(optional)
    return "]C1" + "".join(parts + optional[: rng.randint(0, 5)])


def read_scan(text):
    line = {"scan": text, "bracketed": None, "expiry": None}
    message = biip.parse(text).gs1_message
    if message is not None:
        line["bracketed"] = "".join(f"({s.ai.ai}){s.value}" for s in message.element_strings)
        expiry = message.element_strings.get(ai="17")
        line["expiry"] = expiry.date.isoformat() if expiry and expiry.date else None
    return line


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    rng = random.Random(seed)
    for _ in range(count):
        print(json.dumps(read_tag(random_tag(rng))))
        print(json.dumps(read_scan(random_scan(rng))))


main()
