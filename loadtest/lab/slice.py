"""One slice of a comparison: one relay under a closed load for a few seconds."""

import sys
import time
from dataclasses import dataclass

from lab import usage, wrk

# Connections are made, pools filled and code paths warmed before anything is counted.
WARM_SECONDS = 0.6
# The load goes on for so long after the last look.
_REST_SECONDS = 0.4


@dataclass(frozen=True)
class Slice:
    """What a relay took."""

    cpu_seconds_per_call: float
    calls_per_second: float
    busy: float
    p50_seconds: float
    p99_seconds: float
    memory_bytes: float
    upstream_connections: int


class Moment:
    """What had been used and done at one moment."""

    def __init__(self, relays, upstream):
        self.pids = [pid for relay in relays for pid in usage.tree(relay.child.pid)]
        self.requests = upstream.requests()
        self.cpu_seconds = usage.cpu_seconds(self.pids)
        self.at = time.monotonic()


def measure(relays, upstream, loads, seconds, transport="plain", warm=WARM_SECONDS, refused=0.0):
    """Puts the loads on and counts between two moments within: `loads` start and `wrk` ends them.

    A share `refused` of the calls is meant to be refused.

    Completed calls are counted where they arrive, at the upstream, so that start and end of the load,
    and its handshakes, are outside of what is counted.
    """
    running = [load(warm + seconds + _REST_SECONDS) for load in loads]
    time.sleep(warm)
    first = Moment(relays, upstream)
    time.sleep(seconds)
    last = Moment(relays, upstream)
    memory = usage.memory_bytes(last.pids)
    connections = usage.connections_to(last.pids, upstream.port(transport))
    ends = [wrk.finish(one) for one in running]
    if not all(end.is_as_meant(refused) for end in ends):
        sys.exit(f"{relays[0].name}: {ends}; nothing can be compared with faulty answers")
    # The second moment's own question is one of the requests.
    calls = last.requests - first.requests - 1
    if calls <= 0:
        sys.exit(f"{relays[0].name}: no call reached the upstream")
    cpu, took = last.cpu_seconds - first.cpu_seconds, last.at - first.at
    return Slice(
        cpu / calls, calls / took, cpu / took,
        max(end.p50_seconds for end in ends), max(end.p99_seconds for end in ends), memory, connections,
    )


def closed(lab, call, relay, transport, connections):
    """A closed load of one call on one relay, to be started for so many seconds."""
    return lambda seconds: wrk.start(lab, call, relay.url(transport), connections, seconds)
