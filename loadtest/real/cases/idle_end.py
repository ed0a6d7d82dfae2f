"""Pay-results around the moment at which a server closes idle connections, and what is left of closed ones."""

import collections
import socket
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from real import answers, calls, sockets

# Each lane has a biller and so a pool of its own; servers with a process per connection have room for all.
LANES = 20
_LONGEST_SECONDS = 70
_MARGIN_SECONDS = 0.06
# A server that closes within this time keeps no connection.
_AT_ONCE_SECONDS = 0.015
# Above this age a round is so long that few are made.
_LONG_SECONDS = 10


def run(results, server, gateway, site, options):
    """Adds what a server's idle time is, what is left of its closed connections, and what became of the calls.

    Returns the shortest idle time that was seen, in seconds.
    """
    ages = _with_idle_connections(gateway, site)
    closed = [age for age in ages if age is not None]
    if closed:
        results.note(server.name, "closes idle connections after", _span(closed))
        # The gateway heard the last end half a round trip later.
        time.sleep(1)
        results.compare(server.name, "sockets in CLOSE_WAIT a second later", 0, sockets.close_wait(gateway.child.pid))
    else:
        results.note(server.name, "closes idle connections after", f"more than {_LONGEST_SECONDS} s")
    low, high = _window(closed)
    rounds = options.rounds if high < _LONG_SECONDS else max(1, options.rounds // 5)
    seen = _calls(gateway, rounds, low, high)
    _report(results, server, site, seen, low, high)
    return min(closed, default=_LONGEST_SECONDS)


def _with_idle_connections(gateway, site):
    """Leaves idle connections behind every lane, and returns the ages at which direct ones are closed."""
    lanes = [_Lane(gateway, number) for number in range(LANES)]
    with ThreadPoolExecutor(LANES + 5) as threads:
        list(threads.map(lambda lane: lane.pay(), lanes))
        ages = list(threads.map(lambda _: _close_age(site), range(5)))
    for lane in lanes:
        lane.close()
    return ages


def warm_up(site):
    """Calls a server directly once: the first call may load and compile for longer than a call may take."""
    connection, _sock = _call(site)
    connection.close()


def _call(site):
    """Calls a server directly; returns the connection and its socket, which the connection lets go if it is closed."""
    content = calls.body("notice", f"{answers.PLAIN}/0")
    connection = site.connection()
    connection.request("POST", "/kakao/notice", content, {"Content-Type": calls.JSON, "Connection": "keep-alive"})
    sock = connection.sock
    answer = connection.getresponse()
    if answer.status != 200 or answer.read() != answers.PLAIN.body:
        raise RuntimeError(f"the biller itself answers with {answer.status}")
    return connection, sock


def _close_age(site):
    """Calls a server directly and returns after how many seconds it closes; `None` if it does not."""
    connection, sock = _call(site)
    began = time.monotonic()
    if connection.sock is None:
        # http.client closes what the answer announced as closed.
        return 0.0
    sock.settimeout(_LONGEST_SECONDS)
    try:
        sock.recv(1)
    except socket.timeout:
        return None
    except OSError:
        pass
    finally:
        connection.close()
    return time.monotonic() - began


def _span(ages):
    if max(ages) < _AT_ONCE_SECONDS:
        return "each answer"
    return f"{min(ages):.2f} to {max(ages):.2f} s (median {statistics.median(ages):.2f} s)"


def _window(closed):
    """Returns from which to which age of a connection calls are made."""
    if not closed:
        return 0.0, 1.0
    return max(0.0, min(closed) - _MARGIN_SECONDS), max(closed) + _MARGIN_SECONDS


class _Lane:
    """A caller with its own biller: a call, a pause, and the call that is judged."""

    def __init__(self, gateway, number):
        self._caller = calls.Caller(gateway.port)
        self._path = calls.PATHS["pay_result"].format(biller(number))

    def pay(self):
        """Sends one pay-result and returns its `pay_id` and its answer."""
        number = calls.number()
        return number, self._caller.post(self._path, calls.body("pay_result", f"{answers.PLAIN}/{number}", number))

    def pay_twice(self, pause_seconds):
        first = self.pay()
        time.sleep(pause_seconds)
        return [first, self.pay()]

    def close(self):
        self._caller.close()


def biller(number):
    """Returns the code of a lane's biller."""
    return f"LANE{number:02}"


def _calls(gateway, rounds, low, high):
    """Makes the calls of all rounds; their pauses are spread evenly over the window, every second time from zero.

    So a pool may have learnt from any age of a connection before it meets the end.
    """
    lanes = [_Lane(gateway, number) for number in range(LANES)]
    together = threading.Barrier(LANES)

    def work(number):
        seen = []
        for turn in range(rounds):
            together.wait()
            # Shuffled, so that a lane meets another age in each round.
            share = ((number * rounds + turn) * 7919 % (LANES * rounds)) / (LANES * rounds)
            shortest = low if turn % 2 == 0 else 0.0
            seen += lanes[number].pay_twice(shortest + (high - shortest) * share)
        return seen

    with ThreadPoolExecutor(LANES) as threads:
        seen = [call for calls_ in threads.map(work, range(LANES)) for call in calls_]
    for lane in lanes:
        lane.close()
    return seen


def _report(results, server, site, seen, low, high):
    heard = site.payments()
    lost = collections.Counter()
    for pay_id, reply in seen:
        is_ok = reply.status == 200 and reply.body == answers.PLAIN.body
        if not is_ok or heard.get(pay_id, 0) != 1:
            lost[f"{reply} and heard {heard.get(pay_id, 0)} times"] += 1
    case = f"{len(seen)} pay-results, pauses of {low:.2f} to {high:.2f} s and of 0 to {high:.2f} s"
    expected = "all OK, each heard once"
    words = ", ".join(f"{count} {what}" for what, count in lost.items())
    results.compare(server.name, case, expected, f"{len(seen) - sum(lost.values())} OK, {words}" if lost else expected)
