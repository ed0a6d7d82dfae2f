"""Slow senders (slowloris): half of them send a head, half a body, one byte at a time."""

import collections
import heapq
import ssl
import threading
import time

from hostile.idle_connections import connect

PAUSE_SECONDS = 0.5
_LINE = b"POST /kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\n"
# Per part: what is sent at once, and what is sent byte by byte.
_PART = {
    "head": (b"", _LINE + b"X-Slow: " + b"x" * 8192),
    "body": (_LINE + b"Content-Length: 8192\r\n\r\n", b" " * 8192),
}


class SlowSenders:
    """A constant number of slow senders: a closed connection is replaced by a new one."""

    def __init__(self, port, count, is_tls):
        self.statuses = collections.Counter()
        self._ages = {"head": [], "body": []}
        self._target = (port, is_tls)
        self._all_open, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(count,), daemon=True)
        self._thread.start()

    def await_all(self):
        """Waits until all connections are open."""
        if not self._all_open.wait(120):
            raise RuntimeError("the slow senders did not connect in time")

    def stop(self):
        """Closes all connections and opens no more."""
        self._stopped.set()
        self._thread.join()

    def ages(self, part):
        """Returns the seconds from a connection's first byte to its end, of all that the gateway closed."""
        return self._ages[part]

    def _run(self, count):
        due = []
        for number in range(count):
            heapq.heappush(due, (time.monotonic(), number, self._open(number)))
        self._all_open.set()
        while not self._stopped.is_set():
            when, number, one = heapq.heappop(due)
            time.sleep(max(0, when - time.monotonic()))
            if one.send_byte():
                when = time.monotonic() + PAUSE_SECONDS
            else:
                if one.began:
                    self._ages[one.part].append(time.monotonic() - one.began)
                self.statuses[one.status] += 1
                one = self._open(number)
                when = time.monotonic()
            heapq.heappush(due, (when, number, one))
        for _when, _number, one in due:
            one.sock.close()

    def _open(self, number):
        return _SlowSender(connect(*self._target), ("head", "body")[number % 2])


class _SlowSender:
    """One connection."""

    def __init__(self, sock, part):
        self.sock, self.part, self.status = sock, part, "closed"
        at_once, self._rest = _PART[part]
        self._sent = 0
        self.began = None
        if at_once:
            sock.sendall(at_once)
            self.began = time.monotonic()
        sock.setblocking(False)

    def send_byte(self):
        """Sends one more byte; returns false if the connection has ended."""
        try:
            answer = self.sock.recv(4096)
            if answer.startswith(b"HTTP/1.1 "):
                self.status = answer[9:12].decode()
            self.sock.close()
            return False
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            self.sock.close()
            return False
        try:
            self._sent += self.sock.send(self._rest[self._sent:self._sent + 1])
            self.began = self.began or time.monotonic()
        except OSError:
            self.sock.close()
            return False
        return True
