"""An open load by oha: so many calls a second, whether or not the answers come.

Latencies count from the moment at which a call was due (`--latency-correction`), so that a slow answer
cannot hide the calls that wait behind it. oha's clock ticks once a millisecond: above 1,000 calls a
second they come in bursts, and a call's latency holds the part of the burst before it, direct or not.
"""

import json
import subprocess
from dataclasses import dataclass

from lab import tools


@dataclass(frozen=True)
class Open:
    """What oha tells at its end."""

    calls_per_second: float
    faulty: int
    p50_seconds: float
    p99_seconds: float


def start(lab, call, url, rate, seconds, connections=32, lines=None):
    """Starts the load; `lines` is a file with a body per line, of which each call takes one."""
    command = ["taskset", "-c", lab.load_cores, tools.oha(), "--no-tui", "--output-format", "json"]
    command += ["--worker-threads", "1", "-z", f"{seconds}s", "-q", str(round(rate)), "-c", str(connections)]
    command += ["--latency-correction", "--insecure", "-w", "-t", "10s", "-m", "POST"]
    command += ["-T", "application/json;charset=utf-8"]
    for header in call.headers:
        command += ["-H", header]
    command += ["-Z", str(lines)] if lines else ["-D", str(call.body)]
    command.append(url + call.path)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(load):
    """The end of a load that was started."""
    text, errors = load.communicate()
    if load.returncode:
        raise RuntimeError(f"oha failed: {errors}")
    told = json.loads(text)
    statuses = told["statusCodeDistribution"]
    faulty = sum(count for status, count in statuses.items() if not status.startswith("2"))
    faulty += sum(count for error, count in told["errorDistribution"].items() if "deadline" not in error)
    percentiles = told["latencyPercentiles"]
    return Open(told["summary"]["requestsPerSec"], faulty, percentiles["p50"], percentiles["p99"])
