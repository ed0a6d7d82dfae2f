"""Throughput of two workers over one, where both cores are the gateway's.

Load and upstream need cores too, so that on a machine of two cores throughput itself cannot double.
What can be measured is what a call costs: two workers on two cores carry twice the calls, less what each
call got dearer by sharing. Both gateways float over both cores beside the same load; the one has one
worker because it was started on one core.
"""

import os
import pathlib
from dataclasses import replace

from lab import bound, markdown, rounds
from lab.call import CALLS
from lab.gateway import Gateway, Settings
from lab.slice import closed, measure
from lab.upstream import Upstream

AT_LEAST = 1.8
CONNECTIONS = 64


def rows(lab, options):
    """For a call that only looks things up, and for one that is journalled."""
    both = f"{lab.relay_cores},{lab.load_cores}"
    shared = replace(lab, load_cores=both)
    upstream = Upstream(shared)
    url = upstream.url("plain")
    one = Gateway(lab, "one-worker", url, Settings())
    _set_free(one.child.pid, {int(lab.relay_cores), int(lab.load_cores)})
    two = Gateway(lab, "two-workers", url, Settings(cores=both))
    for api in ("notice", "pay_result"):
        def measured(gateway, api=api):
            load = closed(shared, CALLS[api], gateway, "plain", CONNECTIONS)
            return lambda: measure([gateway], upstream, [load], options.seconds)
        found = rounds.alternate(options.rounds, {"one": measured(one), "two": measured(two)})
        cost = {name: [each.cpu_seconds_per_call for each in found[name]] for name in found}
        doubled = rounds.ratio([2 * each for each in cost["one"]], cost["two"])
        what = f"two workers over one, `{api}`, by CPU per call"
        yield bound.ratio_at_least(what, doubled, AT_LEAST)
        figures = ", ".join(
            f"{name} {markdown.spread(rounds.Spread.of(cost[name]), 1e6, 1)} µs" for name in cost
        )
        yield bound.told(f"CPU per call, `{api}`, workers", figures)
    one.end()
    two.end()
    upstream.child.end()


def _set_free(pid, cores):
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)
