"""Two workers compared with one, by CPU per call.

Load and upstream need cores too, so throughput cannot double on two cores. CPU per call shows the same: two
workers carry twice the calls, less what sharing adds to each call. Both gateways may use both cores beside the
same load. One of them has one worker because it was started on one core.
"""

import os
import pathlib
from dataclasses import replace

from bench import growth_row, markdown, rounds
from bench.call import CALLS
from bench.gateway import Gateway, Settings
from bench.slice import closed, measure
from bench.upstream import Upstream

AT_LEAST = 1.8
CONNECTIONS = 64


def rows(environment, options):
    """One call without a journal write (`notice`) and one with (`pay_result`)."""
    both = f"{environment.relay_cores},{environment.load_cores}"
    shared = replace(environment, load_cores=both)
    upstream = Upstream(shared)
    url = upstream.url("plain")
    one = Gateway(environment, "one-worker", url, Settings())
    _allow_cores(one.child.pid, {int(environment.relay_cores), int(environment.load_cores)})
    two = Gateway(environment, "two-workers", url, Settings(cores=both))
    for api in ("notice", "pay_result"):
        def measured(gateway, api=api):
            load = closed(shared, CALLS[api], gateway, "plain", CONNECTIONS)
            return lambda: measure([gateway], upstream, [load], options.seconds)
        found = rounds.alternate(options.rounds, {"one": measured(one), "two": measured(two)})
        cost = {name: [each.cpu_seconds_per_call for each in found[name]] for name in found}
        doubled = rounds.ratio([2 * each for each in cost["one"]], cost["two"])
        what = f"two workers over one, `{api}`, by CPU per call"
        yield growth_row.ratio_at_least(what, doubled, AT_LEAST)
        figures = ", ".join(
            f"{name} {markdown.spread(rounds.Spread.of(cost[name]), 1e6, 1)} µs" for name in cost
        )
        yield growth_row.unbounded(f"CPU per call, `{api}`, workers", figures)
    one.end()
    two.end()
    upstream.child.end()


def _allow_cores(pid, cores):
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)
