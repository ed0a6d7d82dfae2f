"""slowhttptest with slow heads, slow bodies and slow reading, while a probe runs."""

import re
import subprocess
import threading
import time

from bench import tools
from bench.objective import at_most
from hostile import probe, under_attack

CONNECTIONS = 1000
# Name and options of each mode; it sends a line or a byte every second, as long as the gateway allows.
MODES = {
    "slow heads (-H)": ["-H", "-i", "1"],
    "slow bodies (-B)": ["-B", "-i", "1", "-s", "8192", "-t", "POST"],
    "slow reading (-X)": ["-X", "-k", "3", "-n", "1", "-w", "10", "-y", "20", "-z", "5", "-t", "POST"],
}
# slowhttptest ends early once the gateway has closed all connections; it is started again until `stop`.
RUN_SECONDS = 15
# After this time all connections of a run are open and none is closed yet.
SETTLED_SECONDS = 4


def run(environment, options):
    """Measures the probe before and beside each mode."""
    gateway = under_attack.start(environment)
    probe.measure(environment, gateway, options.rate, 3)
    url = gateway.url() + "/kakao/notice/B0001"
    for name, mode in MODES.items():
        alone = probe.measure(environment, gateway, options.rate, options.seconds)
        attack = _Attack(environment, mode, url)
        time.sleep(SETTLED_SECONDS)
        connections = gateway.metrics().total("relay_connections_open")
        beside = probe.measure(environment, gateway, options.rate, options.seconds)
        attack.stop()
        print(f"{name}: {connections:.0f} connections open after {SETTLED_SECONDS} s; {attack.summary()}")
        print(f"  the probe: without {probe.describe(alone)}; with {probe.describe(beside)}", flush=True)
        yield probe.none_faulty(f"{name}: legitimate callers", alone, beside)
        yield at_most(f"{name}: p99 of legitimate callers", beside.p99_seconds * 1e3, 50, "ms")


class _Attack:
    """Runs of slowhttptest, one after the other, until `stop`."""

    def __init__(self, environment, mode, url):
        self._log = environment.folder / f"slowhttptest{mode[0]}.log"
        self._command = ["taskset", "-c", environment.load_cores, tools.find("slowhttptest"), *mode, "-u", url]
        self._command += ["-c", str(CONNECTIONS), "-r", "500", "-l", str(RUN_SECONDS), "-p", "3"]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        """Waits for the end of the current run and starts no other."""
        self._stopped.set()
        self._thread.join()

    def summary(self):
        """Returns the number of runs and slowhttptest's result of the last one."""
        text = re.sub(r"\x1b\[[0-9;]*m", "", self._log.read_text(errors="replace"))
        found = dict(re.findall(r"(service available|Exit status):\s+(.+)", text))
        result = ", ".join(f"{key}: {value.strip()}" for key, value in found.items())
        return f"{text.count('Exit status')} runs, the last one: {result or 'no result'}"

    def _run(self):
        with self._log.open("w") as log:
            while not self._stopped.is_set():
                subprocess.run(self._command, stdout=log, stderr=subprocess.STDOUT, check=False)
