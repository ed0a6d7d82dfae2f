"""Simulated billers and Kakao Pay; what they were asked is in their logs."""

import json
import re

from lab import tools
from lab.child import Child
from lab.port import free_port

_LINE = re.compile(r"^\d+ POST (\S+) (.*)$")


class Simulator:
    """One `relay-simulator`. A biller's process stands for many: each has a path of its own under it."""

    def __init__(self, lab, name, party, *options):
        self.port = free_port()
        self._lab = lab
        folder = lab.folder / name
        folder.mkdir(exist_ok=True)
        command = [tools.release("relay-simulator"), party, "--listen", f"127.0.0.1:{self.port}"]
        command += ["--show-calls", *options]
        self.log = folder / "calls"
        self.child = Child(name, command, self.log, lab.load_cores)
        self.child.await_port(self.port)

    def url(self, code=""):
        return f"http://127.0.0.1:{self.port}" + (f"/{code}" if code else "")

    def payments(self):
        """How often each payment event was told to each biller: by (biller, pay_id, pay_type)."""
        told = {}
        with self.log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                found = _LINE.match(line)
                if found and found[1].endswith("/kakao/pay-result"):
                    data = json.loads(found[2])["data"]
                    event = (found[1].split("/")[1], data["pay_id"], data["pay_type"])
                    told[event] = told.get(event, 0) + 1
        return told
