"""Child processes of a run: pinned to cores, with their output in a file, ended with the run."""

import atexit
import signal
import socket
import subprocess
import sys
import time

_running = []


class Child:
    """One child process."""

    def __init__(self, name, command, log, cores=None, env=None):
        pinned = ["taskset", "-c", cores] if cores else []
        self.name = name
        self.log = log
        self._file = open(log, "ab")
        self.process = subprocess.Popen(
            [*pinned, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            env=env,
        )
        _running.append(self)

    @property
    def pid(self):
        return self.process.pid

    def await_port(self, port, seconds=60):
        """Waits until the process listens on a port of the loopback."""
        self.await_(lambda: _accepts(port), f"listen on port {port}", seconds)

    def await_(self, is_so, what, seconds=60, every=0.02):
        """Looks `every` so many seconds until `is_so()` holds; exits if the process ends or the time is over."""
        over = time.monotonic() + seconds
        while not is_so():
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended with {self.process.returncode}; its log is {self.log}")
            if time.monotonic() > over:
                sys.exit(f"{self.name} did not {what} in {seconds} s; its log is {self.log}")
            time.sleep(every)

    def kill(self):
        """Ends the process with SIGKILL."""
        self.process.kill()
        self.process.wait()

    def end(self, seconds=15):
        """Sends SIGTERM, then SIGKILL when the time is over; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._file.close()
        if self in _running:
            _running.remove(self)
        return self.process.returncode


def _accepts(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end_all():
    for child in list(reversed(_running)):
        child.end()


def _interrupted(_number, _frame):
    sys.exit(130)


atexit.register(_end_all)
signal.signal(signal.SIGTERM, _interrupted)
