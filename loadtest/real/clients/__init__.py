"""The clients under test, in the order of the report."""

import os
import pathlib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from real import install

_HERE = pathlib.Path(__file__).resolve().parent


@dataclass(frozen=True)
class Client:
    """One client. `command(url, calls, ca)` returns its command line and what it adds to the environment."""

    name: str
    command: Callable
    debian: tuple = ()


def call(client, url, calls, ca):
    """Runs a client and returns its lines, or the last one that it complained with.

    A client reads the calls from a file, a line each: path, `Authorization` or `-`, and body, with tabs between. It
    prints a line for each answer: status, a tab, and the body with spaces for line ends.
    """
    command, added = client.command(url, calls, ca)
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False,
                         env={**os.environ, **added})
    return _lines(run.stdout) if run.returncode == 0 else _lines(run.stderr)[-1:] or ["failed"]


def _lines(text):
    # `splitlines` would split at the other line ends that a body may have.
    return text.rstrip("\n").split("\n")


def _key_store(ca):
    """Returns the options that name the key store beside an authority."""
    option = "-Djavax.net.ssl.trustStore"
    return [f"{option}={ca}.p12", f"{option}Password=changeit"] if ca else []


def _java(source):
    def command(url, calls, ca):
        return ["java", *_key_store(ca), _HERE / source, url, calls, ca], {}

    return command


def _curl(options):
    return lambda url, calls, ca: (["sh", _HERE / "curl.sh", url, calls, ca], {"CURL_OPTIONS": options})


def _python(library):
    def command(url, calls, ca):
        return [install.python(), _HERE / "python_client.py", library, url, calls, ca], {}

    return command


def _node(library):
    def command(url, calls, ca):
        added = {"NODE_MODULES_AT": str(install.node_modules())}
        if ca:
            added["NODE_EXTRA_CA_CERTS"] = ca
        return ["node", _HERE / "client.mjs", library, url, calls, ca], added

    return command


def _plain(*words):
    return lambda url, calls, ca: ([*words, url, calls, ca], {})


def _php(library):
    return _plain("php", _HERE / "client.php", library)


_JDK = ("java", "default-jdk-headless")
_CURL = ("curl", "curl")
_PHP = ("php", "php-cli")
_NODE = ("node", "nodejs")

CLIENTS = [
    Client("java-httpclient", _java("Client.java"), (_JDK,)),
    Client("java-urlconnection", _java("UrlConnection.java"), (_JDK, ("keytool", "default-jdk-headless"))),
    Client("curl", _curl(""), (_CURL,)),
    Client("curl-http2", _curl("--http2"), (_CURL,)),
    Client("curl-http1.0", _curl("--http1.0"), (_CURL,)),
    Client("curl-chunked", _curl("--header Transfer-Encoding:chunked"), (_CURL,)),
    Client("curl-expect", _curl("--header Expect:100-continue"), (_CURL,)),
    *(Client(f"python-{library}", _python(library))
      for library in ("requests", "httpx", "aiohttp", "urllib", "http.client")),
    *(Client(f"node-{library}", _node(library), (_NODE,)) for library in ("fetch", "undici", "axios", "http")),
    Client("php-curl", _php("curl"), (_PHP, ("/usr/lib/php/20220829/curl.so", "php-curl"))),
    Client("php-streams", _php("streams"), (_PHP,)),
    Client("go", _plain("go", "run", _HERE / "client.go"), (("go", "golang-go"),)),
    Client("perl-lwp", _plain("perl", _HERE / "lwp.pl"),
           (("/usr/share/perl5/LWP/UserAgent.pm", "libwww-perl"),
            ("/usr/share/perl5/LWP/Protocol/https.pm", "liblwp-protocol-https-perl"))),
    Client("ruby", _plain("ruby", _HERE / "client.rb"), (("ruby", "ruby"),)),
]
