"""A TCP relay that adds a round trip, so that a request and a close can cross: `round_trip.py TARGET MS PORT…`.

Bytes, ends and resets of both directions arrive half of the round trip later, in their order. For every connection the
port is printed.
"""

import asyncio
import collections
import functools
import socket
import struct
import sys


class _Side(asyncio.Protocol):
    """One connection of a pair."""

    def __init__(self, delay_seconds):
        self._delay_seconds = delay_seconds
        self._due = collections.deque()
        self._waiting = []
        self.transport = None
        self.other = None

    def connection_made(self, transport):
        self.transport = transport
        for act in self._waiting:
            act()

    def data_received(self, data):
        self._later(functools.partial(self.other.write, data))

    def eof_received(self):
        self._later(self.other.end)
        return True

    def connection_lost(self, error):
        self._later(self.other.reset if error else self.other.close)

    def write(self, data):
        self._act(lambda: self.transport.write(data))

    def end(self):
        self._act(lambda: self.transport.is_closing() or self.transport.write_eof())

    def close(self):
        self._act(lambda: self.transport.close())

    def reset(self):
        self._act(self._reset)

    def _reset(self):
        if not self.transport.is_closing():
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    def _act(self, act):
        """Acts now, or as soon as the connection stands."""
        if self.transport is None:
            self._waiting.append(act)
        else:
            act()

    def _later(self, act):
        self._due.append(act)
        asyncio.get_running_loop().call_later(self._delay_seconds, self._next)

    def _next(self):
        # The timers of one moment may fire in any order, the acts may not.
        self._due.popleft()()


class _Accepted(_Side):
    """The side of the caller, which opens the other side."""

    def __init__(self, delay_seconds, target):
        super().__init__(delay_seconds)
        self._target = target
        self.other = _Side(delay_seconds)
        self.other.other = self

    def connection_made(self, transport):
        super().connection_made(transport)
        print(transport.get_extra_info("sockname")[1], flush=True)
        self._opening = asyncio.ensure_future(self._open())

    async def _open(self):
        await asyncio.sleep(2 * self._delay_seconds)
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.other, "127.0.0.1", self._target)
        except OSError:
            self.reset()


async def _main(target, milliseconds, *ports):
    loop = asyncio.get_running_loop()
    for port in ports:
        await loop.create_server(lambda: _Accepted(milliseconds / 2000, target), "127.0.0.1", port, backlog=256)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(*map(int, sys.argv[1:])))
