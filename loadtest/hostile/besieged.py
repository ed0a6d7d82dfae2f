"""The gateway that is attacked, and the quick upstream behind it."""

import pathlib

from lab import gateway
from lab.paths import PEERS
from lab.template import fill
from lab.upstream import Upstream

_TEMPLATE = pathlib.Path(__file__).resolve().parent / "gateway.toml"


class Besieged(gateway.Gateway):
    """A gateway with its time-outs as they are by default."""

    def _configure(self, upstream_url):
        tls = self._lab.tls
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
        """Of the public listener."""
        return self._port


def besieged(lab, transport="plain", billers=None):
    """Starts both; `billers` are others beside the quick one, by code."""
    url = Upstream(lab).url("plain")
    billers = {gateway.BILLER: url, **(billers or {})}
    return Besieged(lab, "gateway", url, gateway.Settings(transport, billers=billers))
