"""10,000 idle connections and 1,000 that drip bytes.

What a connection costs in memory, what other callers notice, and whether all are closed in time: idle ones
after `limits.idle_timeout` (60 s), dripped heads after `limits.head_timeout` (5 s), dripped bodies within
the budget (3 s).
"""

import time

from hostile import probe
from hostile.besieged import besieged
from hostile.drip import Drip
from hostile.idle import Idle
from lab import usage
from lab.objective import Objective, at_most

IDLE = 10_000
DRIPPING = 1_000
SLACK_SECONDS = 2


def play(lab, options):
    """Everything in one run."""
    gateway = besieged(lab, "tls" if options.tls else "plain")
    pids = [gateway.child.pid]
    probe.measure(lab, gateway, options.rate, 3)
    alone = probe.measure(lab, gateway, options.rate, options.seconds)
    empty = usage.memory_bytes(pids)
    idle = Idle(gateway.port, IDLE, options.tls)
    time.sleep(1)
    crowded = usage.memory_bytes(pids)
    drip = Drip(gateway.port, DRIPPING, options.tls)
    drip.await_all()
    dripping = usage.memory_bytes(pids)
    held = gateway.metrics().total("relay_connections_open")
    print(f"open connections: {held:.0f}; memory: {empty / 2**20:.1f} MiB without any, "
          f"{crowded / 2**20:.1f} MiB with {IDLE} idle, {dripping / 2**20:.1f} MiB with {DRIPPING} dripping too")
    beside = probe.measure(lab, gateway, options.rate, options.seconds)
    drip.stop()
    print(f"the probe: without {probe.told(alone)}; with {probe.told(beside)}")
    yield at_most("memory of an idle connection", (crowded - empty) / IDLE / 1024, 64, "KiB")
    yield at_most("memory of a dripping connection", (dripping - crowded) / DRIPPING / 1024, 64, "KiB")
    yield probe.none_faulty("other callers", alone, beside)
    yield at_most("their p99 beside the crowd", beside.p99_seconds * 1e3, 50, "ms")
    yield from _closings("dripped heads", drip.ages("head"), 5)
    yield from _closings("dripped bodies", drip.ages("body"), 3)
    yield Objective("what they were answered", set(drip.statuses) <= {"408"}, str(dict(drip.statuses)))
    yield from _closings("idle connections", idle.await_closed(60 + 20), 60)
    left = gateway.metrics().total("relay_connections_open")
    yield Objective("connections left", left == 0, f"{left:.0f}")


def _closings(name, ages, seconds):
    """How long connections lived, beside how long they may."""
    ages = list(ages)
    if not ages:
        yield Objective(f"{name} closed", False, "none")
        return
    found = f"{len(ages)} closed after {min(ages):.2f} to {max(ages):.2f} s, allowed {seconds}"
    yield Objective(f"{name} closed", max(ages) <= seconds + SLACK_SECONDS, found)
