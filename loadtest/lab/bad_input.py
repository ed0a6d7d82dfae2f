"""Bad input beside good calls: broken bodies, strangers, and connections that drip.

A closed load of good calls, with and without bad ones by turns. Good calls are counted at the upstream,
where no bad one ever arrives.
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

_BROKEN = replace(CALLS["notice"], api="broken")
_STRANGER = replace(CALLS["link_create"], headers=("Authorization: KakaoAK nobody",))


class Trouble:
    """Everything bad at once."""

    def __init__(self, lab, gateway, calls_per_second):
        seconds = WARM_SECONDS + SLICE_SECONDS + 1
        url = gateway.url()
        broken, strangers = SHARE_BROKEN * calls_per_second, SHARE_STRANGERS * calls_per_second
        self._loads = [
            oha.start(lab, _BROKEN, url, broken, seconds, 8),
            oha.start(lab, _STRANGER, url, strangers, seconds, 8),
        ]
        drip = [tools.find("slowhttptest"), "-c", str(DRIPPING), "-r", str(DRIPPING), "-i", "1"]
        drip += ["-l", str(round(seconds)), "-t", "POST", "-u", url + CALLS["notice"].path]
        self._drips = [
            subprocess.Popen(["taskset", "-c", lab.load_cores, *drip, *kind], stdout=subprocess.DEVNULL)
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

    def alone():
        return measure([gateway], upstream, [load], SLICE_SECONDS)

    normal = alone().calls_per_second

    def in_trouble():
        trouble = Trouble(lab, gateway, normal)
        found = measure([gateway], upstream, [load], SLICE_SECONDS)
        refused.append(trouble.end())
        return found

    count = max(2, round(seconds / (2 * (SLICE_SECONDS + WARM_SECONDS + 1))))
    found = rounds.alternate(count, {"alone": alone, "in trouble": in_trouble})
    rates = {name: [one.calls_per_second for one in found[name]] for name in found}
    kept = rounds.ratio(rates["in trouble"], rates["alone"])
    told = (
        f"{kept.median:.1%} ({kept.low:.1%} to {kept.high:.1%} over {count} rounds) of "
        f"{rounds.Spread.of(rates['alone']).median:,.0f} calls a second, at least {KEPT:.0%}"
    )
    bad = f"{sum(refused)} refused in all, {min(refused)} in the quietest round"
    return [
        Objective("good calls beside bad ones", kept.median >= KEPT, told),
        Objective("bad calls were made, and refused", min(refused) > 0, bad),
    ]
