"""An open load by oha: a constant number of calls a second, independent of the answers.

Latency counts from the moment at which a call was due (`--latency-correction`), so a slow answer cannot hide the
calls that wait behind it. oha's clock ticks once a millisecond: above 1,000 calls a second it sends bursts, and a
call's latency includes the part of the burst before it, with and without a relay.
"""

import json
import subprocess
from dataclasses import dataclass

from bench import tools


@dataclass(frozen=True)
class OhaResult:
    """The results that oha prints."""

    calls_per_second: float
    faulty: int
    p50_seconds: float
    p99_seconds: float


def start(environment, call, url, rate, seconds, connections=32, lines=None):
    """Starts the load. With `lines`, a file with one body per line, each call sends one of them."""
    command = ["taskset", "-c", environment.load_cores, tools.oha(), "--no-tui", "--output-format", "json"]
    command += ["--worker-threads", "1", "-z", f"{seconds}s", "-q", str(round(rate)), "-c", str(connections)]
    command += ["--latency-correction", "--insecure", "-w", "-t", "10s", "-m", "POST"]
    command += ["-T", "application/json;charset=utf-8"]
    for header in call.headers:
        command += ["-H", header]
    command += ["-Z", str(lines)] if lines else ["-D", str(call.body)]
    command.append(url + call.path)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(load):
    """Waits for the load's end and returns its result."""
    text, errors = load.communicate()
    if load.returncode:
        raise RuntimeError(f"oha failed: {errors}")
    report = json.loads(text)
    statuses = report["statusCodeDistribution"]
    faulty = sum(count for status, count in statuses.items() if not status.startswith("2"))
    faulty += sum(count for error, count in report["errorDistribution"].items() if "deadline" not in error)
    percentiles = report["latencyPercentiles"]
    return OhaResult(report["summary"]["requestsPerSec"], faulty, percentiles["p50"], percentiles["p99"])
