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
# The first call to a biller opens its connection. All are opened before anything is measured, and kept
# by a warm-up in which every biller is called once.
WARM_SECONDS = 2
OPENING_SLICES = 20


def rows(lab, options):
    """Ten thousand registered of which ten are called, and all of them called by turns."""
    upstream = Upstream(lab)
    few = _gateway(lab, upstream, "few-billers", FEW)
    many = _gateway(lab, upstream, "many-billers", options.billers)

    def measured(gateway, called):
        path = "/kakao/notice/B@NUMBER@"
        call = replace(CALLS["notice"], path=path, script="numbered.lua", numbers=(0, called))
        load = closed(lab, call, gateway, "plain", CONNECTIONS)
        return lambda: measure([gateway], upstream, [load], options.seconds, warm=WARM_SECONDS)

    _open_all(measured(many, options.billers), options.billers)
    found = rounds.alternate(options.rounds, {
        "few": measured(few, FEW),
        "registered": measured(many, FEW),
        "called": measured(many, options.billers),
    })
    few.end()
    many.end()
    upstream.child.end()
    cost = {name: [one.cpu_seconds_per_call for one in found[name]] for name in found}
    for name, how in (("registered", f"of which {FEW} are called"), ("called", "all called by turns")):
        what = f"CPU per call, {options.billers:,} billers, {how}, over {FEW} billers"
        yield bound.ratio_at_most(what, rounds.ratio(cost[name], cost["few"]), AT_MOST)
    connections = rounds.Spread.of(one.upstream_connections for one in found["called"]).median
    yield bound.told(f"upstream connections with {options.billers:,} billers called", f"{connections:,.0f}")


def _open_all(slice_of_all, count):
    for _ in range(OPENING_SLICES):
        if slice_of_all().upstream_connections >= count:
            return


def _gateway(lab, upstream, name, count):
    # A path of its own for each: another party, with a pool and a circuit of its own.
    billers = {f"B{number:010}": upstream.url("plain") + f"/{number}" for number in range(count)}
    return Gateway(lab, name, upstream.url("plain"), Settings(billers=billers))
