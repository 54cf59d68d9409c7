"""Runs in the machine: takes requests from the host, one JSON object a line, over a virtio-serial port, and answers in kind.

Requests carry `id` and `do`. Each runs in a thread of its own, so a command that follows something does not hold up the next.
"""

import base64
import json
import os
import subprocess
import sys
import threading
import time

import gadgets

PORT = "/dev/virtio-ports/lab"


class Agent:
    def __init__(self, port):
        self.port = port
        self.lock = threading.Lock()
        self.followed = {}

    def answer(self, number, **members):
        line = json.dumps({"id": number, **members}).encode() + b"\n"
        with self.lock:
            while line:
                line = line[os.write(self.port, line):]

    def serve(self):
        held = b""
        while True:
            part = os.read(self.port, 65536)
            if not part:
                # Nobody has the other end: the host comes, or comes back.
                time.sleep(0.05)
                continue
            *lines, held = (held + part).split(b"\n")
            for line in lines:
                try:
                    request = json.loads(line)
                except ValueError:
                    # What was under way when the machine was frozen and another host took over.
                    continue
                threading.Thread(target=self.perform, args=(request,), daemon=True).start()

    def perform(self, request):
        number = request["id"]
        try:
            result = getattr(self, "do_" + request["do"])(request)
            self.answer(number, **(result or {}))
        except Exception as error:
            self.answer(number, error=f"{type(error).__name__}: {error}")

    def do_hello(self, request):
        return {"uptime": time.clock_gettime(time.CLOCK_BOOTTIME)}

    def do_run(self, request):
        done = subprocess.run(
            ["/bin/sh", "-c", request["command"]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=request["timeout"])
        return {"status": done.returncode, "output": done.stdout.decode(errors="replace")}

    def do_follow(self, request):
        """Every line that a command prints, until it ends or is told to."""
        process = subprocess.Popen(
            ["/bin/sh", "-c", "exec " + request["command"]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.followed[request["id"]] = process
        for line in process.stdout:
            self.answer(request["id"], line=line.decode(errors="replace").rstrip("\n"))
        return {"status": process.wait(), "ended": True}

    def do_unfollow(self, request):
        process = self.followed.pop(request["follow"], None)
        if process:
            process.terminate()

    def do_write(self, request):
        with open(request["path"], "wb") as file:
            file.write(base64.b64decode(request["bytes"]))

    def do_plug(self, request):
        gadgets.Gadget(request["name"]).plug(request["port"], request["description"])

    def do_unplug(self, request):
        gadgets.Gadget(request["name"]).unplug()

    def do_remove(self, request):
        gadgets.Gadget(request["name"]).remove()

    def do_send(self, request):
        """Bytes from the device to the machine."""
        gadgets.Gadget(request["name"]).send(base64.b64decode(request["bytes"]))

    def do_reports(self, request):
        gadgets.Gadget(request["name"]).reports([base64.b64decode(report) for report in request["reports"]])

    def do_heard(self, request):
        """What the machine said to the device so far."""
        return {"bytes": base64.b64encode(gadgets.Gadget(request["name"]).heard()).decode()}

    def do_burst(self, request):
        """Lines at a given pace, each with the next number, until the power goes."""
        gadget = gadgets.Gadget(request["name"])
        for number in range(request["first"], request["first"] + request["count"]):
            gadget.send((request["form"] % number).encode())
            time.sleep(request["pause"])


def main():
    gadgets.load_drivers()
    Agent(os.open(PORT, os.O_RDWR)).serve()


if __name__ == "__main__":
    sys.exit(main())
