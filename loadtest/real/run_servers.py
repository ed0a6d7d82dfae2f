"""Real servers as billers: each is installed, started, and put behind a gateway of its own."""

import pathlib
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from real import answers, install
from real.cases import busy, forms, idle_end
from real.gateway import Gateway, program
from real.relay import Relay
from real.servers import SERVERS
from real.servers.server import Site

NAMES = [server.name for server in SERVERS]


def run(results, environment, options):
    """Adds the rows of the chosen servers; several are tested at once, since most of the time is waiting."""
    program("gateway")
    chosen = [server for server in SERVERS if not options.only or server.name in options.only]
    chosen = [server for server in chosen if server.name not in options.skip]
    # Servers that give up root must be able to read their programs.
    shared = pathlib.Path(tempfile.mkdtemp(prefix="relay-real-"))
    shared.chmod(0o755)
    written = answers.write(shared / "answers")
    try:
        with ThreadPoolExecutor(options.at_once) as threads:
            list(threads.map(lambda server: _one(results, server, environment, shared, written, options), chosen))
    finally:
        shutil.rmtree(shared, ignore_errors=True)


def _one(results, server, environment, shared, written, options):
    """Tests one server; whatever goes wrong is a row."""
    try:
        install.debian(server.debian)
        python = install.python() if server.needs_pypi else pathlib.Path(sys.executable)
    except install.Unavailable as error:
        results.add(server.name, "installed", "yes", f"no: {error}", None if options.skip_missing else False)
        return
    children = []
    try:
        tls = environment.tls if server.has_tls else None
        site = Site(environment.folder / server.name, shared / server.name, written, python, tls)
        children += server.start(site)
        children[-1].await_port(site.port)
        idle_end.warm_up(site)
        relay = Relay(site, options.round_trip, idle_end.LANES + 1)
        children.append(relay.child)
        gateway = _gateway(site, relay)
        children.append(gateway.child)
        forms.run(results, server, gateway, site)
        shortest_idle_seconds = idle_end.run(results, server, gateway, site, options)
        busy.run(results, server, gateway, relay, shortest_idle_seconds)
    # A child that does not start exits the run; here it is one server's result.
    except (Exception, SystemExit) as error:
        results.add(server.name, "tested", "yes", f"no: {type(error).__name__} {error}", False)
    finally:
        for child in reversed(children):
            child.end(5)


def _gateway(site, relay):
    """Starts a gateway with billers behind the ports of the relay, and one without the round trip for the forms."""
    host = f"{'https' if site.tls else 'http'}://127.0.0.1"
    codes = [idle_end.biller(number) for number in range(idle_end.LANES)] + [busy.BILLER]
    billers = {code: f"{host}:{port}" for code, port in zip(codes, relay.ports, strict=True)}
    billers[forms.BILLER] = f"{host}:{site.port}"
    tls = f'[tls]\nca = "{site.tls}/ca.pem"' if site.tls else ""
    # A machine that is busy with twenty servers may be slow; that is not what is tested.
    budget = '[budget]\ntotal = "20s"'
    return Gateway(site.folder, billers, limits='idle_timeout = "10m"', budget=budget, biller_tls=tls)
