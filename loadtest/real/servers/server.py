"""What a server under test is made of."""

import http.client
import os
import pathlib
import shutil
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from bench.port import free_port
from bench.template import fill

_HERE = pathlib.Path(__file__).resolve().parent
_BILLERS = _HERE.parent / "billers"


@dataclass(frozen=True)
class Server:
    """One server and how it is installed and started. `start` returns its processes, of which the last listens."""

    name: str
    start: Callable
    # Pairs of a program or file and the Debian package that has it.
    debian: tuple = ()
    needs_pypi: bool = False
    has_tls: bool = False


class Site:
    """The folder, the programs and the ports of one started server.

    `programs` may be read by other users, because Apache gives up root; `heard` is the file in which the biller notes
    every pay-result.
    """

    def __init__(self, folder, programs, answers, python, tls=None):
        self.folder = folder
        self.programs = programs
        self.answers = answers
        self.python = python
        # The folder of its certificate, if it speaks TLS.
        self.tls = tls
        self.port = free_port()
        self.heard = programs / "heard"
        for made in (folder, programs):
            made.mkdir(parents=True)
        programs.chmod(0o755)
        self.heard.touch()
        self.heard.chmod(0o666)

    def program(self, name, target=None, **values):
        """Puts a biller's program into the folder of programs and returns its path."""
        path = self.programs / (target or name)
        path.parent.mkdir(exist_ok=True)
        return fill(_BILLERS / name, path, ANSWERS=self.answers, HEARD=self.heard, **values)

    def configuration(self, name, **values):
        """Fills a configuration file and returns its path."""
        given = {"FOLDER": self.folder, "PROGRAMS": self.programs, "PORT": self.port, "PYTHON": self.python}
        return fill(_HERE / "conf" / name, self.folder / name, **given, **values)

    def connection(self):
        """Returns a direct connection, not opened yet."""
        if self.tls:
            context = ssl.create_default_context(cafile=self.tls / "ca.pem")
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def python_environment(self):
        """Returns the environment in which Python finds the biller's modules."""
        shutil.rmtree(self.programs / "__pycache__", ignore_errors=True)
        return {**os.environ, "PYTHONPATH": str(self.programs), "PYTHONDONTWRITEBYTECODE": "1"}

    def payments(self):
        """Returns how often each `pay_id` was heard."""
        counts = {}
        for line in self.heard.read_text().split():
            counts[int(line)] = counts.get(int(line), 0) + 1
        return counts


def is_root():
    return os.getuid() == 0
