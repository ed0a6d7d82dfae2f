"""How many disk syncs pay-results cost at 1,000 a second."""

import re
import signal
import subprocess
import time
from dataclasses import dataclass

from lab import oha, tools
from lab.call import CALLS

RATE = 1000

_COMMITS = "relay_journal_commits_total"


@dataclass(frozen=True)
class Syncs:
    """Per second, and how they were counted."""

    calls_per_second: float
    per_second: float
    counted_by: str


def measure(field, transport, relay, seconds):
    """Puts 1,000 pay-results a second on the gateway and counts for as long as they come."""
    gateway = field.relay(transport, relay)
    lines = _lines(field.lab, 100_000)
    load = oha.start(field.lab, CALLS["pay_result"], gateway.url(), RATE, seconds + 2, lines=lines)
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
    told = counting.communicate()[1]
    return sum(int(count) for count in re.findall(r"^\s*(\d+)\s+(?:fsync|fdatasync)$", told, re.MULTILINE))


def _lines(lab, count):
    """A file with a pay-result per line. oha draws lines at random: with so many, few come twice."""
    file = lab.folder / "pay_results.txt"
    body = CALLS["pay_result"].body.read_text().strip()
    with file.open("w") as lines:
        for number in range(count):
            lines.write(body.replace("@NUMBER@", f"{9_000_000_000 + number}") + "\n")
    return file
