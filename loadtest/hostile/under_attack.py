"""The gateway under attack and the fast upstream behind it."""

import pathlib

from bench import gateway
from bench.paths import PEERS
from bench.template import fill
from bench.upstream import Upstream

_TEMPLATE = pathlib.Path(__file__).resolve().parent / "gateway.toml"


class GatewayUnderAttack(gateway.Gateway):
    """A gateway with default time-outs."""

    def _configure(self, upstream_url):
        tls = self._environment.tls
        listen = f'[listen.tls]\ncertificate = "{tls}/server.pem"\nprivate_key = "{tls}/server.key"'
        for code, url in (self.settings.billers or {gateway.BILLER: upstream_url}).items():
            fill(
                PEERS / "biller.toml", self.folder / "billers" / f"{code}.toml", CODE=code, BASE_URL=url,
                AUTHORIZATION_SHA256=gateway.sha256(gateway.AUTHORIZATION), TLS_TABLE="",
            )
        return fill(
            _TEMPLATE, self.folder / "gateway.toml", PORT=self._port, OPS_PORT=self.ops_port,
            LISTEN_TLS=listen if self.settings.transport == "tls" else "", UPSTREAM_URL=upstream_url,
        )

    @property
    def port(self):
        """The port of the public listener."""
        return self._port


def start(environment, transport="plain", billers=None):
    """Starts upstream and gateway; `billers` maps codes of further billers to their URLs."""
    url = Upstream(environment).url("plain")
    billers = {gateway.BILLER: url, **(billers or {})}
    return GatewayUnderAttack(environment, "gateway", url, gateway.Settings(transport, billers=billers))
