"""CPU per call with ten billers and with ten thousand."""

from dataclasses import replace

from bench import growth_row, rounds
from bench.call import CALLS
from bench.gateway import Gateway, Settings
from bench.slice import closed, measure
from bench.upstream import Upstream

FEW = 10
AT_MOST = 1.1
CONNECTIONS = 32
# The first call to a biller with a separate server opens its connection. `_open_all` opens all of them before
# anything is measured; a warm-up that calls every biller once keeps them open.
WARM_SECONDS = 2
OPENING_SLICES = 20


def rows(environment, options):
    """Ten thousand registered billers: ten of them called, all called in turn at one server (as behind a relay
    agency), and all called in turn at separate servers."""
    count = options.billers
    upstream = Upstream(environment, addresses=count)
    one_server = lambda _: upstream.url("plain")
    few = _gateway(environment, upstream, "few-billers", one_server, FEW)
    many = _gateway(environment, upstream, "many-billers", one_server, count)
    separate = _gateway(environment, upstream, "separate-servers", upstream.url_at, count)

    def measured(gateway, called):
        path = "/kakao/notice/B@NUMBER@"
        call = replace(CALLS["notice"], path=path, script="numbered.lua", numbers=(0, called))
        load = closed(environment, call, gateway, "plain", CONNECTIONS)
        return lambda: measure([gateway], upstream, [load], options.seconds, warm=WARM_SECONDS)

    _open_all(measured(separate, count), count)
    found = rounds.alternate(options.rounds, {
        "few": measured(few, FEW),
        "registered": measured(many, FEW),
        "called": measured(many, count),
        "separate": measured(separate, count),
    })
    for gateway in (few, many, separate):
        gateway.end()
    upstream.child.end()
    cost = {name: [one.cpu_seconds_per_call for one in found[name]] for name in found}
    for name, how in (
        ("registered", f"of which {FEW} are called"),
        ("called", "all called in turn, at one server"),
        ("separate", "all called in turn, at separate servers"),
    ):
        what = f"CPU per call, {count:,} billers, {how}, over {FEW} billers"
        yield growth_row.ratio_at_most(what, rounds.ratio(cost[name], cost["few"]), AT_MOST)
    for name, where in (("called", "one server"), ("separate", "separate servers")):
        connections = rounds.Spread.of(one.upstream_connections for one in found[name]).median
        yield growth_row.unbounded(f"upstream connections, {count:,} billers called at {where}", f"{connections:,.0f}")


def _open_all(slice_of_all, count):
    for _ in range(OPENING_SLICES):
        if slice_of_all().upstream_connections >= count:
            return


def _gateway(environment, upstream, name, server, count):
    billers = {f"B{number:010}": server(number) + f"/{number}" for number in range(count)}
    return Gateway(environment, name, upstream.url("plain"), Settings(billers=billers))
