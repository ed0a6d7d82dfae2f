"""Simulated billers and Kakao Pay, with logs of the calls that they received."""

import json
import re

from bench import tools
from bench.child import Child
from bench.port import free_port

_LINE = re.compile(r"^\d+ POST (\S+) (.*)$")


class Simulator:
    """One `relay-simulator` process. A biller process serves many billers, each under its own path."""

    def __init__(self, environment, name, party, *options):
        self.port = free_port()
        self._environment = environment
        folder = environment.folder / name
        folder.mkdir(exist_ok=True)
        command = [tools.release("relay-simulator"), party, "--listen", f"127.0.0.1:{self.port}"]
        command += ["--show-calls", *options]
        self.log = folder / "calls"
        self.child = Child(name, command, self.log, environment.load_cores)
        self.child.await_port(self.port)

    def url(self, code=""):
        return f"http://127.0.0.1:{self.port}" + (f"/{code}" if code else "")

    def payments(self):
        """Returns how often each payment event arrived, by (biller, pay_id, pay_type)."""
        counts = {}
        with self.log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                found = _LINE.match(line)
                if found and found[1].endswith("/kakao/pay-result"):
                    data = json.loads(found[2])["data"]
                    event = (found[1].split("/")[1], data["pay_id"], data["pay_type"])
                    counts[event] = counts.get(event, 0) + 1
        return counts
