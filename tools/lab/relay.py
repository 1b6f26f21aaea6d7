#!/usr/bin/env python3
"""A branch's WAN line in user space: an HTTP proxy that knows CONNECT only, with one rate for each direction and byte counters.

    relay.py --listen 127.1.255.1:3128 --kbit 8000 --counters FILE

FILE is a JSON object, replaced whole twice a second: {"down": bytes to the branch, "up": bytes from it, "connections": n, "cut": bool}.
SIGUSR1 cuts the line (nothing passes, nothing is refused: as a line that is down), SIGUSR2 mends it.
"""
import argparse
import asyncio
import json
import os
import signal
import time

CHUNK = 8192


class Line:
    """One direction: bytes pass at the rate, in turn."""

    def __init__(self, rate, mended):
        self.rate, self.mended, self.free_at, self.bytes = rate, mended, 0.0, 0

    async def carry(self, reader, writer):
        try:
            while data := await reader.read(CHUNK):
                await self.mended.wait()
                now = time.monotonic()
                self.free_at = max(self.free_at, now) + len(data) / self.rate
                self.bytes += len(data)
                if self.free_at > now:
                    await asyncio.sleep(self.free_at - now)
                await self.mended.wait()
                writer.write(data)
                await writer.drain()
        except (ConnectionError, OSError):
            pass
        finally:
            writer.close()


class Relay:
    def __init__(self, options):
        self.options, self.mended, self.connections = options, asyncio.Event(), 0
        self.mended.set()
        rate = options.kbit * 1000 / 8
        self.down, self.up = Line(rate, self.mended), Line(rate, self.mended)

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).decode("latin-1")
            method, target, _ = head.split("\r\n", 1)[0].split(" ", 2)
            if method != "CONNECT":
                writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
                return
            await self.mended.wait()
            host, port = target.rsplit(":", 1)
            try:
                far_reader, far_writer = await asyncio.open_connection(host, int(port), limit=CHUNK)
            except OSError:
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(self.down.carry(far_reader, writer), self.up.carry(reader, far_writer))
        except (asyncio.IncompleteReadError, asyncio.TimeoutError, asyncio.LimitOverrunError, ValueError, ConnectionError):
            pass
        finally:
            writer.close()

    async def count(self):
        path = self.options.counters
        while True:
            state = {"down": self.down.bytes, "up": self.up.bytes, "connections": self.connections, "cut": not self.mended.is_set()}
            with open(path + ".new", "w", encoding="ascii") as file:
                json.dump(state, file)
            os.replace(path + ".new", path)
            await asyncio.sleep(0.5)

    async def run(self):
        host, port = self.options.listen.rsplit(":", 1)
        server = await asyncio.start_server(self.serve, host, int(port), limit=CHUNK)
        loop = asyncio.get_running_loop()
        stop = loop.create_future()
        loop.add_signal_handler(signal.SIGUSR1, self.mended.clear)
        loop.add_signal_handler(signal.SIGUSR2, self.mended.set)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: stop.done() or stop.set_result(None))
        counting = asyncio.create_task(self.count())
        await stop
        counting.cancel()
        server.close()
        os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--kbit", type=int, default=8000)
    parser.add_argument("--counters", required=True)
    asyncio.run(Relay(parser.parse_args()).run())


if __name__ == "__main__":
    main()
