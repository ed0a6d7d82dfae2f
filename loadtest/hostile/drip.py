"""Connections that send one byte at a time: half of them within a head, half within a body."""

import collections
import heapq
import ssl
import threading
import time

from hostile.idle import connect

PAUSE_SECONDS = 0.5
_LINE = b"POST /kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\n"
_PART = {
    "head": (b"", _LINE + b"X-Drip: " + b"x" * 8192),
    "body": (_LINE + b"Content-Length: 8192\r\n\r\n", b" " * 8192),
}


class Drip:
    """So many at any time: one that is closed is opened again."""

    def __init__(self, port, count, is_tls):
        self.statuses = collections.Counter()
        self._ages = {"head": [], "body": []}
        self._target = (port, is_tls)
        self._all_open, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._play, args=(count,), daemon=True)
        self._thread.start()

    def await_all(self):
        """Waits until all of them drip."""
        if not self._all_open.wait(120):
            raise RuntimeError("the dripping connections were not opened in time")

    def stop(self):
        """No more are opened; those that are open are left."""
        self._stopped.set()
        self._thread.join()

    def ages(self, part):
        """How old connections were when they were closed, from their first byte."""
        return self._ages[part]

    def _play(self, count):
        due = []
        for number in range(count):
            heapq.heappush(due, (time.monotonic(), number, self._open(number)))
        self._all_open.set()
        while not self._stopped.is_set():
            when, number, one = heapq.heappop(due)
            time.sleep(max(0, when - time.monotonic()))
            if one.drip():
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
        return _Dripping(connect(*self._target), ("head", "body")[number % 2])


class _Dripping:
    """One connection."""

    def __init__(self, sock, part):
        self.sock, self.part, self.status = sock, part, "closed"
        at_once, self._slowly = _PART[part]
        self._sent = 0
        self.began = None
        if at_once:
            sock.sendall(at_once)
            self.began = time.monotonic()
        sock.setblocking(False)

    def drip(self):
        """One more byte; false when the connection is at its end."""
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
            self._sent += self.sock.send(self._slowly[self._sent:self._sent + 1])
            self.began = self.began or time.monotonic()
        except OSError:
            self.sock.close()
            return False
        return True
