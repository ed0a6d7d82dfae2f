"""An open load of different calls, evenly spaced.

Each call is sent when it is due, whatever became of those before it, and its latency counts from then. Run as a
program, this file sends the calls of a file: a JSON array per line, of label, path, headers and body.
"""

import collections
import gc
import json
import math
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

# Connections at most; beyond them a call waits, and its latency with it.
_CONNECTIONS = 256
_PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Answered:
    """The calls with one label: latencies in seconds, and how often each status and code came."""

    latencies: list
    codes: dict

    def quantile(self, share):
        ordered = sorted(self.latencies)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def start(environment, gateway, rate, calls, name="even"):
    """Starts the load; `calls` are triples of label, call and number, in the order in which they are sent."""
    file = environment.folder / f"{name}-calls"
    with file.open("w") as lines:
        for label, call, number in calls:
            body = call.body.read_text().strip().replace("@NUMBER@", f"{number:010}")
            lines.write(json.dumps([label, call.path, call.headers, body]) + "\n")
    command = ["taskset", "-c", environment.load_cores, sys.executable, __file__, gateway.url(), str(rate), str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(load):
    """Waits for the end and returns what was answered, by label; exits where an answer's status is not 200."""
    text = load.communicate()[0]
    if load.returncode:
        sys.exit(f"an even load ended with {load.returncode}: {text}")
    found = {label: Answered(**members) for label, members in json.loads(text).items()}
    faulty = {code: count for one in found.values() for code, count in one.codes.items() if code[:3] != "200"}
    if faulty:
        sys.exit(f"latencies of faulty answers mean nothing: {faulty}")
    return found


class _Sender:
    def __init__(self, port, rate, calls):
        self._port, self._rate, self._calls = port, rate, collections.deque(calls)
        self._idle, self._busy = [], {}
        self._sent = 0
        self.found = {label: {"latencies": [], "codes": collections.Counter()} for label, _ in calls}

    def run(self):
        self._idle += [socket.create_connection(("127.0.0.1", self._port)) for _ in range(8)]
        self._start = time.perf_counter() + 0.05
        while self._calls or self._busy:
            self._send_due()
            wait = max(0, self._due() - time.perf_counter()) if self._calls else _PATIENCE_SECONDS
            # `select` alone takes microseconds; the others round up to a millisecond.
            for connection in select.select([*self._busy], [], [], wait)[0]:
                self._receive(connection)

    def _due(self):
        return self._start + self._sent / self._rate

    def _send_due(self):
        while self._calls and self._due() <= time.perf_counter():
            if not self._idle:
                if len(self._busy) >= _CONNECTIONS:
                    return
                self._idle.append(socket.create_connection(("127.0.0.1", self._port)))
            connection = self._idle.pop()
            label, request = self._calls.popleft()
            self._busy[connection] = (label, self._due(), bytearray())
            self._sent += 1
            connection.sendall(request)

    def _receive(self, connection):
        label, due, answer = self._busy[connection]
        came = connection.recv(65536)
        if not came:
            sys.exit(f"closed before an answer: {bytes(answer[:200])}")
        answer += came
        head, found, body = answer.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        one = self.found[label]
        one["latencies"].append(time.perf_counter() - due)
        one["codes"][f"{head[9:12].decode()} {_res_code(body)}"] += 1
        del self._busy[connection]
        self._idle.append(connection)


def _content_length(head):
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


def _res_code(body):
    return body.partition(b'"res_code":"')[2].partition(b'"')[0].decode()


def _request(path, headers, body):
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "Content-Type: application/json;charset=utf-8"]
    body = body.encode()
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def main():
    url, rate, file = sys.argv[1:]
    with open(file, encoding="utf-8") as lines:
        calls = [(label, _request(*call)) for label, *call in map(json.loads, lines)]
    # A collection is a pause that would look like the relay's.
    gc.disable()
    sender = _Sender(int(url.rpartition(":")[2]), float(rate), calls)
    sender.run()
    json.dump(sender.found, sys.stdout)


if __name__ == "__main__":
    main()
