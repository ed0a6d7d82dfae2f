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
    # Answered with another status than 2xx.
    refused: int
    # Not answered at all.
    failed: int
    p50_seconds: float
    p99_seconds: float

    def is_as_meant(self, refused):
        """Whether this share of the calls was refused, to a hundredth where it is not none, and none failed."""
        off = abs(self.refused / max(self.calls, 1) - refused)
        return not self.failed and off <= (0.01 if refused else 0)


def start(lab, call, url, connections, seconds):
    """Starts the load; `finish` waits for its end."""
    env = {"CALL_PATH": call.path}
    if call.numbers:
        env["NUMBER_FROM"], env["NUMBER_SPAN"] = map(str, call.numbers)
    else:
        env["NUMBER_FROM"] = str(next(_number))
    arguments = [str(call.body), *call.headers]
    return _start(lab, call.script, arguments, env, _target(call, url), connections, seconds)


def start_mixed(lab, calls, url, connections, seconds):
    """Starts a load of these calls by turns, of which none has numbers; `finish` waits for its end."""
    arguments = [word for call in calls for word in ("--call", call.path, str(call.body), *call.headers)]
    return _start(lab, "mixed.lua", arguments, {}, url, connections, seconds)


def _start(lab, script, arguments, env, target, connections, seconds):
    command = ["taskset", "-c", lab.load_cores, tools.find("wrk"), "-t1", f"-c{connections}"]
    command += [f"-d{math.ceil(seconds)}s", "--latency", "--timeout", "10s"]
    command += ["-s", str(BODIES / script), target, "--", *arguments]
    env = {**os.environ, **env}
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
    failed = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return Closed(
        int(calls[1]), int(refused[1]) if refused else 0, sum(map(int, failed.groups())) if failed else 0,
        _percentile(text, 50), _percentile(text, 99),
    )


def _percentile(text, share):
    found = re.search(rf"^\s+{share}%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"wrk tells no {share}% latency: {text}")
    return float(found[1]) * _UNITS[found[2]]
