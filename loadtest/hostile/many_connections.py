"""10,000 idle connections and 1,000 slow senders.

Measures what a connection costs in memory, what legitimate callers notice, and whether the gateway closes all
connections in time: idle ones after `limits.idle_timeout` (75 s), slow heads after `limits.head_timeout` (5 s),
slow bodies within the budget (3 s).
"""

import time

from bench import usage
from bench.objective import Objective, at_most
from hostile import probe, under_attack
from hostile.idle_connections import IdleConnections
from hostile.slow_senders import SlowSenders

IDLE = 10_000
SLOW = 1_000
SLACK_SECONDS = 2


def run(environment, options):
    """Yields all objectives from one run."""
    gateway = under_attack.start(environment, "tls" if options.tls else "plain")
    pids = [gateway.child.pid]
    probe.measure(environment, gateway, options.rate, 3)
    alone = probe.measure(environment, gateway, options.rate, options.seconds)
    without = usage.memory_bytes(pids)
    idle = IdleConnections(gateway.port, IDLE, options.tls)
    time.sleep(1)
    with_idle = usage.memory_bytes(pids)
    senders = SlowSenders(gateway.port, SLOW, options.tls)
    senders.await_all()
    with_both = usage.memory_bytes(pids)
    connections = gateway.metrics().total("relay_connections_open")
    print(f"open connections: {connections:.0f}; memory: {without / 2**20:.1f} MiB without any, "
          f"{with_idle / 2**20:.1f} MiB with {IDLE} idle, {with_both / 2**20:.1f} MiB with {SLOW} slow senders too")
    beside = probe.measure(environment, gateway, options.rate, options.seconds)
    senders.stop()
    print(f"the probe: without {probe.describe(alone)}; with {probe.describe(beside)}")
    yield at_most("memory of an idle connection", (with_idle - without) / IDLE / 1024, 64, "KiB")
    yield at_most("memory of a slow sender", (with_both - with_idle) / SLOW / 1024, 64, "KiB")
    yield probe.none_faulty("legitimate callers", alone, beside)
    yield at_most("p99 of legitimate callers", beside.p99_seconds * 1e3, 50, "ms")
    yield from _closings("slow heads", senders.ages("head"), 5)
    yield from _closings("slow bodies", senders.ages("body"), 3)
    yield Objective("statuses of slow senders", set(senders.statuses) <= {"408"}, str(dict(senders.statuses)))
    yield from _closings("idle connections", idle.await_closed(75 + 20), 75)
    left = gateway.metrics().total("relay_connections_open")
    yield Objective("connections left open", left == 0, f"{left:.0f}")


def _closings(name, ages, seconds):
    """Yields an objective that compares the ages of closed connections with the limit."""
    ages = list(ages)
    if not ages:
        yield Objective(f"{name} closed", False, "none")
        return
    found = f"{len(ages)} closed after {min(ages):.2f} to {max(ages):.2f} s, allowed {seconds}"
    yield Objective(f"{name} closed", max(ages) <= seconds + SLACK_SECONDS, found)
