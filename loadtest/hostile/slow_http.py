"""slowhttptest with slow heads, slow bodies and slow reading, while a probe runs."""

import re
import subprocess
import threading
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


# A gateway that closes slow connections ends the tool's run early: it is started again and again.
RUN_SECONDS = 15
# By then all of a run's connections are open, and the first of them not yet closed.
SETTLED_SECONDS = 4


def play(lab, options):
    """The probe before and beside each mode."""
    gateway = besieged(lab)
    probe.measure(lab, gateway, options.rate, 3)
    url = gateway.url() + "/kakao/notice/B0001"
    for name, mode in MODES.items():
        alone = probe.measure(lab, gateway, options.rate, options.seconds)
        attack = _Attack(lab, mode, url)
        time.sleep(SETTLED_SECONDS)
        held = gateway.metrics().total("relay_connections_open")
        beside = probe.measure(lab, gateway, options.rate, options.seconds)
        attack.stop()
        print(f"{name}: {held:.0f} connections held after {SETTLED_SECONDS} s; {attack.verdict()}")
        print(f"  the probe: without {probe.told(alone)}; with {probe.told(beside)}", flush=True)
        yield probe.none_faulty(f"{name}: other callers", alone, beside)
        yield at_most(f"{name}: their p99", beside.p99_seconds * 1e3, 50, "ms")


class _Attack:
    """Runs of slowhttptest, one after the other, until it is stopped."""

    def __init__(self, lab, mode, url):
        self._log = lab.folder / f"slowhttptest{mode[0]}.log"
        self._command = ["taskset", "-c", lab.load_cores, tools.find("slowhttptest"), *mode, "-u", url]
        self._command += ["-c", str(CONNECTIONS), "-r", "500", "-l", str(RUN_SECONDS), "-p", "3"]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def stop(self):
        """Waits for the end of the run that is under way."""
        self._stopped.set()
        self._thread.join()

    def verdict(self):
        """What slowhttptest itself says of its last run."""
        text = re.sub(r"\x1b\[[0-9;]*m", "", self._log.read_text(errors="replace"))
        found = dict(re.findall(r"(service available|Exit status):\s+(.+)", text))
        told = ", ".join(f"{key}: {value.strip()}" for key, value in found.items())
        return f"{text.count('Exit status')} runs, the last one: {told or 'no verdict'}"

    def _play(self):
        with self._log.open("w") as log:
            while not self._stopped.is_set():
                subprocess.run(self._command, stdout=log, stderr=subprocess.STDOUT, check=False)
