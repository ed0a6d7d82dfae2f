"""One slice of a comparison: one relay under a closed load for a few seconds."""

import sys
import time
from dataclasses import dataclass

from bench import usage, wrk

# Connections are opened, pools filled and code paths warmed before anything is counted.
WARM_SECONDS = 0.6
# How long the load continues after the second moment.
_REST_SECONDS = 0.4


@dataclass(frozen=True)
class Slice:
    """What a relay used and how it answered; `busy` is the share of its core."""

    cpu_seconds_per_call: float
    calls_per_second: float
    busy: float
    p50_seconds: float
    p99_seconds: float
    memory_bytes: float
    upstream_connections: int


class Moment:
    """CPU time used and requests made up to one moment."""

    def __init__(self, relays, upstream):
        self.pids = [pid for relay in relays for pid in usage.tree(relay.child.pid)]
        self.requests = upstream.requests()
        self.cpu_seconds = usage.cpu_seconds(self.pids)
        self.at = time.monotonic()


def measure(relays, upstream, loads, seconds, transport="plain", warm=WARM_SECONDS, refused=0.0):
    """Starts the loads and counts between two moments within them.

    Completed calls are counted where they arrive, at the upstream, so start and end of the load and its handshakes
    are not counted. Exits if a call fails, or if the share of refused calls is not `refused`.
    """
    running = [load(warm + seconds + _REST_SECONDS) for load in loads]
    time.sleep(warm)
    first = Moment(relays, upstream)
    time.sleep(seconds)
    last = Moment(relays, upstream)
    memory = usage.memory_bytes(last.pids)
    connections = usage.connections_to(last.pids, upstream.port(transport))
    results = [wrk.finish(one) for one in running]
    if not all(result.is_as_expected(refused) for result in results):
        sys.exit(f"{relays[0].name}: {results}; nothing can be compared with faulty answers")
    # The second moment's request for the upstream's status counts too.
    calls = last.requests - first.requests - 1
    if calls <= 0:
        sys.exit(f"{relays[0].name}: no call reached the upstream")
    cpu, took = last.cpu_seconds - first.cpu_seconds, last.at - first.at
    return Slice(
        cpu / calls, calls / took, cpu / took,
        max(result.p50_seconds for result in results), max(result.p99_seconds for result in results),
        memory, connections,
    )


def closed(environment, call, relay, transport, connections):
    """Returns a function that starts a closed load of one call on one relay for some seconds."""
    return lambda seconds: wrk.start(environment, call, relay.url(transport), connections, seconds)
