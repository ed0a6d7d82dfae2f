"""The number of disk syncs at 1,000 pay-results a second."""

import re
import signal
import subprocess
import time
from dataclasses import dataclass

from bench import oha, tools
from bench.call import CALLS

RATE = 1000

_COMMITS = "relay_journal_commits_total"


@dataclass(frozen=True)
class Syncs:
    """Disk syncs per second, and how they were counted."""

    calls_per_second: float
    per_second: float
    counted_by: str


def measure(relays, transport, relay, seconds):
    """Sends 1,000 pay-results a second to the gateway and counts disk syncs meanwhile."""
    gateway = relays.get(transport, relay)
    lines = _lines(relays.environment, 100_000)
    load = oha.start(relays.environment, CALLS["pay_result"], gateway.url(), RATE, seconds + 2, lines=lines)
    time.sleep(1)
    if gateway.metrics().has(_COMMITS):
        count, counted_by = _by_metric(gateway, seconds), f"`{_COMMITS}`"
    else:
        count, counted_by = _by_strace(gateway, seconds), "strace of fsync and fdatasync"
    return Syncs(oha.finish(load).calls_per_second, count / seconds, counted_by)


def _by_metric(gateway, seconds):
    before = gateway.metrics().total(_COMMITS)
    time.sleep(seconds)
    return gateway.metrics().total(_COMMITS) - before


def _by_strace(gateway, seconds):
    command = [tools.find("strace"), "-f", "-c", "-U", "calls,name", "-e", "trace=fsync,fdatasync"]
    counting = subprocess.Popen(
        [*command, "-p", str(gateway.child.pid)], stderr=subprocess.PIPE, text=True
    )
    time.sleep(seconds)
    counting.send_signal(signal.SIGINT)
    table = counting.communicate()[1]
    return sum(int(count) for count in re.findall(r"^\s*(\d+)\s+(?:fsync|fdatasync)$", table, re.MULTILINE))


def _lines(environment, count):
    """Writes a file with one pay-result per line. oha draws lines at random; with this many, few repeat."""
    file = environment.folder / "pay_results.txt"
    body = CALLS["pay_result"].body.read_text().strip()
    with file.open("w") as lines:
        for number in range(count):
            lines.write(body.replace("@NUMBER@", f"{9_000_000_000 + number}") + "\n")
    return file
