"""Free loopback ports."""

import random
import socket

# Below the ports that Linux gives to outgoing connections: one of those could take a free port before its server does.
_LOWEST, _HIGHEST = 10_000, 32_000

_given = set()


def free_port():
    """Returns a port without a listener that this run has not used before."""
    while True:
        port = random.randrange(_LOWEST, _HIGHEST)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port):
    with socket.socket() as probe:
        # As servers do, which may take a port whose earlier connections still wait for their end.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
