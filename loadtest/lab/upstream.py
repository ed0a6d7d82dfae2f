"""The cheap upstream: nginx with a fixed answer per API, plain and TLS."""

import ipaddress
import resource
import urllib.request

from lab import tools
from lab.child import Child
from lab.paths import PEERS
from lab.port import free_port
from lab.template import fill

# The most that a worker of it has open, where the machine lets it.
_OPEN_FILES = 32_000


class Upstream:
    """Stands for all billers and for Kakao Pay.

    In the clear it can be had at more addresses than one, so that parties are at servers of their own.
    """

    def __init__(self, lab, name="upstream", addresses=1):
        self.plain_port, self.tls_port, self._status_port = free_port(), free_port(), free_port()
        folder = lab.folder / name
        folder.mkdir(exist_ok=True)
        configuration = fill(
            PEERS / "upstream.conf", folder / "upstream.conf", DIRECTORY=folder, TLS=lab.tls,
            PLAIN_PORT=self.plain_port, TLS_PORT=self.tls_port, STATUS_PORT=self._status_port,
            # Each has all listening sockets and half of the connections, which may be all it may have open.
            WORKERS=1 if addresses == 1 else 2, OPEN_FILES=_open_files(),
            MORE_LISTENS="\n".join(
                f"        listen {_address(number)}:{self.plain_port};" for number in range(1, addresses)
            ),
        )
        command = [tools.find("nginx"), "-c", configuration, "-e", folder / "upstream.error.log"]
        self.child = Child(name, command, folder / "log", lab.load_cores)
        self.child.await_port(self._status_port)

    def port(self, transport):
        return self.tls_port if transport == "tls" else self.plain_port

    def url(self, transport):
        scheme = "https" if transport == "tls" else "http"
        return f"{scheme}://127.0.0.1:{self.port(transport)}"

    def url_at(self, number):
        """In the clear, at one of its addresses, of which the first is that of `url`."""
        return f"http://{_address(number)}:{self.plain_port}"

    def requests(self):
        """Requests since the start, this question included."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._status_port}/", timeout=10) as page:
            return int(page.read().split(b"\n")[2].split()[2])


def _open_files():
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], _OPEN_FILES)


def _address(number):
    """Of the loopback, which is a network of sixteen million."""
    return ipaddress.IPv4Address("127.0.0.1") + number
