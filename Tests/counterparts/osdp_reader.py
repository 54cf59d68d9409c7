#!/usr/bin/env python3
"""An OSDP reader by LibOSDP, the independent counterpart of the panel.

    osdp_reader.py TERMINAL ADDRESS [secure]

Opens the terminal as its serial line and prints "ready". Then it prints a JSON line for every command that it received, and takes JSON
lines from standard input: {"card": "8F80A8C0", "bits": 26} holds a card before the reader, {"status": "local" | "input", "report":
"0100"} reports a state, one byte each, {"silent": true} stops answering, as a broken wire would. It ends when standard input ends. With `secure` the reader
demands the secure channel.
"""

import json
import os
import sys
import termios
import threading
import tty

import osdp

COMMANDS = {
    osdp.Command.Output: "output",
    osdp.Command.LED: "led",
    osdp.Command.Buzzer: "buzzer",
    osdp.Command.Text: "text",
    osdp.Command.Status: "status",
}
STATUS = {"local": osdp.StatusReportType.Local, "input": osdp.StatusReportType.Input}
CAPABILITIES = osdp.PDCapabilities([
    (osdp.Capability.ContactStatusMonitoring, 1, 2),
    (osdp.Capability.OutputControl, 1, 1),
    (osdp.Capability.CardDataFormat, 1, 1),
    (osdp.Capability.LEDControl, 1, 1),
    (osdp.Capability.AudibleControl, 2, 1),
    (osdp.Capability.CheckCharacter, 1, 0),
    (osdp.Capability.Readers, 0, 1),
])
printing = threading.Lock()


def tell(message):
    with printing:
        print(json.dumps(message, default=lambda value: value.hex() if isinstance(value, bytes) else str(value)), flush=True)


class Terminal(osdp.Channel):
    def __init__(self, path):
        super().__init__()
        self.descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.descriptor)
        termios.tcflush(self.descriptor, termios.TCIOFLUSH)
        self.is_silent = False

    def read(self, max_bytes):
        try:
            data = os.read(self.descriptor, max_bytes)
        except BlockingIOError:
            return b""
        return b"" if self.is_silent else data

    def write(self, data):
        if self.is_silent:
            return len(data)
        try:
            return os.write(self.descriptor, data)
        except BlockingIOError:
            return 0

    def flush(self):
        pass


def received(command):
    kind = COMMANDS.get(command["command"], str(command["command"]))
    tell({**command, "command": kind})
    return 0, {**command, "report": bytes(2)} if kind == "status" else None


def main():
    path, address = sys.argv[1:3]
    is_secure = sys.argv[3:] == ["secure"]
    terminal = Terminal(path)
    reader = osdp.PeripheralDevice(
        osdp.PDInfo(
            int(address), terminal, scbk=bytes(range(16)) if is_secure else None,
            flags=[osdp.LibFlag.EnforceSecure] if is_secure else [],
            id=osdp.PdId(version=1, model=2, vendor_code=0x80265C, serial_number=0x12345678, firmware_version=0x0A0B0C)),
        CAPABILITIES, log_level=osdp.LogLevel.Emergency, command_handler=received)
    reader.start()
    try:
        tell("ready")
        follow(reader, terminal)
    finally:
        reader.stop()
        # The library's own end is not waited for: version 3.2.9 crashes in it.
        os._exit(0)


def follow(reader, terminal):
    for line in sys.stdin:
        order = json.loads(line)
        if "card" in order:
            reader.submit_event({
                "event": osdp.Event.CardRead, "reader_no": 0, "direction": 0, "format": osdp.CardFormat.Wiegand,
                "length": order["bits"], "data": bytes.fromhex(order["card"]),
            })
        elif "status" in order:
            reader.submit_event({
                "event": osdp.Event.Status, "type": STATUS[order["status"]], "report": bytes.fromhex(order["report"]),
            })
        elif "silent" in order:
            terminal.is_silent = order["silent"]


if __name__ == "__main__":
    main()
