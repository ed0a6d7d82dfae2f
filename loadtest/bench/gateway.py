"""The gateway under test."""

import hashlib
import os
import time
import urllib.request

from bench import metrics, tools
from bench.child import Child
from bench.paths import PEERS
from bench.port import free_port
from bench.template import fill

AUTHORIZATION = "KakaoAK load test"
TOKEN = "load-test-operator"
BILLER = "B0001"


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Settings:
    """A gateway's settings: one transport on both sides, billers by code, Redis or the embedded ledger.

    `ledger` holds further lines of the table `[ledger]`, `binary` another build than the one of this tree.
    """

    def __init__(
        self, transport="plain", redis=None, billers=None, kakao_url=None, cores=None, ledger="", binary=None
    ):
        self.transport = transport
        self.redis = redis
        self.billers = billers
        self.kakao_url = kakao_url
        self.cores = cores
        self.ledger = ledger
        self.binary = binary


class Gateway:
    """A `gateway serve` process with its own configuration and ledger."""

    def __init__(self, environment, name, upstream_url, settings):
        self.name = name
        self.settings = settings
        self.folder = environment.folder / name
        (self.folder / "billers").mkdir(parents=True, exist_ok=True)
        self._environment = environment
        self._port, self.ops_port = free_port(), free_port()
        self.configuration = self._configure(upstream_url)
        self.start()

    def start(self):
        """Starts the process and waits for its listener; bringing an old journal up to date can take minutes."""
        self.spawn()
        self.child.await_port(self._port, 900)

    def spawn(self):
        """Starts the process."""
        command = [self._binary(), "serve", "--config", self.configuration]
        cores = self.settings.cores or self._environment.relay_cores
        self.child = Child(self.name, command, self.folder / "log", cores)

    def seconds_to_ready(self):
        """Starts the process and returns how long it takes until `/health/ready` answers 200."""
        began = time.monotonic()
        self.spawn()
        self.child.await_(self._is_ready, "get ready", 900, every=0.002)
        return time.monotonic() - began

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ops_port}/health/ready", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def url(self, _transport=None):
        scheme = "https" if self.settings.transport == "tls" else "http"
        return f"{scheme}://127.0.0.1:{self._port}"

    def end(self):
        return self.child.end()

    @property
    def journal(self):
        return self.folder / "ledger" / "journal.sqlite3"

    def metrics(self):
        """Returns the current page of /metrics."""
        url = f"http://127.0.0.1:{self.ops_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as page:
            return metrics.Page(page.read().decode())

    def command(self, *words):
        """Returns an operator's command for this gateway, and the environment variables that it needs."""
        arguments = [self._binary(), *words, "--config", self.configuration, "--json"]
        return list(map(str, arguments)), {**os.environ, "GATEWAY_ADMIN_TOKEN": TOKEN}

    def _binary(self):
        return self.settings.binary or tools.release("gateway")

    def _configure(self, upstream_url):
        tls = self._environment.tls
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
            LEDGER=self.settings.ledger,
            LEDGER_REDIS=f'[ledger.redis]\nurl = "{redis.url}"' if redis else "",
        )
