"""What a story is told with: plug, scan, expect."""

import base64
import json
import time

from lab.ledger import Ledger
from lab.machine import Failure

SITE = """
[gateway]
code = "LAB"
site = "Hardware lab"
state_directory = "/var/lib/stockgate"
control_socket = "/run/stockgate/control.sock"
profiles = ["/usr/share/stockgate/profiles", "/etc/stockgate/profiles"]
"""


class Bench:
    def __init__(self, machine):
        self.machine = machine
        # The number of the last event that was expected and came.
        self.seen = 0

    def install(self, package="stockgate.deb"):
        """As a user would, from a file."""
        self.run(f"dpkg -i /lab/{package}", timeout=240)
        self.until("the unit is active", lambda: self.property("ActiveState") == "active", 60)

    def run(self, command, **options):
        return self.machine.run(command, **options)

    def until(self, what, look, seconds=30):
        """Looks again and again until it sees something.

        `look` returns what it saw, and nothing or False as long as it has not. A failed command counts as nothing seen.
        """
        deadline = time.monotonic() + seconds
        while True:
            trouble = None
            try:
                if found := look():
                    return found
            except Failure as failure:
                trouble = failure
            if time.monotonic() > deadline or self.machine.process.poll() is not None:
                troubles = ([str(trouble)] if trouble else []) + self.machine.complaints()
                raise Failure(f"not seen within {seconds} s: {what}" + (f" ({'; '.join(troubles)})" if troubles else ""))
            time.sleep(0.1)

    # The gateway

    def site(self, text, *, start=True):
        """The site file; the gateway begins with it."""
        self.machine.write("/etc/stockgate/site.toml", SITE + text)
        if start:
            self.run("systemctl reset-failed stockgated.service; systemctl restart stockgated.service", timeout=120)

    def bench_with(self, *devices, **options):
        """A putaway bench with these devices, by lines for `[[device]]`."""
        tables = "".join(f"\n[[device]]\n{lines.strip()}\n" for lines in devices)
        names = ", ".join(line.split("=")[1].strip() for table in devices for line in table.splitlines() if line.strip().startswith("name"))
        self.site(f'{tables}\n[[station]]\nname = "bench"\nkind = "putaway"\nscanners = [{names}]\n', **options)

    def pid(self):
        return int(self.property("MainPID"))

    def property(self, name, unit="stockgated.service"):
        return self.run(f"systemctl show --value --property={name} {unit}").strip()

    def journal(self, unit="stockgated.service"):
        return self.run(f"journalctl --boot --unit={unit} --output=cat --no-pager")

    def refusals(self):
        """Lines of the log that say that something was not stored."""
        return [line for line in self.journal().splitlines() if "not recorded" in line or "not stored" in line or "full" in line.lower()]

    def devices(self):
        answer = json.loads(self.run("stockgate devices --json"))
        return {device["name"]: device for device in answer["devices"]}

    def station(self, name):
        answer = json.loads(self.run("stockgate station list --json"))
        return next(station for station in answer["stations"] if station["name"] == name)

    def expect_device(self, name, state, *, port=None, seconds=40):
        return self.until(
            f"{name} is {state}" + (f" on {port}" if port else ""),
            lambda: (device := self.devices().get(name)) and device["state"] == state and (not port or port in device.get("port", "")) and device, seconds)

    def events(self, after=0):
        lines = self.run(f"stockgate events --json --limit 1000 --after {after}").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def expect_event(self, type, *, seconds=30, **data):
        """The next event of this type with these data; what came before it is passed over."""

        def look():
            for event in self.events(self.seen):
                if event["type"] == type and all(event["data"].get(key) == value for key, value in data.items()):
                    self.seen = event["seq"]
                    return event

        return self.until(f"event {type} {data or ''}", look, seconds)

    def expect_scan(self, code, **options):
        """The bench knows no codes: each scan of one becomes an exception that carries it."""
        return self.expect_event("exception.raised", kind="unknown_code", code=code, **options)

    def codes(self, after=0):
        return codes(self.events(after))

    def codes_in(self, lines):
        """Of the output of `stockgate events --json`."""
        return codes(json.loads(line) for line in lines if line.startswith("{"))

    def ledger(self, folder="/var/lib/stockgate"):
        """The store's file as it lies on the disk, looked at by SQLite itself and not by the gateway."""
        integrity = self.run(f"sqlite3 {folder}/events.db 'PRAGMA integrity_check'").strip()
        rows = self.run(f"sqlite3 -separator ' ' {folder}/events.db 'SELECT seq, hex(body) FROM event ORDER BY seq'", timeout=120)
        return Ledger(integrity, rows)

    def expect_clean_ledger(self):
        """The file is whole and each event follows from the one before it; the gateway may go on writing meanwhile."""
        ledger = self.ledger()
        self.expect(not ledger.faults, "; ".join(ledger.faults[:3]))
        return ledger

    def expect(self, holds, otherwise):
        if not holds:
            raise Failure(otherwise)

    # Devices

    def screen(self):
        """What stands on the first text console."""
        return self.run("cat /dev/vcs1")

    def adapter(self, name, device, port):
        """A USB-serial adapter with an FTDI chip, as QEMU makes it; `device` is the chardev behind it."""
        self.machine.steer("chardev-add", id=name, backend=device)
        self.replug(name, port)

    def replug(self, name, port):
        self.machine.steer("device_add", driver="usb-serial", id=f"usb-{name}", chardev=name, bus="usb.0", port=str(port), serial="")

    def pull(self, name):
        self.machine.steer("device_del", id=f"usb-{name}")

    def scanner(self, name, **description):
        return Scanner(self, name, **description)

    def reading_scanner(self):
        """What most stories begin with: a scanner of the bench, plugged in and read."""
        scanner = self.scanner("zebra", kind="cdc", vendor="05e0", product="1701")
        self.bench_with('name = "scanner"\nprofile = "zebra/cdc-scanner"')
        scanner.plug(port=0)
        self.expect_device("scanner", "reading")
        return scanner


