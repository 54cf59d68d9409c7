#!/usr/bin/env python3
"""Forwards TCP connections and delays every byte, for tests of links that are far away.

    delay_proxy.py --target PORT [--delay-ms N]

Listens on 127.0.0.1, prints its port, forwards to 127.0.0.1:PORT, N milliseconds each way (50), without a limit on the rate, and ends when
standard input closes.
"""

import argparse
import asyncio
import os
import sys
import threading


async def forward(reader, writer, delay):
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue()

    async def take():
        while True:
            data = await reader.read(1 << 18)
            await queue.put((loop.time() + delay, data))
            if not data:
                return

    taking = asyncio.create_task(take())
    try:
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        pass
    finally:
        taking.cancel()


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, default=50)
    options = parser.parse_args()

    async def serve(reader, writer):
        there, away = await asyncio.open_connection("127.0.0.1", options.target, limit=1 << 22)
        await asyncio.gather(
            forward(reader, away, options.delay_ms / 1000), forward(there, writer, options.delay_ms / 1000), return_exceptions=True)
        for end in (writer, away):
            end.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 22)
    print(server.sockets[0].getsockname()[1], flush=True)

    def wait_for_parent():
        while sys.stdin.buffer.read(4096):
            pass
        os._exit(0)

    threading.Thread(target=wait_for_parent, daemon=True).start()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
