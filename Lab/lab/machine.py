"""One virtual machine: its process, the channel to the agent in it, and QEMU's own control (QMP)."""

import base64
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time


class Failure(Exception):
    """A scenario did not see what it expected."""


class Channel:
    """JSON lines over a Unix socket that QEMU serves."""

    def __init__(self, path, process, take):
        deadline = time.monotonic() + 20
        while True:
            try:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(path)
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Failure(f"QEMU does not serve {path}")
                time.sleep(0.02)
        self.lock = threading.Lock()
        threading.Thread(target=self.read, args=(take,), daemon=True).start()

    def write(self, message):
        with self.lock:
            self.socket.sendall(json.dumps(message).encode() + b"\n")

    def read(self, take):
        held = b""
        while True:
            try:
                part = self.socket.recv(65536)
            except OSError:
                part = b""
            if not part:
                return take(None)
            *lines, held = (held + part).split(b"\n")
            for line in lines:
                try:
                    take(json.loads(line))
                except ValueError:
                    # A line that was cut when the machine was frozen.
                    continue


class Machine:
    def __init__(self, image, disk, folder, *, rtc=None, incoming=None, memory=768):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.answers = {}
        self.number = 0
        self.events = queue.Queue()
        self.replies = queue.Queue()
        self.arrived = threading.Condition()
        arguments = [
            "qemu-system-x86_64", "-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max", "-m", str(memory), "-smp", "2", "-nodefaults",
            "-display", "none", "-vga", "std", "-no-reboot", "-nic", "none",
            "-kernel", image.kernel, "-initrd", image.initrd,
            "-append", "root=/dev/vda rw console=ttyS0 quiet systemd.show_status=false net.ifnames=0 mitigations=off " + image.append,
            "-drive", f"file={disk},if=virtio,format=qcow2,cache=writeback,discard=unmap",
            "-drive", f"file={image.media},if=virtio,format=raw,readonly=on",
            "-serial", f"file:{folder}/console.log",
            "-device", "qemu-xhci,id=usb,p2=8,p3=8",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=lab,path={folder}/lab.sock,server=on,wait=off",
            "-device", "virtserialport,chardev=lab,name=lab",
            "-qmp", f"unix:{folder}/qmp.sock,server=on,wait=off",
            "-rtc", f"base={rtc or 'utc'}",
        ]
        if incoming:
            arguments += ["-incoming", f"exec:cat {incoming}"]
        for name in ["lab.sock", "qmp.sock"]:
            if os.path.exists(f"{folder}/{name}"):
                os.unlink(f"{folder}/{name}")
        self.log = open(f"{folder}/qemu.log", "ab")
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            self.control = Channel(f"{folder}/qmp.sock", self.process, self.take_reply)
            self.agent = Channel(f"{folder}/lab.sock", self.process, self.take_answer)
            self.replies.get(timeout=20)
            self.steer("qmp_capabilities")
            if not incoming:
                self.await_agent()
        except BaseException:
            self.cut()
            raise

    # QEMU

    def take_reply(self, message):
        if message is None or "event" in message:
            return
        self.replies.put(message)

    def steer(self, command, **arguments):
        self.control.write({"execute": command, "arguments": arguments})
        try:
            reply = self.replies.get(timeout=60)
        except queue.Empty:
            raise Failure(f"QEMU does not answer {command}")
        if "error" in reply:
            raise Failure(f"QEMU refuses {command}: {reply['error']['desc']}")
        return reply["return"]

    def freeze(self, path):
        """Writes the running machine to a file and stops it; its disk is to be copied after that."""
        self.steer("stop")
        self.steer("migrate", uri=f"exec:cat > {path}")
        deadline = time.monotonic() + 120
        while (state := self.steer("query-migrate").get("status")) != "completed":
            if state == "failed" or time.monotonic() > deadline:
                raise Failure(f"the machine was not written: {state}")
            time.sleep(0.1)

    def thaw(self):
        """Lets a machine that was made from such a file go on."""
        deadline = time.monotonic() + 120
        while (state := self.steer("query-status")["status"]) == "inmigrate":
            if time.monotonic() > deadline:
                raise Failure("the machine was not read")
            time.sleep(0.05)
        if state != "running":
            self.steer("cont")
        self.await_agent()

    def cut(self):
        """The power goes: no signal reaches the guest, and what is only in its memory is lost."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def await_end(self, seconds=90):
        """The guest switches itself off or restarts; with -no-reboot both end QEMU."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.cut()
            raise Failure(f"the machine did not go down within {seconds} s")
        self.log.close()

    # The agent

    def await_agent(self, seconds=400):
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.ask("hello", patience=5)
            except Failure:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Failure(f"the machine did not come up, see {self.folder}/console.log")

    def take_answer(self, message):
        with self.arrived:
            if message is None:
                self.answers.clear()
            elif message.get("id") in self.answers:
                self.answers[message["id"]].append(message)
            self.arrived.notify_all()

    def begin(self, action, **arguments):
        with self.arrived:
            self.number += 1
            number = self.number
            self.answers[number] = []
        try:
            self.agent.write({"id": number, "do": action, **arguments})
        except OSError as error:
            raise Failure(f"the machine is gone: {error}")
        return number

    def ask(self, action, patience=60, **arguments):
        number = self.begin(action, **arguments)
        with self.arrived:
            done = self.arrived.wait_for(lambda: self.answers.get(number) != [], patience)
            got = self.answers.pop(number, None)
        if not done or got is None:
            raise Failure(f"the machine does not answer: {action} {arguments.get('command', '')}")
        if "error" in got[0]:
            raise Failure(f"{action}: {got[0]['error']}")
        return got[0]

    def complaints(self):
        """What went wrong in the machine with requests that go on by themselves."""
        with self.arrived:
            return [answer["error"] for answers in self.answers.values() for answer in answers if "error" in answer]

    def run(self, command, *, timeout=60, check=True):
        """Runs a command as root. Without `check` it may fail; the output is what it printed."""
        answer = self.ask("run", patience=timeout + 15, command=command, timeout=timeout)
        self.status = answer["status"]
        if check and self.status != 0:
            raise Failure(f"`{command}` ended with {self.status}: {answer['output'].strip()[-600:]}")
        return answer["output"]

    def write(self, path, data):
        data = data.encode() if isinstance(data, str) else data
        self.ask("write", path=path, bytes=base64.b64encode(data).decode())

    def follow(self, command):
        return Followed(self, command)


class Followed:
    """The lines of a command that goes on, as they arrive at the host."""

    def __init__(self, machine, command):
        self.machine = machine
        self.number = machine.begin("follow", command=command)
        self.seen = []

    def lines(self):
        with self.machine.arrived:
            got = self.machine.answers.get(self.number) or []
            self.seen += [message["line"] for message in got if "line" in message]
            got.clear()
        return self.seen

    def end(self):
        self.machine.ask("unfollow", follow=self.number)
