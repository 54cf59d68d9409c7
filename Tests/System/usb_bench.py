#!/usr/bin/python3
"""A USB bus on the test bench: plugs scanners in and out of programs that know nothing of it.

Run under umockdev-wrapper, which puts a mock of /dev, /sys and udev's events before the real ones; no root and no kernel module is
needed. Debian packages: umockdev, gir1.2-umockdev-1.0, python3-gi (hence /usr/bin/python3, not another Python).

    umockdev-wrapper /usr/bin/python3 usb_bench.py [PROGRAM ARGUMENT...]

The program, if one is named, is started by the command `start`, and its output comes back line by line as `child LINE`. Programs can
also be started by whoever runs the bench, with the environment that the first line gives:

    ready {"LD_PRELOAD": "...", "UMOCKDEV_DIR": "..."}

Commands come on standard input, one a line; each is answered by one line, `ok [ANSWER]` or `error REASON`. NAME is the kernel's name
of the node (ttyUSB0, ttyACM1, event7), VID and PID are four hexadecimal digits, SERIAL is a serial number or `-` for none, and PORT
is a USB port such as 1-2 (by default one per name). `bare` leaves out what a running udev daemon would have added.

    start                                             starts the program
    stop [SECONDS]                                    SIGTERM, then SIGKILL after SECONDS (10); answers with its exit status
    plug-serial NAME VID PID SERIAL [PORT] [bare]     a scanner or reader with a serial port comes
    plug-keyboard NAME VID PID SERIAL [PORT] [bare]   a scanner or badge reader that types comes
    plug-hid NAME VID PID SERIAL [PORT] [bare]        a scanner with HID reports comes; NAME is hidraw0 ...
    send-report NAME HEX                              it sends one input report
    receive-report NAME COUNT SECONDS                 answers with what was written to it, in hexadecimal
    features NAME                                     answers with the feature reports that were set, in hexadecimal
    send-serial NAME HEX                              the device sends bytes
    receive-serial NAME COUNT SECONDS                 answers with what was sent to the device, in hexadecimal
    type NAME TEXT                                    the device types, US layout; \\n is Enter, \\t Tab, \\x1d Ctrl+]
    key NAME CODE VALUE                               one key event and a report
    overrun NAME                                      the kernel's buffer overflows (SYN_DROPPED)
    await-grab NAME SECONDS                           waits until a program has taken the keyboard for itself
    unplug NAME                                       the device is pulled: its node hangs up, udev tells of it
    yank NAME                                         the same, but udev has not noticed yet
    forget NAME                                       udev tells of the removal only
    uevent NAME ACTION                                udev tells of something else, for example "change"
    quit                                              stops the program and ends; so does the end of the input

`grab NAME` and `ungrab NAME` come in between when a program takes a keyboard or lets go of it, `exit STATUS` when the program ends.
A second grab is refused with EBUSY, as the kernel does it.

The same name can be plugged again: the nodes are pseudo-terminals of the bench's own below the mock /dev, because umockdev cannot
take back nodes that it made itself. A keyboard's hang-up reads as EIO here, as ENODEV on a real machine.
"""

import errno
import json
import os
import select
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import tty

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import GLib, UMockdev  # noqa: E402

# Requests of linux/input.h, with the same numbers on x86-64 and ARM: _IOW('E', 0x90, int), _IOW('E', 0xa0, int),
# and _IOC(_IOC_READ, 'E', 0x06, length) for the name.
EVIOCGRAB = 0x40044590
EVIOCSCLOCKID = 0x400445A0
EVIOCGNAME = 0x80004506

# Requests of linux/hidraw.h: _IOR('H', 0x03, struct hidraw_devinfo), and _IOC(_IOC_READ, 'H', 0x04, length) for the name and
# _IOC(_IOC_WRITE | _IOC_READ, 'H', 0x06, length) for a feature report.
HIDIOCGRAWINFO = 0x80084803
HIDIOCGRAWNAME = 0x80004804
HIDIOCSFEATURE = 0xC0004806

