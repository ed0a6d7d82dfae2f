"""The relays that others would put there."""

from lab import tools
from lab.child import Child
from lab.paths import PEERS
from lab.port import free_port
from lab.template import fill


class Peer:
    """A relay under test: where it listens, and which processes it is."""

    def __init__(self, name, child, plain_port, tls_port):
        self.name = name
        self.child = child
        self._ports = {"plain": plain_port, "tls": tls_port}

    def url(self, transport):
        scheme = "https" if transport == "tls" else "http"
        return f"{scheme}://127.0.0.1:{self._ports[transport]}"

    def end(self):
        self.child.end()


def nginx(lab, upstream):
    """Without any check."""
    return _peer(lab, upstream, "nginx", "nginx.conf", _nginx_command)


def haproxy(lab, upstream):
    """Without any check."""
    return _peer(lab, upstream, "haproxy", "haproxy.cfg", _haproxy_command)


def nginx_lua(lab, upstream, redis):
    """With the checks of a prepay, and Redis."""
    return _peer(lab, upstream, "nginx-lua", "nginx-lua.conf", _nginx_command, redis.port)


def _nginx_command(configuration, folder):
    return [tools.find("nginx"), "-c", configuration, "-e", folder / "error.log"]


def _haproxy_command(configuration, _folder):
    return [tools.find("haproxy"), "-db", "-f", configuration]


def _peer(lab, upstream, name, source, command, redis_port=0):
    folder = lab.folder / name
    folder.mkdir(exist_ok=True)
    plain_port, tls_port = free_port(), free_port()
    configuration = fill(
        PEERS / source, folder / source, DIRECTORY=folder, TLS=lab.tls, PEERS=PEERS,
        PLAIN_PORT=plain_port, TLS_PORT=tls_port, REDIS_PORT=redis_port,
        UPSTREAM_PLAIN_PORT=upstream.plain_port, UPSTREAM_TLS_PORT=upstream.tls_port,
    )
    child = Child(name, command(configuration, folder), folder / "log", lab.relay_cores)
    child.await_port(tls_port)
    return Peer(name, child, plain_port, tls_port)
