"""The upstream of a comparison: nginx with a fixed answer per API, plain and TLS."""

import ipaddress
import resource
import urllib.request

from bench import tools
from bench.child import Child
from bench.paths import PEERS
from bench.port import free_port
from bench.template import fill

# The open files of a worker, where the machine's limit allows them.
_OPEN_FILES = 32_000


class Upstream:
    """One nginx that answers for all billers and for Kakao Pay.

    In plain HTTP it can listen at several addresses, so that parties have separate servers.
    """

    def __init__(self, environment, name="upstream", addresses=1):
        self.plain_port, self.tls_port, self._status_port = free_port(), free_port(), free_port()
        folder = environment.folder / name
        folder.mkdir(exist_ok=True)
        configuration = fill(
            PEERS / "upstream.conf", folder / "upstream.conf", DIRECTORY=folder, TLS=environment.tls,
            PLAIN_PORT=self.plain_port, TLS_PORT=self.tls_port, STATUS_PORT=self._status_port,
            # Each worker has all listening sockets and half of the connections; one alone may exceed its limit.
            WORKERS=1 if addresses == 1 else 2, OPEN_FILES=_open_files(),
            MORE_LISTENS="\n".join(
                f"        listen {_address(number)}:{self.plain_port};" for number in range(1, addresses)
            ),
        )
        command = [tools.find("nginx"), "-c", configuration, "-e", folder / "upstream.error.log"]
        self.child = Child(name, command, folder / "log", environment.load_cores)
        self.child.await_port(self._status_port)

    def port(self, transport):
        return self.tls_port if transport == "tls" else self.plain_port

    def url(self, transport):
        scheme = "https" if transport == "tls" else "http"
        return f"{scheme}://127.0.0.1:{self.port(transport)}"

    def url_at(self, number):
        """Returns the plain URL of one of its addresses; the first is that of `url`."""
        return f"http://{_address(number)}:{self.plain_port}"

    def requests(self):
        """Returns the number of requests since the start, including this one."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._status_port}/", timeout=10) as page:
            return int(page.read().split(b"\n")[2].split()[2])


def _open_files():
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], _OPEN_FILES)


def _address(number):
    """Returns a loopback address."""
    return ipaddress.IPv4Address("127.0.0.1") + number