# The first items of a bar code scanner's report descriptor (HID Point of Sale Usage Tables 1.02): usage page, usage, application
# collection, an input report of 63 bytes with id 2, the end of the collection.
SCANNER_REPORTS = bytes.fromhex("058c0902a1018502150026ff007508953f09fe8102c0")

EV_SYN, EV_KEY = 0, 1
SYN_REPORT, SYN_DROPPED = 0, 3
KEY_LEFTCTRL, KEY_LEFTSHIFT = 29, 42

# linux/input-event-codes.h, US layout: first code of a run of keys, characters without and with shift.
RUNS = [
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
]
KEYS = {"\n": (28, None), "\t": (15, None), " ": (57, None)}
for first, plain, shifted in RUNS:
    for place, character in enumerate(plain):
        KEYS[character] = (first + place, None)
    for place, character in enumerate(shifted):
        KEYS[character] = (first + place, KEY_LEFTSHIFT)
KEYS["\x1d"] = (KEYS["]"][0], KEY_LEFTCTRL)


class Refused(Exception):
    """A command that cannot be carried out."""


def say(line):
    with SPEAKING:
        print(line, flush=True)


SPEAKING = threading.Lock()


class Device:
    """A device that was plugged in at least once."""

    def __init__(self, name, kind):
        self.name = name
        self.kind = kind
        self.master = None
        self.system_path = None
        self.links = []
        self.holder = None
        self.ioctls = None
        self.features = []


