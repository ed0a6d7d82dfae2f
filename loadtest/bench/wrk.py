"""A closed load by wrk: every connection always has one call in flight."""

import collections
import itertools
import math
import os
import re
import subprocess
from dataclasses import dataclass

from bench import tools
from bench.paths import BODIES

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}

# No number occurs twice in a run: each load starts beyond the numbers of the one before it.
_number = itertools.count(1_000_000_000, 2_000_000)

# Of a range of numbers, each load takes others than the one before it, as long as there are any: it begins this much
# further on, which is more than a load of some seconds takes.
_TURN = 30_011
_turns = collections.Counter()


@dataclass(frozen=True)
class WrkResult:
    """The results that wrk prints."""

    calls: int
    # Answered with a status other than 2xx.
    refused: int
    # Not answered.
    failed: int
    p50_seconds: float
    p99_seconds: float

    def is_as_expected(self, refused):
        """Returns whether no call failed and this share was refused: exactly if it is 0, else within 0.01."""
        deviation = abs(self.refused / max(self.calls, 1) - refused)
        return not self.failed and deviation <= (0.01 if refused else 0)


def start(environment, call, url, connections, seconds):
    """Starts a load of one call; `finish` waits for its end."""
    env = {"CALL_PATH": call.path}
    if call.numbers:
        env["NUMBER_FROM"], env["NUMBER_SPAN"] = map(str, call.numbers)
        env["NUMBER_TURN"] = str(_turns[call])
        _turns[call] += _TURN
    else:
        env["NUMBER_FROM"] = str(next(_number))
    arguments = [str(call.body), *call.headers]
    return _start(environment, call.script, arguments, env, _target(call, url), connections, seconds)


def start_mixed(environment, calls, url, connections, seconds):
    """Starts a load of these calls in turn, none of which may have numbers; `finish` waits for its end."""
    arguments = [word for call in calls for word in ("--call", call.path, str(call.body), *call.headers)]
    return _start(environment, "mixed.lua", arguments, {}, url, connections, seconds)


def _start(environment, script, arguments, env, target, connections, seconds):
    command = ["taskset", "-c", environment.load_cores, tools.find("wrk"), "-t1", f"-c{connections}"]
    command += [f"-d{math.ceil(seconds)}s", "--latency", "--timeout", "10s"]
    command += ["-s", str(BODIES / script), target, "--", *arguments]
    env = {**os.environ, **env}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _target(call, url):
    return url if "@" in call.path else url + call.path


def finish(load):
    """Waits for the load's end and returns its result."""
    text = load.communicate()[0]
    calls = re.search(r"(\d+) requests in", text)
    if load.returncode or not calls:
        raise RuntimeError(f"wrk failed: {text}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    failed = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return WrkResult(
        int(calls[1]), int(refused[1]) if refused else 0, sum(map(int, failed.groups())) if failed else 0,
        _percentile(text, 50), _percentile(text, 99),
    )


def _percentile(text, share):
    found = re.search(rf"^\s+{share}%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"wrk printed no {share}% latency: {text}")
    return float(found[1]) * _UNITS[found[2]]
