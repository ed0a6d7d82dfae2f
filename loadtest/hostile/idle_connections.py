"""Connections that send nothing."""

import select
import socket
import ssl
import time


def connect(port, is_tls):
    """Returns a connection; with TLS, after its handshake."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=30)
    if is_tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        sock = context.wrap_socket(sock, suppress_ragged_eofs=True)
    return sock


class IdleConnections:
    """A fixed number of idle connections."""

    def __init__(self, port, count, is_tls):
        self._open = {}
        self._poll = select.epoll()
        for _ in range(count):
            sock = connect(port, is_tls)
            sock.setblocking(False)
            self._open[sock.fileno()] = (sock, time.monotonic())
            self._poll.register(sock, select.EPOLLIN | select.EPOLLRDHUP)

    def await_closed(self, seconds):
        """Waits until all are closed and returns their ages in seconds; those still open count with their age."""
        over, ages = time.monotonic() + seconds, []
        while self._open and time.monotonic() < over:
            for number, _event in self._poll.poll(1):
                sock, opened = self._open[number]
                if _is_closed(sock):
                    self._poll.unregister(number)
                    sock.close()
                    del self._open[number]
                    ages.append(time.monotonic() - opened)
        return ages + [time.monotonic() - opened for _sock, opened in self._open.values()]


def _is_closed(sock):
    """Reads from a socket and returns whether it has ended; TLS session tickets do not end it."""
    try:
        return sock.recv(4096) == b""
    except (ssl.SSLWantReadError, BlockingIOError):
        return False
    except OSError:
        return True