class Bench:
    def __init__(self, command):
        self.command = command
        self.child = None
        self.testbed = UMockdev.Testbed.new()
        self.root = self.testbed.get_root_dir()
        self.devices = {}
        self.ports = {}
        self.grabbing = threading.Condition()

    # The program under test

    def start(self):
        if not self.command:
            raise Refused("no program was named")
        if self.child:
            raise Refused("the program runs already")
        self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="backslashreplace")
        threading.Thread(target=self.forward, args=(self.child,), daemon=True).start()
        return str(self.child.pid)

    def forward(self, child):
        for line in child.stdout:
            say("child " + line.rstrip("\n"))
        say(f"exit {child.wait()}")

    def stop(self, seconds="10"):
        child, self.child = self.child, None
        if child is None:
            raise Refused("the program does not run")
        child.send_signal(signal.SIGTERM)
        try:
            return str(child.wait(float(seconds)))
        except subprocess.TimeoutExpired:
            child.kill()
            return str(child.wait())

    # Plugging

    def plug_serial(self, name, vendor, product, serial, *rest):
        device = self.place(name, "serial")
        link = f"usb-{vendor}_{product}{'' if serial == '-' else '_' + serial}-if00"
        self.plug(device, vendor, product, serial, rest, f"/dev/{name}", (188, int(name.lstrip("ttyUSBACM") or 0)),
                  "tty", f"{name}/tty/{name}", f"/dev/serial/by-id/{link}", {"ID_USB_DRIVER": "ftdi_sio"})

    def plug_keyboard(self, name, vendor, product, serial, *rest):
        device = self.place(name, "keyboard")
        number = int(name.removeprefix("event"))
        path = f"/dev/input/{name}"
        if device.ioctls is None:
            device.ioctls = UMockdev.IoctlBase()
            device.ioctls.connect("handle-ioctl", self.answer_ioctl, device)
            self.testbed.attach_ioctl(path, device.ioctls)
        link = f"usb-{vendor}_{product}{'' if serial == '-' else '_' + serial}-event-kbd"
        self.plug(device, vendor, product, serial, rest, path, (13, 64 + number), "input", f"input/input{number}/{name}",
                  f"/dev/input/by-id/{link}", {"ID_INPUT": "1", "ID_INPUT_KEY": "1", "ID_INPUT_KEYBOARD": "1", "ID_USB_DRIVER": "usbhid"})

    def plug_hid(self, name, vendor, product, serial, *rest):
        device = self.place(name, "hid")
        number = int(name.removeprefix("hidraw"))
        if device.ioctls is None:
            device.ioctls = UMockdev.IoctlBase()
            device.ioctls.connect("handle-ioctl", self.answer_hid_ioctl, device)
            self.testbed.attach_ioctl(f"/dev/{name}", device.ioctls)
        # udev knows little of a hidraw node: who it is stands above it.
        self.plug(device, vendor, product, serial, (*rest, "bare"), f"/dev/{name}", (240, number), "hidraw",
                  f"0003:{vendor.upper()}:{product.upper()}.{number:04X}/hidraw/{name}", f"/dev/input/by-id/usb-{name}", {},
                  hid=f"0003:0000{vendor.upper()}:0000{product.upper()}")

    def place(self, name, kind):
        device = self.devices.setdefault(name, Device(name, kind))
        if device.kind != kind:
            raise Refused(f"{name} was a {device.kind} before")
        if device.master is not None:
            raise Refused(f"{name} is plugged in")
        return device

    def plug(self, device, vendor, product, serial, rest, node, number, subsystem, below, link, extra, hid=None):
        bare = "bare" in rest
        given = [word for word in rest if word != "bare"]
        port = given[0] if given else self.ports.get(device.name) or f"1-{len(self.ports) + 1}"
        self.ports[device.name] = port
        usb = f"/devices/pci0000:00/0000:00:14.0/usb1/{port}"
        interface = f"{usb}/{port}:1.0"
        properties = {"DEVNAME": node, "MAJOR": number[0], "MINOR": number[1], "SUBSYSTEM": subsystem}
        if not bare:
            properties |= {
                "ID_BUS": "usb", "ID_VENDOR_ID": vendor, "ID_MODEL_ID": product, "ID_USB_INTERFACE_NUM": "00",
                "ID_PATH": f"pci-0000:00:14.0-usb-0:{port.split('-')[1]}:1.0", "DEVLINKS": link, "USEC_INITIALIZED": time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000,
            } | extra
            if serial != "-":
                properties["ID_SERIAL_SHORT"] = serial
        attributes = {"idVendor": vendor, "idProduct": product} | ({} if serial == "-" else {"serial": serial})

        device.master, slave = os.openpty()
        tty.setraw(slave)
        device.links = [node] + ([] if bare else [link])
        for path in device.links:
            self.link(path, os.ttyname(slave))
        os.close(slave)

        system_path = f"/sys{interface}/{below}"
        if system_path == device.system_path:
            # What udev remembers of it stands below the mock's own sysfs, and the node is there since the first time.
            self.describe(usb, attributes)
            for key, value in properties.items():
                self.testbed.set_property(system_path, key, str(value))
            self.testbed.uevent(system_path, "add")
            return
        device.system_path = system_path
        # Parents first: umockdev tells of each device as it makes it, and a node is known by what stands above it.
        if not os.path.exists(f"{self.testbed.get_sys_dir()}{interface}"):
            self.add(usb, {"DEVTYPE": "usb_device", "SUBSYSTEM": "usb"}, attributes)
            self.add(interface, {"DEVTYPE": "usb_interface", "SUBSYSTEM": "usb"}, {"bInterfaceNumber": "00"})
        else:
            self.describe(usb, attributes)
        if hid:
            self.add(f"{interface}/{below.split('/')[0]}", {"SUBSYSTEM": "hid", "HID_ID": hid, "HID_UNIQ": "" if serial == "-" else serial}, {},
                     {"report_descriptor": SCANNER_REPORTS})
        self.add(f"{interface}/{below}", properties, {"dev": f"{number[0]}:{number[1]}"})

    def describe(self, usb, attributes):
        """What is plugged into a port now; the mock port itself stays."""
        for key, value in attributes.items():
            self.testbed.set_attribute(f"/sys{usb}", key, value)

    def add(self, path, properties, attributes, binary={}):
        lines = [f"P: {path}"] + [f"E: {key}={value}" for key, value in properties.items()]
        lines += [f"A: {key}={value}" for key, value in attributes.items()]
        lines += [f"H: {key}={value.hex()}" for key, value in binary.items()] + ["", ""]
        if not self.testbed.add_from_string("\n".join(lines)):
            raise Refused(f"umockdev does not take {path}")

    def link(self, path, target):
        inside = self.root + path
        os.makedirs(os.path.dirname(inside), exist_ok=True)
        if os.path.lexists(inside):
            os.unlink(inside)
        os.symlink(target, inside)

    def plugged(self, name, kind=None):
        device = self.devices.get(name)
        if device is None or device.master is None:
            raise Refused(f"{name} is not plugged in")
        if kind not in (None, device.kind):
            raise Refused(f"{name} is a {device.kind}")
        return device

    def unplug(self, name):
        self.yank(name)
        self.forget(name)

    def yank(self, name):
        device = self.plugged(name)
        for path in device.links:
            # Equal devices without serial numbers share their other name: the last one plugged in has it.
            if os.path.lexists(self.root + path):
                os.unlink(self.root + path)
        os.close(device.master)
        device.master = None
        self.release(device)

    def forget(self, name):
        self.uevent(name, "remove")

    def uevent(self, name, action):
        if name not in self.devices:
            raise Refused(f"{name} was never plugged in")
        self.testbed.uevent(self.devices[name].system_path, action)

    # Serial devices

    def send_serial(self, name, data):
        os.write(self.plugged(name, "serial").master, bytes.fromhex(data))

    def receive_serial(self, name, count, seconds):
        return self.receive(self.plugged(name, "serial"), count, seconds)

    def receive(self, device, count, seconds):
        received = b""
        end = time.monotonic() + float(seconds)
        while len(received) < int(count):
            left = end - time.monotonic()
            if left <= 0 or not select.select([device.master], [], [], left)[0]:
                break
            try:
                received += os.read(device.master, int(count) - len(received))
            except OSError as error:
                # Nobody has the node open just now.
                if error.errno != errno.EIO:
                    raise
                time.sleep(0.01)
        return received.hex()

    # HID devices

    def send_report(self, name, data):
        os.write(self.plugged(name, "hid").master, bytes.fromhex(data))

    def receive_report(self, name, count, seconds):
        return self.receive(self.plugged(name, "hid"), count, seconds)

    def list_features(self, name):
        device = self.plugged(name, "hid")
        features, device.features = device.features, []
        return ",".join(features)

    def answer_hid_ioctl(self, _, client, device):
        request = client.get_request()
        kind, size = request & 0xC000FFFF, request >> 16 & 0x3FFF
        if request == HIDIOCGRAWINFO:
            client.get_arg().resolve(0, 8).update(0, struct.pack("@IHH", 3, 0, 0))
            client.complete(0, 0)
        elif kind == HIDIOCGRAWNAME:
            name = f"Mock {device.name}".encode() + b"\0"
            client.get_arg().resolve(0, len(name)).update(0, name)
            client.complete(len(name), 0)
        elif kind == HIDIOCSFEATURE:
            report = bytes(client.get_arg().resolve(0, size).retrieve())
            # This device knows the report with the id FE only; a real one answers others with a stall, too.
            if report[:1] == b"\xfe":
                device.features.append(report.hex())
                client.complete(size, 0)
            else:
                client.complete(-1, errno.EPIPE)
        else:
            return False
        return True

    # Keyboards

    def answer_ioctl(self, _, client, device):
        request = client.get_request()
        if request == EVIOCGRAB:
            with self.grabbing:
                held = device.holder is not None and device.holder.get_connected()
                if not held:
                    device.holder = client
                    self.grabbing.notify_all()
            client.complete(-1 if held else 0, errno.EBUSY if held else 0)
            if not held:
                client.connect("notify::connected", lambda *_: self.release(device))
                say(f"grab {device.name}")
            return True
        if request == EVIOCSCLOCKID:
            client.complete(0, 0)
            return True
        if request & 0xC000FFFF == EVIOCGNAME:
            name = f"Mock {device.name}".encode() + b"\0"
            client.get_arg().resolve(0, len(name)).update(0, name)
            client.complete(len(name), 0)
            return True
        return False

    def release(self, device):
        with self.grabbing:
            held, device.holder = device.holder, None
        if held is not None:
            say(f"ungrab {device.name}")

    def await_grab(self, name, seconds):
        device = self.plugged(name, "keyboard")
        with self.grabbing:
            if not self.grabbing.wait_for(lambda: device.holder is not None, float(seconds)):
                raise Refused(f"nobody has taken {name}")

    def report(self, name, *events):
        device = self.plugged(name, "keyboard")
        now = time.clock_gettime_ns(time.CLOCK_REALTIME)
        stamp = (now // 10**9, now // 1000 % 10**6)
        records = list(events) + [(EV_SYN, SYN_REPORT, 0)]
        os.write(device.master, b"".join(struct.pack("@llHHi", *stamp, *record) for record in records))

    def key(self, name, code, value):
        self.report(name, (EV_KEY, int(code), int(value)))

    def type(self, name, text):
        for character in text.encode().decode("unicode_escape"):
            if character not in KEYS:
                raise Refused(f"no key for {character!r}")
            code, modifier = KEYS[character]
            if modifier:
                self.key(name, modifier, 1)
            self.key(name, code, 1)
            self.key(name, code, 0)
            if modifier:
                self.key(name, modifier, 0)

    def overrun(self, name):
        self.report(name, (EV_SYN, SYN_DROPPED, 0))

    # Commands

    COMMANDS = {
        "start": (start, 0, 0), "stop": (stop, 0, 1), "plug-serial": (plug_serial, 4, 6), "plug-keyboard": (plug_keyboard, 4, 6),
        "plug-hid": (plug_hid, 4, 6), "send-report": (send_report, 2, 2), "receive-report": (receive_report, 3, 3),
        "features": (list_features, 1, 1), "send-serial": (send_serial, 2, 2), "receive-serial": (receive_serial, 3, 3), "type": (type, 2, 2), "key": (key, 3, 3),
        "overrun": (overrun, 1, 1), "await-grab": (await_grab, 2, 2), "unplug": (unplug, 1, 1), "yank": (yank, 1, 1),
        "forget": (forget, 1, 1), "uevent": (uevent, 2, 2),
    }

    def obey(self, line):
        word, _, rest = line.partition(" ")
        # What is typed may hold spaces.
        words = rest.split(" ", 1) if word == "type" else rest.split()
        if word not in self.COMMANDS:
            return f"error no such command: {word}"
        function, fewest, most = self.COMMANDS[word]
        if not fewest <= len(words) <= most:
            return f"error {word} takes {fewest} to {most} arguments"
        try:
            return f"ok {function(self, *words) or ''}".rstrip()
        except Refused as refusal:
            return f"error {refusal}"
        except (OSError, ValueError, GLib.Error) as error:
            return f"error {error}"

    def serve(self):
        say("ready " + json.dumps({key: os.environ.get(key) or GLib.getenv(key) for key in ("LD_PRELOAD", "UMOCKDEV_DIR")}))
        for line in sys.stdin:
            if line.strip() == "quit":
                break
            if line.strip():
                say(self.obey(line.rstrip("\n")))
        if self.child and self.child.poll() is None:
            self.stop()


def main():
    bench = Bench(sys.argv[1:])
    # umockdev answers the ioctls of the mock devices from the main loop; commands are obeyed beside it.
    loop = GLib.MainLoop()

    def serve():
        try:
            bench.serve()
        finally:
            loop.quit()

    server = threading.Thread(target=serve)
    server.start()
    loop.run()
    server.join()
    # The testbed's own clean-up runs in a finalizer, which the end of an interpreter does not wait for.
    shutil.rmtree(bench.root, ignore_errors=True)


if __name__ == "__main__":
    main()
