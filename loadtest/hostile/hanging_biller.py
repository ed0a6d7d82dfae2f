"""The latency of other billers while one biller hangs with 500 calls.

Slices with and without the hanging calls alternate; the figure is the ratio of the medians over the slices. The
hanging calls arrive evenly, as those of many payers do. Each takes the whole budget of three seconds and an upstream
connection.
"""

import statistics
import subprocess
import time

from bench import tools
from bench.call import CALLS
from bench.objective import Objective, at_most
from bench.simulator import Simulator
from hostile import probe, under_attack

CALLS_HANGING = 500
BUDGET_SECONDS = 3
RATIO_MAX = 1.2
BILLER = "B0002"
IN_FLIGHT = "relay_in_flight_requests"


def run(environment, options):
    """Measures `options.rounds` pairs of slices."""
    hanging = Simulator(environment, "hanging", "biller", "--latency", "30s")
    gateway = under_attack.start(environment, billers={BILLER: hanging.url()})
    probe.measure(environment, gateway, options.rate, 3)
    alone, beside, lowest = [], [], []
    for number in range(options.rounds):
        alone.append(probe.measure(environment, gateway, options.rate, options.seconds))
        load = _start_hanging_calls(environment, gateway, options.seconds + 4 * BUDGET_SECONDS)
        _await(gateway, lambda calls: calls >= CALLS_HANGING)
        before = _in_flight(gateway)
        beside.append(probe.measure(environment, gateway, options.rate, options.seconds))
        lowest.append(min(before, _in_flight(gateway)))
        load.terminate()
        load.wait()
        _await(gateway, lambda calls: calls == 0)
        print(f"round {number + 1}: without {probe.describe(alone[-1])}; with {lowest[-1]:.0f} hanging "
              f"{probe.describe(beside[-1])}", flush=True)
    hanging_calls = min(lowest)
    yield Objective("hanging calls", hanging_calls >= CALLS_HANGING * 0.98, f"{hanging_calls:.0f} or more")
    for name in ("p50_seconds", "p99_seconds"):
        without, with_ = (statistics.median(getattr(one, name) for one in some) for some in (alone, beside))
        print(f"{name}: without {without * 1e3:.3f} ms, with {with_ * 1e3:.3f} ms")
        yield at_most(f"ratio of {name.split('_')[0]}", with_ / without, RATIO_MAX, "times")
    yield probe.none_faulty("the other billers' calls", *alone, *beside)


def _start_hanging_calls(environment, gateway, seconds):
    """Starts a load that keeps `CALLS_HANGING` calls in flight, each for the whole budget."""
    rate = CALLS_HANGING / BUDGET_SECONDS
    path = CALLS["notice"].path.replace("B0001", BILLER)
    command = ["taskset", "-c", environment.load_cores, tools.oha(), "--no-tui", "--worker-threads", "1"]
    command += ["-z", f"{seconds}s", "-q", f"{rate * 1.02:.0f}", "-c", str(CALLS_HANGING + 12), "-t", "10s"]
    command += ["-m", "POST", "-T", "application/json", "-D", str(CALLS["notice"].body), gateway.url() + path]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _in_flight(gateway):
    return gateway.metrics().total(IN_FLIGHT, biller=BILLER)


def _await(gateway, is_reached, seconds=30):
    deadline = time.monotonic() + seconds
    while not is_reached(_in_flight(gateway)):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{_in_flight(gateway):.0f} calls in flight after {seconds} s")
        time.sleep(0.1)
