"""Memory of an idle connection, plain and TLS, in the gateway and in nginx."""

import socket
import ssl
import time

from bench import growth_row, peers, usage
from bench.call import CALLS
from bench.gateway import Gateway, Settings
from bench.upstream import Upstream

FEW = 100
# KiB per connection.
AT_MOST = {"plain": 20, "tls": 28}


def rows(environment, options):
    """Every connection has carried one call and is idle."""
    for transport in ("plain", "tls"):
        upstream = Upstream(environment)
        gateway = Gateway(environment, f"idle-{transport}", upstream.url(transport), Settings(transport))
        nginx = peers.nginx(environment, upstream)
        kib = _kib_each(gateway, gateway.url(), transport, options.connections)
        what = f"memory of an idle connection, {transport}, {FEW:,} → {options.connections:,}, KiB"
        yield growth_row.GrowthRow(what, f"{kib:.1f}", f"≤ {AT_MOST[transport]}", kib <= AT_MOST[transport])
        theirs = _kib_each(nginx, nginx.url(transport), transport, options.connections)
        yield growth_row.unbounded(f"the same in nginx, {transport}, KiB", f"{theirs:.1f}")
        gateway.end()
        nginx.end()
        upstream.child.end()


def _kib_each(relay, url, transport, count):
    port = int(url.rpartition(":")[2])
    request = _request()
    opened = [_open(port, transport, request) for _ in range(FEW)]
    before = _settled(relay)
    opened += [_open(port, transport, request) for _ in range(count - FEW)]
    grown = _settled(relay) - before
    for connection in opened:
        connection.close()
    return grown / (count - FEW) / 1024


def _settled(relay):
    time.sleep(1.5)
    return usage.memory_bytes(usage.tree(relay.child.pid))


def _request():
    call = CALLS["notice"]
    body = call.body.read_bytes().strip()
    head = (
        f"POST {call.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/json;charset=utf-8\r\n\r\n"
    )
    return head.encode() + body


_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# This run made the certificate itself, and only memory is measured here.
_CONTEXT.check_hostname = False
_CONTEXT.verify_mode = ssl.CERT_NONE


def _open(port, transport, request):
    connection = socket.create_connection(("127.0.0.1", port), 10)
    if transport == "tls":
        connection = _CONTEXT.wrap_socket(connection)
    connection.sendall(request)
    answer = connection.recv(65536)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"no answer of status 200: {answer[:100]!r}")
    return connection
