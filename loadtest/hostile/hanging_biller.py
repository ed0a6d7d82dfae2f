"""One biller hangs with 500 calls. What do the others notice?

Slices with and without the hanging calls alternate within one run; the figure is the ratio of the medians
over the slices. The calls that hang come evenly, as those of many people do; each costs the gateway its
whole budget of three seconds and an upstream connection.
"""

import statistics
import subprocess
import time

from hostile import probe
from hostile.besieged import besieged
from lab import tools
from lab.call import CALLS
from lab.objective import Objective, at_most
from lab.simulator import Simulator

CALLS_HANGING = 500
BUDGET_SECONDS = 3
RATIO_MAX = 1.2
BILLER = "B0002"
IN_FLIGHT = "relay_in_flight_requests"


def play(lab, options):
    """Five pairs of slices, or as many as asked for."""
    hanging = Simulator(lab, "hanging", "biller", "--latency", "30s")
    gateway = besieged(lab, billers={BILLER: hanging.url()})
    probe.measure(lab, gateway, options.rate, 3)
    alone, beside, lowest = [], [], []
    for number in range(options.rounds):
        alone.append(probe.measure(lab, gateway, options.rate, options.seconds))
        load = _hang(lab, gateway, options.seconds + 4 * BUDGET_SECONDS)
        _await(gateway, lambda calls: calls >= CALLS_HANGING)
        before = _in_flight(gateway)
        beside.append(probe.measure(lab, gateway, options.rate, options.seconds))
        lowest.append(min(before, _in_flight(gateway)))
        load.terminate()
        load.wait()
        _await(gateway, lambda calls: calls == 0)
        print(f"round {number + 1}: without {probe.told(alone[-1])}; with {lowest[-1]:.0f} hanging "
              f"{probe.told(beside[-1])}", flush=True)
    hung = min(lowest)
    yield Objective("calls that hang", hung >= CALLS_HANGING * 0.98, f"{hung:.0f} or more")
    for name in ("p50_seconds", "p99_seconds"):
        without, with_ = (statistics.median(getattr(one, name) for one in some) for some in (alone, beside))
        print(f"{name}: without {without * 1e3:.3f} ms, with {with_ * 1e3:.3f} ms")
        yield at_most(f"ratio of {name.split('_')[0]}", with_ / without, RATIO_MAX, "times")
    yield probe.none_faulty("the other billers' calls", *alone, *beside)


def _hang(lab, gateway, seconds):
    """Starts a load that keeps so many calls in flight: one after the other, each takes the budget."""
    rate = CALLS_HANGING / BUDGET_SECONDS
    path = CALLS["notice"].path.replace("B0001", BILLER)
    command = ["taskset", "-c", lab.load_cores, tools.oha(), "--no-tui", "--worker-threads", "1"]
    command += ["-z", f"{seconds}s", "-q", f"{rate * 1.02:.0f}", "-c", str(CALLS_HANGING + 12), "-t", "10s"]
    command += ["-m", "POST", "-T", "application/json", "-D", str(CALLS["notice"].body), gateway.url() + path]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _in_flight(gateway):
    return gateway.metrics().total(IN_FLIGHT, biller=BILLER)


def _await(gateway, is_so, seconds=30):
    over = time.monotonic() + seconds
    while not is_so(_in_flight(gateway)):
        if time.monotonic() > over:
            raise RuntimeError(f"{_in_flight(gateway):.0f} calls hang after {seconds} s")
        time.sleep(0.1)
