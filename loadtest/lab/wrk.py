"""A closed load by wrk: so many connections, each with one call under way at all times."""

import itertools
import math
import os
import re
import subprocess
from dataclasses import dataclass

from lab import tools
from lab.paths import BODIES

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}

# Numbered calls of one run never come twice: each load begins where no other one gets to.
_number = itertools.count(1_000_000_000, 2_000_000)


@dataclass(frozen=True)
class Closed:
    """What wrk tells at its end."""

    calls: int
    faulty: int
    p50_seconds: float
    p99_seconds: float


def start(lab, call, url, connections, seconds):
    """Starts the load; `finish` waits for its end."""
    command = ["taskset", "-c", lab.load_cores, tools.find("wrk"), "-t1", f"-c{connections}"]
    command += [f"-d{math.ceil(seconds)}s", "--latency", "--timeout", "10s"]
    command += ["-s", str(BODIES / call.script), _target(call, url), "--", str(call.body), *call.headers]
    env = {**os.environ, "CALL_PATH": call.path}
    if call.numbers:
        env["NUMBER_FROM"], env["NUMBER_SPAN"] = map(str, call.numbers)
    else:
        env["NUMBER_FROM"] = str(next(_number))
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _target(call, url):
    return url if "@" in call.path else url + call.path


def finish(load):
    """The end of a load that was started."""
    text = load.communicate()[0]
    calls = re.search(r"(\d+) requests in", text)
    if load.returncode or not calls:
        raise RuntimeError(f"wrk failed: {text}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    faulty = int(refused[1]) if refused else 0
    faulty += sum(map(int, broken.groups())) if broken else 0
    return Closed(int(calls[1]), faulty, _percentile(text, 50), _percentile(text, 99))


def _percentile(text, share):
    found = re.search(rf"^\s+{share}%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"wrk tells no {share}% latency: {text}")
    return float(found[1]) * _UNITS[found[2]]
