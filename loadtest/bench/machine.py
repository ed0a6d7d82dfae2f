"""A description of the machine for a report."""

import os
import pathlib
import platform
import re
import subprocess

from bench import tools
from bench.paths import LOADTEST


def description():
    """Returns lines for the head of a report."""
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    load = os.getloadavg()
    return [
        f"{len(os.sched_getaffinity(0))} cores of {cpu[1] if cpu else platform.machine()}, "
        f"{int(memory[1]) / 1024 / 1024:.0f} GiB, Linux {platform.release()}",
        f"nginx {_version('nginx', '-v')}, HAProxy {_version('haproxy', '-v')}, "
        f"Redis {_version('redis-server', '--version')}, gateway of commit {_commit()}",
        f"load average at the start {load[0]:.2f} (other work on the machine)",
    ]


def _version(program, option):
    output = subprocess.run([tools.find(program), option], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+\.\d+", output.stdout + output.stderr)
    return found[0] if found else "of unknown version"


def _commit():
    command = ["git", "-C", LOADTEST, "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
