"""Bad input beside good calls: broken bodies, strangers, and connections that drip.

A closed load of good calls alone, by turns with one of as many connections of which every twentieth call
has a broken body and every twentieth is a stranger's. Good calls are counted at the upstream, where no bad
one ever arrives. Connections that drip go to the gateway or to a stand-in: to drip costs the load's core the
same both times.
"""

import subprocess
import sys
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
_ANSWERS = "relay_requests_total"

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
        """Ends them; they have to have been there all the time."""
        for one in self._running:
            if one.poll() is not None:
                sys.exit(f"slowhttptest ended by itself with {one.returncode}: nothing dripped")
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
    before = gateway.metrics()
    # The same script both times; but a tenth of the calls never gets to the upstream, which is on the load's core.
    found = rounds.alternate(count, {
        "alone": lambda: measured([GOOD] * len(MIXED), stand_in.url("plain"), 0.0),
        "in trouble": lambda: measured(MIXED, gateway.url(), SHARE_REFUSED),
    })
    after = gateway.metrics()
    return [
        _kept("good calls a second beside bad ones", found, lambda one: one.calls_per_second),
        # Where the load's core is the narrow one, this is what counts: what the gateway by itself can do.
        _kept(
            "good calls per second of the gateway's CPU time", found,
            lambda one: 1 / one.cpu_seconds_per_call,
        ),
        _answers(before, after, count),
    ]


def _answers(before, after, count):
    """Every call had the answer that its kind has; a connection that dripped may have had one of its own."""
    def answered(**labels):
        return after.total(_ANSWERS, **labels) - before.total(_ANSWERS, **labels)

    good, broken = answered(res_code="OK"), answered(api=GOOD.api, res_code="E807")
    strange, others = answered(api=STRANGER.api, res_code="E003"), answered()
    others -= good + broken + strange
    # They take turns, and at the end of a slice each connection may be at either.
    is_even = abs(broken - strange) <= CONNECTIONS * count
    is_met = min(broken, strange) > 0 and is_even and others <= 2 * DRIPPING * count
    found = f"{good:,.0f} good, {broken:,.0f} broken, {strange:,.0f} strangers, {others:,.0f} with other codes"
    return Objective("every call was answered as its kind is", is_met, found)


def _kept(name, found, figure):
    rates = {turn: [figure(one) for one in found[turn]] for turn in found}
    kept, alone = rounds.ratio(rates["in trouble"], rates["alone"]), rounds.Spread.of(rates["alone"])
    told = (
        f"{kept.median:.1%} ({kept.low:.1%} to {kept.high:.1%} over {len(rates['alone'])} rounds) of "
        f"{alone.median:,.0f}, at least {KEPT:.0%}"
    )
    return Objective(name, kept.median >= KEPT, told)
