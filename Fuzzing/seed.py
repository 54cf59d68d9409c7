"""Writes the seeds of the decoders' corpora from the captures of the profiles: one file for each device of each capture."""

import json
import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 2_048  # bytes of a seed; a longer one only makes the fuzzer slow


def protocol(identifier: str) -> str | None:
    file = ROOT / "DeviceProfiles" / identifier / "profile.toml"
    return tomllib.loads(file.read_text())["decoder"]["protocol"] if file.exists() else None


def seed(lines: list[dict], device: str) -> bytes:
    """Two bytes choose configuration and cut; then bytes, or two bytes for each key event: code, pause in 8 ms and value."""
    out, last = bytearray([0, 128]), 0
    for line in lines:
        if line.get("d") != device:
            continue
        if "rx" in line:
            out += bytes.fromhex(line["rx"])
        elif "key" in line:
            code, value = line["key"]
            pause = min(63, (line["t"] - last) // 8_000_000)
            last = line["t"]
            out += bytes([code & 0xFF, pause << 2 | value & 3])
    return bytes(out[:LIMIT])


def llrp_messages(data: bytes):
    """The whole messages at the beginning of a stream, each type once."""
    types = set()
    while len(data) >= 10:
        length = int.from_bytes(data[2:6], "big")
        if not 10 <= length <= len(data):
            return
        kind = int.from_bytes(data[:2], "big") & 0x3FF
        if kind not in types and length <= LIMIT:
            types.add(kind)
            yield kind, data[:length]
        data = data[length:]


def main() -> None:
    corpus = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Fuzzing" / "corpus"
    for capture in sorted((ROOT / "DeviceProfiles").glob("*/*/*.capture")):
        header, *lines = [json.loads(line) for line in capture.read_text().splitlines() if line.strip()]
        for device, identifier in header.get("devices", {}).items():
            name = protocol(identifier)
            data = seed(lines, device)
            if name is None or len(data) < 3:
                continue
            folder = corpus / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / re.sub(r"[^a-z0-9]+", "-", f"{identifier}-{capture.stem}-{device}")).write_bytes(data)
            if name != "llrp":
                continue
            for direction in ("rx", "tx"):
                stream = bytes.fromhex("".join(line[direction] for line in lines if line.get("d") == device and direction in line))
                for kind, message in llrp_messages(stream):
                    (corpus / "llrp_message").mkdir(parents=True, exist_ok=True)
                    (corpus / "llrp_message" / f"{identifier.replace('/', '-')}-{direction}-{kind}").write_bytes(message)
    for name, files in {
        "profile": sorted((ROOT / "DeviceProfiles").glob("*/*/profile.toml")),
        "site_file": [ROOT / "Demo" / "site.toml", ROOT / "docs" / "site-example.toml"],
    }.items():
        folder = corpus / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            # The fuzzer reads every profile as one id.
            text = re.sub(r'^id = ".*"$', 'id = "acme/reader"', file.read_text(), flags=re.MULTILINE)
            (folder / "-".join(file.relative_to(ROOT).parts[1:3]).replace(".toml", "")).write_text(text)


main()
