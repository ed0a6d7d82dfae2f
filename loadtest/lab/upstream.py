"""The cheap upstream: nginx with a fixed answer per API, plain and TLS."""

import urllib.request

from lab import tools
from lab.child import Child
from lab.paths import PEERS
from lab.port import free_port
from lab.template import fill


class Upstream:
    """Stands for all billers and for Kakao Pay."""

    def __init__(self, lab, name="upstream"):
        self.plain_port, self.tls_port, self._status_port = free_port(), free_port(), free_port()
        folder = lab.folder / name
        folder.mkdir(exist_ok=True)
        configuration = fill(
            PEERS / "upstream.conf", folder / "upstream.conf", DIRECTORY=folder, TLS=lab.tls,
            PLAIN_PORT=self.plain_port, TLS_PORT=self.tls_port, STATUS_PORT=self._status_port,
        )
        command = [tools.find("nginx"), "-c", configuration, "-e", folder / "upstream.error.log"]
        self.child = Child(name, command, folder / "log", lab.load_cores)
        self.child.await_port(self._status_port)

    def port(self, transport):
        return self.tls_port if transport == "tls" else self.plain_port

    def url(self, transport):
        scheme = "https" if transport == "tls" else "http"
        return f"{scheme}://127.0.0.1:{self.port(transport)}"

    def requests(self):
        """Requests since the start, this question included."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._status_port}/", timeout=10) as page:
            return int(page.read().split(b"\n")[2].split()[2])
