"""The gateway under test."""

import hashlib
import os
import urllib.request

from lab import metrics, tools
from lab.child import Child
from lab.paths import PEERS
from lab.port import free_port
from lab.template import fill

AUTHORIZATION = "KakaoAK load test"
TOKEN = "load-test-operator"
BILLER = "B0001"


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Settings:
    """How a gateway is to run: one transport on both sides, billers by code, and perhaps Redis."""

    def __init__(self, transport="plain", redis=None, billers=None, kakao_url=None, cores=None):
        self.transport = transport
        self.redis = redis
        self.billers = billers
        self.kakao_url = kakao_url
        self.cores = cores


class Gateway:
    """A `gateway serve` with a configuration and a ledger of its own."""

    def __init__(self, lab, name, upstream_url, settings):
        self.name = name
        self.settings = settings
        self.folder = lab.folder / name
        (self.folder / "billers").mkdir(parents=True, exist_ok=True)
        self._lab = lab
        self._port, self.ops_port = free_port(), free_port()
        self.configuration = self._configure(upstream_url)
        self.start()

    def start(self):
        """Starts it; a large ledger is folded first, so that it may take a while."""
        command = [tools.release("gateway"), "serve", "--config", self.configuration]
        cores = self.settings.cores or self._lab.relay_cores
        self.child = Child(self.name, command, self.folder / "log", cores)
        self.child.await_port(self._port, 900)

    def url(self, _transport=None):
        scheme = "https" if self.settings.transport == "tls" else "http"
        return f"{scheme}://127.0.0.1:{self._port}"

    def end(self):
        return self.child.end()

    @property
    def journal(self):
        return self.folder / "ledger" / "journal.sqlite3"

    def metrics(self):
        """The page of /metrics, read."""
        url = f"http://127.0.0.1:{self.ops_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as page:
            return metrics.Page(page.read().decode())

    def command(self, *words):
        """An operator's command against this gateway, and the environment it needs."""
        arguments = [tools.release("gateway"), *words, "--config", self.configuration, "--json"]
        return list(map(str, arguments)), {**os.environ, "GATEWAY_ADMIN_TOKEN": TOKEN}

    def _configure(self, upstream_url):
        tls = self._lab.tls
        is_tls = self.settings.transport == "tls"
        listen = f'[listen.tls]\ncertificate = "{tls}/server.pem"\nprivate_key = "{tls}/server.key"'
        redis = self.settings.redis
        for code, url in (self.settings.billers or {BILLER: upstream_url}).items():
            fill(
                PEERS / "biller.toml", self.folder / "billers" / f"{code}.toml", CODE=code,
                BASE_URL=url, AUTHORIZATION_SHA256=sha256(AUTHORIZATION),
                TLS_TABLE=f'[tls]\nca = "{tls}/ca.pem"' if is_tls else "",
            )
        return fill(
            PEERS / "gateway.toml", self.folder / "gateway.toml",
            PORT=self._port, OPS_PORT=self.ops_port, TOKEN_SHA256=sha256(TOKEN),
            LISTEN_TLS=listen if is_tls else "",
            KAKAO_URL=self.settings.kakao_url or upstream_url,
            UPSTREAM_TLS_TABLE=f'[kakao.tls]\nca = "{tls}/ca.pem"' if is_tls else "",
            LEDGER_REDIS=f'[ledger.redis]\nurl = "{redis.url}"' if redis else "",
        )
