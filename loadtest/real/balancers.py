"""The balancers under test: the files of deploy/balancers/ with their addresses, ports and paths replaced."""

from collections.abc import Callable
from dataclasses import dataclass

from bench import tools
from bench.child import Child
from bench.paths import REPOSITORY

_FILES = REPOSITORY / "deploy" / "balancers"


@dataclass(frozen=True)
class Balancer:
    """One balancer. `variant` is a further replacement in its file."""

    name: str
    file: str
    start: Callable
    debian: tuple
    # Whether it passes TLS on and tells the caller's address by the PROXY protocol; else it tells by X-Forwarded-For.
    is_tcp: bool
    variant: tuple = ()

    @property
    def is_nginx(self):
        return self.file.startswith("nginx")

    @property
    def has_checks(self):
        """Whether it asks the gateways for their readiness; nginx does not without its commercial version."""
        return not self.is_nginx


def start(balancer, folder, tls, port, gateways):
    """Starts a balancer at a port before two gateways and returns its process."""
    replacements = [
        ("10.0.0.10:443", f"127.0.0.1:{port}"),
        ("10.0.0.11:8443", _server(gateways[0], balancer)),
        ("10.0.0.12:8443", _server(gateways[1], balancer)),
    ]
    if not balancer.is_tcp:
        replacements += [
            ("/etc/relay/gateways-ca.pem", f"{tls}/ca.pem"),
            ("gateway.example", "localhost"),
            *([("/etc/relay/balancer.pem", f"{tls}/server.pem"), ("/etc/relay/balancer.key", f"{tls}/server.key")]
              if balancer.is_nginx else [("/etc/relay/balancer-and-key.pem", f"{tls}/server-and-key.pem")]),
        ]
    if balancer.has_checks:
        # The ops ports differ on one machine; each server names its own.
        replacements.append(("check port 9464", "check"))
    replacements += [balancer.variant] if balancer.variant else []
    path = _replace(_FILES / balancer.file, folder / balancer.file, replacements)
    child = balancer.start(path, folder)
    child.await_port(port)
    return child


def _server(gateway, balancer):
    address = f"127.0.0.1:{gateway.port}"
    return f"{address} port {gateway.ops_port}" if balancer.has_checks else address


def _replace(source, target, replacements):
    """Writes a file with every replacement made; fails where there is nothing to replace."""
    text = source.read_text()
    for old, new in replacements:
        if old not in text:
            raise RuntimeError(f"{source} has no {old}")
        text = text.replace(old, new)
    target.write_text(text)
    return target


def _nginx(path, folder):
    # What a service manager and the package would set.
    where = f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.error.log;"
    command = [tools.find("nginx"), "-c", path, "-e", folder / "nginx.error.log", "-g", where]
    return Child("nginx", command, folder / "nginx.log")


def _haproxy(path, folder):
    return Child("haproxy", [tools.find("haproxy"), "-f", path], folder / "haproxy.log")


_NGINX = ("nginx", "nginx")
_STREAM = ("/usr/lib/nginx/modules/ngx_stream_module.so", "libnginx-mod-stream")
_HAPROXY = (("haproxy", "haproxy"),)

BALANCERS = [
    Balancer("nginx-http", "nginx-http.conf", _nginx, (_NGINX,), False),
    Balancer("nginx-stream", "nginx-stream.conf", _nginx, (_NGINX, _STREAM), True),
    Balancer("haproxy-http", "haproxy-http.cfg", _haproxy, _HAPROXY, False),
    Balancer("haproxy-tcp-v1", "haproxy-tcp.cfg", _haproxy, _HAPROXY, True, ("send-proxy-v2", "send-proxy")),
    Balancer("haproxy-tcp-v2", "haproxy-tcp.cfg", _haproxy, _HAPROXY, True),
]
