"""USB devices of any make, by the kernel's gadget framework: dummy_hcd joins a device controller and a host controller in one machine.

Each of its controllers is a USB port, numbered from 0: what is bound to dummy_udc.N appears at ID_PATH platform-dummy_hcd.N-usb-0:1:1.0.
"""

import glob
import os
import select
import subprocess
import termios
import threading
import time

ROOT = "/sys/kernel/config/usb_gadget"
PORTS = 12

# Device Class Definition for HID 1.11, appendix B.1: keyboard of the boot protocol.
KEYBOARD = bytes.fromhex(
    "05010906a101050719e029e71500250175019508810295017508810395057501050819012905910295017503910395067508150025650507190029658100c0")

# HID Point of Sale Usage Tables 1.02: bar code scanner (page 8C, usage 2); report 2 with 63 bytes in, report FD with 63 bytes out.
POINT_OF_SALE = bytes.fromhex("058c0902a10185020912a1027508953f8102c085fd09007508953f9102c0")

FUNCTIONS = {
    "cdc": ("acm.0", {}),
    "keyboard": ("hid.0", {"protocol": "1", "subclass": "1", "report_length": "8", "report_desc": KEYBOARD}),
    "pos": ("hid.0", {"protocol": "0", "subclass": "0", "report_length": "64", "report_desc": POINT_OF_SALE}),
}


def load_drivers():
    for module in [f"dummy_hcd num={PORTS}", "libcomposite", "usb_f_hid", "usb_f_acm"]:
        subprocess.run(["modprobe", *module.split()], check=True)


def write(path, value):
    with open(path, "wb") as file:
        file.write(value if isinstance(value, bytes) else value.encode())


class Gadget:
    nodes = {}
    terminals = {}
    # By name: a scanner sends one code after the other. The kernel turns away a second writer of a line that must not wait (EAGAIN).
    sending = {}

    def __init__(self, name):
        self.name = name
        self.path = f"{ROOT}/{name}"

    def plug(self, port, description):
        if not os.path.isdir(self.path):
            self.build(description)
        if description["kind"] == "cdc":
            self.terminal()
        write(f"{self.path}/UDC", f"dummy_udc.{port}")

    def unplug(self):
        write(f"{self.path}/UDC", "\n")
        self.hang_up()

    def build(self, description):
        kind = description["kind"]
        function, attributes = FUNCTIONS[kind]
        os.mkdir(self.path)
        write(f"{self.path}/idVendor", "0x" + description["vendor"])
        write(f"{self.path}/idProduct", "0x" + description["product"])
        os.mkdir(f"{self.path}/strings/0x409")
        for key in ["manufacturer", "model", "serial"]:
            if description.get(key):
                file = {"model": "product", "serial": "serialnumber"}.get(key, key)
                write(f"{self.path}/strings/0x409/{file}", description[key])
        os.mkdir(f"{self.path}/configs/c.1")
        os.mkdir(f"{self.path}/functions/{function}")
        for key, value in attributes.items():
            write(f"{self.path}/functions/{function}/{key}", value)
        os.symlink(f"{self.path}/functions/{function}", f"{self.path}/configs/c.1/{function}")

    @property
    def node(self):
        """The end of the line that a device's firmware would hold; of a HID device it is there only while it is plugged in."""
        if self.name not in self.nodes:
            self.nodes[self.name] = self.find_node()
        return self.nodes[self.name]

    def find_node(self):
        if os.path.isdir(f"{self.path}/functions/acm.0"):
            with open(f"{self.path}/functions/acm.0/port_num") as file:
                return f"/dev/ttyGS{file.read().strip()}"
        with open(f"{self.path}/functions/hid.0/dev") as file:
            number = file.read().strip()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for path in glob.glob("/sys/class/hidg/*/dev"):
                with open(path) as file:
                    if file.read().strip() == number and os.path.exists(node := "/dev/" + path.split("/")[-2]):
                        return node
            time.sleep(0.05)
        raise RuntimeError(f"no hidg node {number}")

    def remove(self):
        if not os.path.isdir(self.path):
            return
        with open(f"{self.path}/UDC") as file:
            bound = file.read().strip()
        if bound:
            self.unplug()
        for link in glob.glob(f"{self.path}/configs/c.1/*.0"):
            os.unlink(link)
        os.rmdir(f"{self.path}/configs/c.1")
        for function in glob.glob(f"{self.path}/functions/*"):
            os.rmdir(function)
        os.rmdir(f"{self.path}/strings/0x409")
        os.rmdir(self.path)
        self.nodes.pop(self.name, None)

    def send(self, data):
        with self.sending.setdefault(self.name, threading.Lock()):
            terminal = self.terminal()
            while data:
                select.select([], [terminal], [])
                data = data[os.write(terminal, data):]

    def heard(self):
        try:
            return os.read(self.terminal(), 4096)
        except BlockingIOError:
            return b""

    def terminal(self):
        """Open as long as the device is plugged in: what the machine says while it is closed is lost.

        It echoes and translates until it is told not to, and would send the machine's bytes back to it.
        """
        if self.name not in self.terminals:
            terminal = os.open(self.node, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            settings = termios.tcgetattr(terminal)
            settings[0] = settings[1] = settings[3] = 0
            termios.tcsetattr(terminal, termios.TCSANOW, settings)
            self.terminals[self.name] = terminal
        return self.terminals[self.name]

    def hang_up(self):
        terminal = self.terminals.pop(self.name, None)
        if terminal is not None:
            os.close(terminal)

    def reports(self, reports):
        """One report after the other; the driver takes the next when the host has fetched the last."""
        node = os.open(self.node, os.O_RDWR)
        try:
            for report in reports:
                os.write(node, report)
        finally:
            os.close(node)
