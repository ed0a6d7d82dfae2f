"""The gateway under test: a debug build, its configuration and its process."""

import hashlib
import json
import os
import pathlib
import subprocess
import threading
import urllib.request

from bench.child import Child
from bench.metrics import Page
from bench.paths import OTHER_BINARIES, REPOSITORY
from bench.port import free_port
from bench.template import fill

AUTHORIZATION = "KakaoAK real clients"
_HERE = pathlib.Path(__file__).resolve().parent
_building = threading.Lock()
_built = set()


def program(name):
    """Builds a program of this repository and returns its path; with RELAY_BINARIES, the one in that folder."""
    if OTHER_BINARIES:
        return pathlib.Path(OTHER_BINARIES).resolve() / name
    with _building:
        if not _built:
            command = ["cargo", "build", "-q", "--locked", "-p", "relay-gateway", "-p", "relay-simulator", "--bins"]
            subprocess.run(command, cwd=REPOSITORY, check=True)
            _built.add(True)
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "debug" / name


class Gateway:
    """A `gateway serve` process. `billers` has a base URL for each code; `values` replaces parts of the files."""

    def __init__(self, folder, billers, kakao_url="http://127.0.0.1:9", name="gateway", **values):
        self.folder = folder / name
        self.port, self.ops_port = free_port(), free_port()
        (self.folder / "billers").mkdir(parents=True)
        rules = {
            "ALLOW_FROM": json.dumps(values.get("allow_from", ["127.0.0.0/8"])),
            "CLIENT_CERTIFICATES": json.dumps(values.get("client_certificates", [])),
        }
        for code, url in billers.items():
            digest = hashlib.sha256(AUTHORIZATION.encode()).hexdigest()
            fill(_HERE / "biller.toml", self.folder / "billers" / f"{code}.toml", CODE=code, BASE_URL=url,
                 AUTHORIZATION_SHA256=digest, TLS=values.get("biller_tls", ""), **rules)
        configuration = fill(
            _HERE / "gateway.toml", self.folder / "gateway.toml", PORT=self.port, OPS_PORT=self.ops_port,
            TRUSTED_PROXIES=json.dumps(values.get("trusted_proxies", [])), LISTEN=values.get("listen", ""),
            LIMITS=values.get("limits", ""), BUDGET=values.get("budget", ""),
            LEDGER=values.get("ledger", ""), KAKAO_URL=kakao_url, **rules,
        )
        command = [program("gateway"), "serve", "--config", configuration]
        self.child = Child(name, command, self.folder / "log")
        self.child.await_port(self.port)

    def metrics(self):
        """Returns the current page of /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ops_port}/metrics", timeout=10) as page:
            return Page(page.read().decode())

    def end(self):
        return self.child.end()
