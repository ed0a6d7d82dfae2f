"""The relays that the gateway is compared with."""

from bench import tools
from bench.child import Child
from bench.paths import PEERS
from bench.port import free_port
from bench.template import fill


class Peer:
    """A running relay."""

    def __init__(self, name, child, plain_port, tls_port):
        self.name = name
        self.child = child
        self._ports = {"plain": plain_port, "tls": tls_port}

    def url(self, transport):
        scheme = "https" if transport == "tls" else "http"
        return f"{scheme}://127.0.0.1:{self._ports[transport]}"

    def end(self):
        self.child.end()


def nginx(environment, upstream):
    """Starts nginx without any check."""
    return _peer(environment, upstream, "nginx", "nginx.conf", _nginx_command)


def haproxy(environment, upstream):
    """Starts HAProxy without any check."""
    return _peer(environment, upstream, "haproxy", "haproxy.cfg", _haproxy_command)


def nginx_lua(environment, upstream, redis):
    """Starts nginx with Lua, with the checks of a prepay and Redis."""
    return _peer(environment, upstream, "nginx-lua", "nginx-lua.conf", _nginx_command, redis.port)


def _nginx_command(configuration, folder):
    return [tools.find("nginx"), "-c", configuration, "-e", folder / "error.log"]


def _haproxy_command(configuration, _folder):
    return [tools.find("haproxy"), "-db", "-f", configuration]


def _peer(environment, upstream, name, source, command, redis_port=0):
    folder = environment.folder / name
    folder.mkdir(exist_ok=True)
    plain_port, tls_port = free_port(), free_port()
    configuration = fill(
        PEERS / source, folder / source, DIRECTORY=folder, TLS=environment.tls, PEERS=PEERS,
        PLAIN_PORT=plain_port, TLS_PORT=tls_port, REDIS_PORT=redis_port,
        UPSTREAM_PLAIN_PORT=upstream.plain_port, UPSTREAM_TLS_PORT=upstream.tls_port,
    )
    child = Child(name, command(configuration, folder), folder / "log", environment.relay_cores)
    child.await_port(tls_port)
    return Peer(name, child, plain_port, tls_port)
