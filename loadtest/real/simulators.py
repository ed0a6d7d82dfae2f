"""The simulated Kakao Pay and biller behind gateways whose callers are under test."""

from bench.child import Child
from bench.port import free_port
from real.gateway import Gateway, program

BILLER = "B0001"


class Simulators:
    """Both parties of one run."""

    def __init__(self, folder):
        self._kakao, self._kakao_url = _start("kakao", folder)
        # Calls are in flight at most moments, also when a gateway is stopped.
        self._biller, self._biller_url = _start("biller", folder, "--latency", "uniform:5ms,100ms")

    def gateway(self, folder, name, **values):
        """Starts a gateway between them."""
        return Gateway(folder, {BILLER: self._biller_url}, self._kakao_url, name, **values)

    def end(self):
        for child in (self._kakao, self._biller):
            child.end()


def _start(party, folder, *options):
    port = free_port()
    command = [program("relay-simulator"), party, "--listen", f"127.0.0.1:{port}", *options]
    child = Child(party, command, folder / f"{party}.log")
    child.await_port(port)
    return child, f"http://127.0.0.1:{port}"
