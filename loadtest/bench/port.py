"""Free loopback ports."""

import socket

_given = set()


def free_port():
    """Returns a port without a listener that this run has not used before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port
