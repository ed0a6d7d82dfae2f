"""CPU per call with ten billers, and with ten thousand."""

from dataclasses import replace

from lab import bound, rounds
from lab.call import CALLS
from lab.gateway import Gateway, Settings
from lab.slice import closed, measure
from lab.upstream import Upstream

FEW = 10
AT_MOST = 1.1
CONNECTIONS = 32
# The first call to a biller at a server of its own opens its connection. All are opened before anything is
# measured, and kept by a warm-up in which every biller is called once.
WARM_SECONDS = 2
OPENING_SLICES = 20


def rows(lab, options):
    """Ten thousand registered of which ten are called, and all of them called by turns: at one server, as
    behind a relay agency, and each at a server of its own."""
    count = options.billers
    upstream = Upstream(lab, addresses=count)
    one_server, own_servers = (lambda _: upstream.url("plain")), upstream.url_at
    few = _gateway(lab, upstream, "few-billers", one_server, FEW)
    many = _gateway(lab, upstream, "many-billers", one_server, count)
    apart = _gateway(lab, upstream, "billers-apart", own_servers, count)

    def measured(gateway, called):
        path = "/kakao/notice/B@NUMBER@"
        call = replace(CALLS["notice"], path=path, script="numbered.lua", numbers=(0, called))
        load = closed(lab, call, gateway, "plain", CONNECTIONS)
        return lambda: measure([gateway], upstream, [load], options.seconds, warm=WARM_SECONDS)

    _open_all(measured(apart, count), count)
    found = rounds.alternate(options.rounds, {
        "few": measured(few, FEW),
        "registered": measured(many, FEW),
        "called": measured(many, count),
        "apart": measured(apart, count),
    })
    for gateway in (few, many, apart):
        gateway.end()
    upstream.child.end()
    cost = {name: [one.cpu_seconds_per_call for one in found[name]] for name in found}
    for name, how in (
        ("registered", f"of which {FEW} are called"),
        ("called", "all called by turns, at one server"),
        ("apart", "all called by turns, each at a server of its own"),
    ):
        what = f"CPU per call, {count:,} billers, {how}, over {FEW} billers"
        yield bound.ratio_at_most(what, rounds.ratio(cost[name], cost["few"]), AT_MOST)
    for name, where in (("called", "one server"), ("apart", "servers of their own")):
        connections = rounds.Spread.of(one.upstream_connections for one in found[name]).median
        yield bound.told(f"upstream connections, {count:,} billers called at {where}", f"{connections:,.0f}")


def _open_all(slice_of_all, count):
    for _ in range(OPENING_SLICES):
        if slice_of_all().upstream_connections >= count:
            return


def _gateway(lab, upstream, name, server, count):
    billers = {f"B{number:010}": server(number) + f"/{number}" for number in range(count)}
    return Gateway(lab, name, upstream.url("plain"), Settings(billers=billers))
