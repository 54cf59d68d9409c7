"""What stands outside the machine: simulated devices and plain lines, joined to its adapters."""

import json
import os
import socket
import subprocess
import threading

from lab.machine import Failure


class Simulator:
    """A device simulated by the package's own `stockgate sim device`, on a pseudo-terminal of the host."""

    def __init__(self, program, kind):
        self.process = subprocess.Popen(
            [program, "sim", "device", kind, "--pty", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        first = self.process.stdout.readline()
        try:
            self.address = json.loads(first)["address"]
        except (ValueError, KeyError):
            raise Failure(f"the simulator does not start: {first.strip()}")
        # What it has to say is not needed, and must not hold it up.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def tell(self, *lines):
        for line in lines:
            self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def cut(self):
        self.process.kill()
        self.process.wait()


class Line:
    """A serial line from the host into an adapter of the machine."""

    def __init__(self, bench, name, path):
        self.bench = bench
        self.name = name
        self.path = path
        self.plugged = False

    def plug(self, port):
        address = {"type": "unix", "data": {"path": self.path}}
        self.bench.adapter(self.name, {"type": "socket", "data": {"addr": address, "server": True, "wait": False}}, port)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self.path)
        self.plugged = True

    def send(self, data):
        self.socket.sendall(data)

    def received(self):
        """What the machine has said to the device so far."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(4096)
        except BlockingIOError:
            return b""
        finally:
            self.socket.setblocking(True)


def extracted(deb, folder):
    """The programs of the package, for use on the host."""
    if not os.path.isdir(folder):
        subprocess.run(["dpkg-deb", "--extract", deb, folder], check=True, capture_output=True)
    return f"{folder}/usr/bin/stockgate"