def codes(events):
    return [event["data"]["code"] for event in events if event.get("data", {}).get("kind") == "unknown_code"]


class Scanner:
    """A USB device of any make: `kind` is cdc, keyboard or pos."""

    def __init__(self, bench, name, *, kind, vendor, product, serial=None, manufacturer="Lab", model="Scanner"):
        self.bench = bench
        self.name = name
        self.kind = kind
        self.description = {
            "kind": kind, "vendor": vendor, "product": product, "serial": serial, "manufacturer": manufacturer, "model": model,
        }

    def plug(self, port):
        self.bench.machine.ask("plug", name=self.name, port=port, description=self.description)

    def unplug(self):
        self.bench.machine.ask("unplug", name=self.name)

    def scan(self, code, aim="]C0"):
        if self.kind == "cdc":
            return self.send(f"{code}\r\n".encode())
        reports = typed(code + "\n") if self.kind == "keyboard" else point_of_sale_reports(aim, code.encode())
        self.bench.machine.ask("reports", name=self.name, reports=[base64.b64encode(report).decode() for report in reports])

    def type(self, text):
        """Keys, without the one that ends a code."""
        self.bench.machine.ask("reports", name=self.name, reports=[base64.b64encode(report).decode() for report in typed(text)])

    def send(self, data):
        self.bench.machine.ask("send", name=self.name, bytes=base64.b64encode(data).decode())

    def burst(self, form, *, count, pause):
        """Scans by itself, `pause` seconds apart, with a number in place of `%04d` or its like."""
        self.bench.machine.begin("burst", name=self.name, form=form + "\r\n", first=0, count=count, pause=pause)

    def heard(self):
        """What the machine has said to the device since the last look."""
        return base64.b64decode(self.bench.machine.ask("heard", name=self.name)["bytes"])


def typed(text):
    """Reports of a boot keyboard with the layout us: keys are pressed and released one after the other."""
    for character in text:
        shift = 0x02 if character.isupper() else 0
        if character.isalpha():
            key = 0x04 + ord(character.lower()) - ord("a")
        elif character.isdigit():
            key = 0x1E + (int(character) + 9) % 10
        else:
            key = {"-": 0x2D, "\n": 0x28}[character]
        yield bytes([shift, 0, key, 0, 0, 0, 0, 0])
        yield bytes(8)


def point_of_sale_reports(aim, data):
    """Report 2 of the usual layout: length, AIM identifier, data, zeros, and whether more follows."""
    for start in range(0, len(data), 56):
        part = data[start:start + 56]
        more = 1 if start + 56 < len(data) else 0
        yield bytes([2, len(part)]) + aim.encode() + part.ljust(58, b"\0") + bytes([more])
