"""slowhttptest with slow heads, slow bodies and slow reading, while a probe runs."""

import pathlib
import re
import subprocess
import time

from hostile import probe
from hostile.besieged import besieged
from lab import tools
from lab.objective import at_most

CONNECTIONS = 1000
# name | options; a line or a byte every second, for as long as the gateway allows
MODES = {
    "slow heads (-H)": ["-H", "-i", "1"],
    "slow bodies (-B)": ["-B", "-i", "1", "-s", "8192", "-t", "POST"],
    "slow reading (-X)": ["-X", "-k", "3", "-n", "1", "-w", "10", "-y", "20", "-z", "5", "-t", "POST"],
}


def play(lab, options):
    """The probe before and beside each mode."""
    gateway = besieged(lab)
    probe.measure(lab, gateway, options.rate, 3)
    url = gateway.url() + "/kakao/notice/B0001"
    for name, mode in MODES.items():
        alone = probe.measure(lab, gateway, options.rate, options.seconds)
        log = lab.folder / f"slowhttptest{mode[0]}.log"
        attack = _attack(lab, mode, url, options.seconds + 10, log)
        time.sleep(5)
        held = gateway.metrics().total("relay_connections_open")
        beside = probe.measure(lab, gateway, options.rate, options.seconds)
        attack.wait()
        print(f"{name}: {held:.0f} connections held; {_verdict(log)}")
        print(f"  the probe: without {probe.told(alone)}; with {probe.told(beside)}", flush=True)
        yield probe.none_faulty(f"{name}: other callers", alone, beside)
        yield at_most(f"{name}: their p99", beside.p99_seconds * 1e3, 50, "ms")


def _attack(lab, mode, url, seconds, log):
    command = ["taskset", "-c", lab.load_cores, tools.find("slowhttptest"), *mode, "-u", url]
    command += ["-c", str(CONNECTIONS), "-r", "250", "-l", str(round(seconds)), "-p", "3"]
    return subprocess.Popen(command, stdout=log.open("w"), stderr=subprocess.STDOUT)


def _verdict(log):
    """What slowhttptest itself says at its end."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", pathlib.Path(log).read_text(errors="replace"))
    found = dict(re.findall(r"(service available|Exit status|closed|error):\s+(.+)", text))
    return ", ".join(f"{key}: {value.strip()}" for key, value in found.items()) or "no verdict"
