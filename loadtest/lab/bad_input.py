"""Bad input beside good calls: broken bodies, strangers, and connections that drip.

A closed load of good calls alone, by turns with one of as many connections of which every twentieth call
has a broken body and every twentieth is a stranger's. Good calls are counted at the upstream, where no bad
one ever arrives. Connections that drip go to the gateway or to a stand-in: to drip costs the load's core the
same both times.
"""

import subprocess
from dataclasses import replace

from lab import rounds, tools, wrk
from lab.call import CALLS
from lab.gateway import Gateway, Settings
from lab.objective import Objective
from lab.slice import WARM_SECONDS, measure
from lab.upstream import Upstream

SECONDS = 240

CONNECTIONS = 200
# One in a hundred connections drips its head, another one its body.
DRIPPING = CONNECTIONS // 100

SLICE_SECONDS = 1
# What a round takes beside its slices.
_ROUND_REST_SECONDS = 2
KEPT = 0.9

GOOD = CALLS["notice"]
BROKEN = replace(GOOD, api="broken")
STRANGER = replace(CALLS["link_create"], headers=("Authorization: KakaoAK nobody",))
MIXED = [*[GOOD] * 9, BROKEN, *[GOOD] * 9, STRANGER]
SHARE_REFUSED = sum(call is not GOOD for call in MIXED) / len(MIXED)


class Drips:
    """Connections that send their head, or their body, a piece a second."""

    def __init__(self, lab, url, seconds):
        # They look at their sockets in a busy loop, and must not take the load's core for that.
        command = ["nice", "-n", "19", "taskset", "-c", lab.load_cores, tools.find("slowhttptest")]
        command += ["-c", str(DRIPPING), "-r", str(DRIPPING), "-i", "1"]
        command += ["-l", str(round(seconds)), "-t", "POST", "-u", url + GOOD.path]
        self._running = [
            subprocess.Popen([*command, *kind], stdout=subprocess.DEVNULL)
            for kind in (["-H"], ["-B", "-s", "4096"])
        ]

    def end(self):
        for one in self._running:
            one.terminate()
            one.wait()


def play(lab, seconds):
    """Answers the objectives."""
    upstream, stand_in = Upstream(lab), Upstream(lab, "stand-in")
    gateway = Gateway(lab, "gateway", upstream.url("plain"), Settings())

    def measured(calls, dripped_on, refused):
        def load(seconds):
            return wrk.start_mixed(lab, calls, gateway.url(), CONNECTIONS, seconds)

        drips = Drips(lab, dripped_on, WARM_SECONDS + SLICE_SECONDS + _ROUND_REST_SECONDS)
        found = measure([gateway], upstream, [load], SLICE_SECONDS, refused=refused)
        drips.end()
        return found

    count = max(2, round(seconds / (2 * (SLICE_SECONDS + _ROUND_REST_SECONDS))))
    # The same script, and so the same work for the load, both times.
    found = rounds.alternate(count, {
        "alone": lambda: measured([GOOD] * len(MIXED), stand_in.url("plain"), 0.0),
        "in trouble": lambda: measured(MIXED, gateway.url(), SHARE_REFUSED),
    })
    refused = [one.refused for one in found["in trouble"]]
    told = f"{sum(refused):,} refused in all, {min(refused):,} in the quietest round"
    return [
        _kept("good calls a second beside bad ones", found, lambda one: one.calls_per_second),
        # Where the load's core is the narrow one, this is what the gateway by itself can do.
        _kept(
            "good calls per second of the gateway's CPU time", found,
            lambda one: 1 / one.cpu_seconds_per_call,
        ),
        Objective("a tenth of the calls was bad, and every bad one refused", min(refused) > 0, told),
    ]


def _kept(name, found, figure):
    rates = {turn: [figure(one) for one in found[turn]] for turn in found}
    kept, alone = rounds.ratio(rates["in trouble"], rates["alone"]), rounds.Spread.of(rates["alone"])
    told = (
        f"{kept.median:.1%} ({kept.low:.1%} to {kept.high:.1%} over {len(rates['alone'])} rounds) of "
        f"{alone.median:,.0f}, at least {KEPT:.0%}"
    )
    return Objective(name, kept.median >= KEPT, told)
