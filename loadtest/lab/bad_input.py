"""Bad input beside good calls: broken bodies, strangers, and connections that drip.

A closed load of good calls beside bad ones, which go to the gateway and to a stand-in by turns: to make
them costs the load's core the same both times, so that what differs is the gateway's. Good calls are
counted at the upstream, where no bad one ever arrives.
"""

import subprocess
from dataclasses import replace

from lab import oha, rounds, tools
from lab.call import CALLS
from lab.gateway import Gateway, Settings
from lab.objective import Objective
from lab.slice import WARM_SECONDS, closed, measure
from lab.upstream import Upstream

SECONDS = 40

CONNECTIONS = 200
SHARE_BROKEN = 0.05
SHARE_STRANGERS = 0.05
# One in a hundred connections drips its head, another one its body.
DRIPPING = CONNECTIONS // 100

SLICE_SECONDS = 2
KEPT = 0.9

BROKEN = replace(CALLS["notice"], api="broken")
_STRANGER = replace(CALLS["link_create"], headers=("Authorization: KakaoAK nobody",))


class Trouble:
    """Everything bad at once."""

    def __init__(self, lab, url, calls_per_second):
        seconds = WARM_SECONDS + SLICE_SECONDS + 1
        broken, strangers = SHARE_BROKEN * calls_per_second, SHARE_STRANGERS * calls_per_second
        self._loads = [
            oha.start(lab, BROKEN, url, broken, seconds, 8),
            oha.start(lab, _STRANGER, url, strangers, seconds, 8),
        ]
        # It looks at its sockets in a busy loop, and must not take the good load's core for that.
        drip = ["nice", "-n", "19", "taskset", "-c", lab.load_cores, tools.find("slowhttptest")]
        drip += ["-c", str(DRIPPING), "-r", str(DRIPPING), "-i", "1"]
        drip += ["-l", str(round(seconds)), "-t", "POST", "-u", url + CALLS["notice"].path]
        self._drips = [
            subprocess.Popen([*drip, *kind], stdout=subprocess.DEVNULL)
            for kind in (["-H"], ["-B", "-s", "4096"])
        ]

    def end(self):
        """Answers how many bad calls were refused; all of them have to be."""
        ends = [oha.finish(load) for load in self._loads]
        for drip in self._drips:
            drip.terminate()
            drip.wait()
        return sum(end.faulty for end in ends)


def play(lab, seconds):
    """Answers the objectives."""
    upstream = Upstream(lab)
    gateway = Gateway(lab, "gateway", upstream.url("plain"), Settings())
    load = closed(lab, CALLS["notice"], gateway, "plain", CONNECTIONS)
    refused = []

    stand_in = Upstream(lab, "stand-in")
    normal = measure([gateway], upstream, [load], SLICE_SECONDS).calls_per_second

    def beside(url):
        trouble = Trouble(lab, url, normal)
        found = measure([gateway], upstream, [load], SLICE_SECONDS)
        return found, trouble.end()

    def alone():
        found, _ = beside(stand_in.url("plain"))
        return found

    def in_trouble():
        found, faulty = beside(gateway.url())
        refused.append(faulty)
        return found

    count = max(2, round(seconds / (2 * (SLICE_SECONDS + WARM_SECONDS + 1))))
    found = rounds.alternate(count, {"alone": alone, "in trouble": in_trouble})
    bad = f"{sum(refused)} refused in all, {min(refused)} in the quietest round"
    return [
        _kept("good calls a second beside bad ones", found, lambda one: one.calls_per_second),
        # Where the load's core is the narrow one, this is what the gateway by itself can do.
        _kept(
            "good calls per second of the gateway's CPU time", found,
            lambda one: 1 / one.cpu_seconds_per_call,
        ),
        Objective("bad calls were made, and refused", min(refused) > 0, bad),
    ]


def _kept(name, found, figure):
    rates = {turn: [figure(one) for one in found[turn]] for turn in found}
    kept, alone = rounds.ratio(rates["in trouble"], rates["alone"]), rounds.Spread.of(rates["alone"])
    told = (
        f"{kept.median:.1%} ({kept.low:.1%} to {kept.high:.1%} over {len(rates['alone'])} rounds) of "
        f"{alone.median:,.0f}, at least {KEPT:.0%}"
    )
    return Objective(name, kept.median >= KEPT, told)
