"""The relay with a round trip between the gateway and a server."""

import pathlib
import sys

from bench.child import Child
from bench.port import free_port

_PROGRAM = pathlib.Path(__file__).resolve().parent / "round_trip.py"


class Relay:
    """A process that listens at as many ports as billers are needed, so that each has a pool of its own."""

    def __init__(self, site, round_trip_milliseconds, count):
        self.ports = [free_port() for _ in range(count)]
        self._log = site.folder / "round-trip.log"
        command = [sys.executable, _PROGRAM, site.port, round_trip_milliseconds, *self.ports]
        self.child = Child("round-trip", command, self._log)
        self.child.await_port(self.ports[-1])

    def connections(self, port):
        """Returns how many connections a port has accepted."""
        return self._log.read_text().split().count(str(port))
