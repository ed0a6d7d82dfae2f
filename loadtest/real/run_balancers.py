"""Real balancers before two gateways, each with the configuration of deploy/balancers/."""

import http.client
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from bench import certificates
from bench.port import free_port
from bench.redis import Redis
from real import balancers, calls, install
from real.cases import balanced
from real.gateway import program
from real.simulators import BILLER, Simulators

_ALONE = "gateway"
NAMES = [_ALONE, *(balancer.name for balancer in balancers.BALANCERS)]
_PINNED = "pinned"


def run(results, environment, options):
    """Adds the rows of the chosen balancers; they are tested at once, since most of the time is waiting."""
    program("gateway")
    chosen = [name for name in NAMES if name not in options.skip and (not options.only or name in options.only)]
    if not chosen:
        return
    pin = certificates.make_client(environment.tls, _PINNED)
    certificates.make_client(environment.tls, "another")
    install.debian((("redis-server", "redis-server"),))
    redis = Redis(environment)
    simulators = Simulators(environment.folder)
    given = (results, environment, options, simulators, redis, pin)
    tests = [_BalancerTest(balancer, *given) for balancer in balancers.BALANCERS if balancer.name in chosen]
    if _ALONE in chosen:
        tests.append(_GatewayTest(results, environment, simulators))
    with ThreadPoolExecutor(len(tests)) as threads:
        list(threads.map(lambda test: test.run(), tests))
    simulators.end()
    redis.child.end()


class _BalancerTest:
    """One balancer, its two gateways, and the cases."""

    def __init__(self, balancer, results, environment, options, simulators, redis, pin):
        self._results = results
        self._balancer = balancer
        self._folder = environment.folder / balancer.name
        self._tls = environment.tls
        self._options = options
        self._simulators = simulators
        # Both gateways have one ledger.
        self._ledger = f'[ledger.redis]\nurl = "{redis.url}"\nkey_prefix = "{balancer.name}"'
        self._pin = pin
        self._children = []

    def run(self):
        """Runs all cases; whatever goes wrong is a row."""
        name = self._balancer.name
        try:
            install.debian(self._balancer.debian)
            self._cases()
        except install.Unavailable as error:
            self._results.add(name, "installed", "yes", f"no: {error}", None if self._options.skip_missing else False)
        # A child that does not start exits the run; here it is one balancer's result.
        except (Exception, SystemExit) as error:
                self._results.add(name, "tested", "yes", f"no: {type(error).__name__} {error}", False)
        finally:
            for child in reversed(self._children):
                child.end(5)

    def _cases(self):
        name, is_tcp = self._balancer.name, self._balancer.is_tcp
        certificate = _PINNED if is_tcp else None
        gateways = [self._gateway(f"gateway-{number}", [self._pin] if is_tcp else []) for number in (1, 2)]
        front = self._front("balancer", gateways)
        balanced.life(self._results, name, front, certificate)
        balanced.admission(self._results, name, front, certificate)
        if is_tcp:
            balanced.certificates(self._results, name, front, _PINNED)
        else:
            self._hidden_certificate()
        if self._balancer.has_checks:
            self._unready(gateways, certificate)
        balanced.idle(self._results, name, front, certificate)
        balanced.drain(self._results, name, front, certificate, gateways[0])

    def _hidden_certificate(self):
        """A balancer that ends TLS hides client certificates: a pinned party is refused."""
        gateway = self._gateway("pinning", [self._pin])
        caller = self._front("pinning-balancer", [gateway, gateway]).caller(certificate=_PINNED)
        seen = str(balanced.notice(caller))
        caller.close()
        self._results.compare(self._balancer.name, "client certificate: pinned, and hidden by TLS that ends here",
                              "E003/401", seen)

    def _unready(self, gateways, certificate):
        """Nothing answers the checks, as where no gateway is ready: the gateways must get calls all the same."""
        silent = [SimpleNamespace(port=gateway.port, ops_port=free_port()) for gateway in gateways]
        caller = self._front("unready-balancer", silent).caller(certificate=certificate)
        # The first check fails within its interval of a second.
        time.sleep(2)
        self._results.compare(self._balancer.name, "a notice while no gateway is ready", "OK/200",
                              str(balanced.notice(caller)))
        caller.close()

    def _front(self, name, gateways):
        folder, port = self._folder / name, free_port()
        folder.mkdir(parents=True)
        self._children.append(balancers.start(self._balancer, folder, self._tls, port, gateways))
        return balanced.Front(port, self._tls)

    def _gateway(self, name, pins):
        tls = self._tls
        listen = "proxy_protocol = true\n" if self._balancer.is_tcp else ""
        listen += f'[listen.tls]\ncertificate = "{tls}/server.pem"\nprivate_key = "{tls}/server.key"\n'
        listen += f'client_auth = "optional"\nclient_ca = "{tls}/ca.pem"\n'
        gateway = self._simulators.gateway(
            self._folder, name, listen=listen, client_certificates=pins,
            ledger=self._ledger,
            allow_from=[balanced.ADMITTED], trusted_proxies=["127.0.0.1"],
        )
        self._children.append(gateway.child)
        return gateway


class _GatewayTest:
    """What balancers rely on, of a gateway alone: the health paths, and how long a connection may be idle."""

    def __init__(self, results, environment, simulators):
        self._results = results
        self._gateway = simulators.gateway(environment.folder, _ALONE)

    def run(self):
        """Asks by the methods that balancers use, then waits for the end of an idle connection."""
        for path in ("/health/live", "/health/ready"):
            for method, expected in (("GET", "200"), ("HEAD", "200"), ("OPTIONS", "405 with Allow")):
                self._results.compare(_ALONE, f"{method} {path}", expected, self._ask(method, path))
        self._results.compare(_ALONE, "closes a caller's idle connection after", "75 s", self._idle())
        self._gateway.end()

    def _ask(self, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", self._gateway.ops_port, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        connection.close()
        return f"{answer.status} with Allow" if answer.getheader("Allow") else str(answer.status)

    def _idle(self):
        with socket.create_connection(("127.0.0.1", self._gateway.port), 10) as caller:
            content = calls.body("notice", "IDLE001")
            head = f"POST {calls.PATHS['notice'].format(BILLER)} HTTP/1.1\r\nHost: gateway\r\n"
            caller.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
            caller.settimeout(90)
            while caller.recv(65536):
                answered = time.monotonic()
        return f"{time.monotonic() - answered:.0f} s"
