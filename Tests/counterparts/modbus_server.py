#!/usr/bin/env python3
"""Modbus units for tests, served by pymodbus: independent of the gateway's code and of libmodbus.

    modbus_server.py tcp [--port N] UNIT...
    modbus_server.py rtu [--link PATH] UNIT...

Every unit has 64 coils, 64 discrete inputs, 64 holding and 64 input registers, all zero, from address 0 on.
tcp listens on 127.0.0.1; rtu makes two pairs of pseudo-terminals and joins them like a cable. Prints the port or the path of the
terminal as one line, then takes one command a line on standard input and answers each with one line of JSON; ends with its end.

    {"set": "discrete", "unit": 1, "address": 0, "values": [true]}   also "coils", "holding", "input"
    {"get": "coils", "unit": 1, "address": 0, "count": 8}            answers {"values": [...]}
    {"unit": 1, "silent": true}                                      does not answer any more
    {"unit": 1, "delay_ms": 50}                                      answers late
    {"unit": 1, "exception": 2}                                      answers with this exception; 0: no longer
    {"count": true}                                                  answers {"requests": {"1": N, ...}}
"""

import argparse
import asyncio
import json
import logging
import os
import pty
import sys
import threading
import tty

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

FUNCTIONS = {"coils": 1, "discrete": 2, "holding": 3, "input": 4}
WRITES = {"coils": 15, "holding": 16}
SIZE = 64


class Unit:
    """The behaviour of one unit."""

    def __init__(self, number):
        self.number = number
        self.silent = False
        self.delay = 0
        self.exception = 0
        self.requests = 0
        # The commands below also come through the action; those are neither counted nor delayed.
        self.is_own = False

    async def action(self, function, start, address, count, registers, values):
        if self.is_own:
            return None
        self.requests += 1
        if self.silent:
            await asyncio.sleep(86_400)
        if self.delay:
            await asyncio.sleep(self.delay / 1_000)
        return ExcCodes(self.exception) if self.exception else None

    def device(self):
        def bits():
            return [SimData(0, values=[False] * SIZE, datatype=DataType.BITS)]

        def registers():
            return [SimData(0, count=SIZE, values=0, datatype=DataType.REGISTERS)]

        return SimDevice(id=self.number, simdata=(bits(), bits(), registers(), registers()), action=self.action)


def join_terminals(link):
    """Two pseudo-terminals whose far ends are copied into each other; gives the names of the near ends."""
    masters, names = [], []
    for _ in range(2):
        master, slave = pty.openpty()
        tty.setraw(master)
        tty.setraw(slave)
        masters.append(master)
        # The slave stays open: a terminal that nobody has open reads as an error.
        names.append(os.ttyname(slave))

    def copy(source, target):
        while True:
            try:
                os.write(target, os.read(source, 4_096))
            except OSError:
                return

    for source, target in [(masters[0], masters[1]), (masters[1], masters[0])]:
        threading.Thread(target=copy, args=(source, target), daemon=True).start()
    if link:
        os.symlink(names[0], link)
        names[0] = link
    return names


async def perform(server, units, command):
    unit = units.get(command.get("unit"))
    if "count" in command and "get" not in command:
        return {"requests": {str(unit.number): unit.requests for unit in units.values()}}
    if unit is None:
        return {"error": "no such unit"}
    if "set" in command or "get" in command:
        unit.is_own = True
        try:
            if "set" in command:
                # Writing is defined for what a client can write; inputs are written through the function that reads them.
                kind = command["set"]
                await server.context.async_setValues(
                    unit.number, WRITES.get(kind, FUNCTIONS[kind]), command["address"], command["values"])
                return {}
            values = await server.context.async_getValues(
                unit.number, FUNCTIONS[command["get"]], command["address"], command["count"])
            return {"values": list(values)}
        finally:
            unit.is_own = False
    unit.silent = command.get("silent", unit.silent)
    unit.delay = command.get("delay_ms", unit.delay)
    unit.exception = command.get("exception", unit.exception)
    return {}


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["tcp", "rtu"])
    parser.add_argument("units", nargs="+", type=int)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--link")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    units = {number: Unit(number) for number in arguments.units}
    devices = [unit.device() for unit in units.values()]
    if arguments.kind == "tcp":
        server = ModbusTcpServer(devices, address=("127.0.0.1", arguments.port))
        await server.serve_forever(background=True)
        place = server.transport.sockets[0].getsockname()[1]
    else:
        place, own = join_terminals(arguments.link)
        server = ModbusSerialServer(devices, framer=FramerType.RTU, port=own, baudrate=115_200, ignore_missing_devices=True)
        await server.serve_forever(background=True)
    print(place, flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            answer = await perform(server, units, json.loads(line))
        except Exception as error:  # the test shall see it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    os._exit(0)


asyncio.run(main())
