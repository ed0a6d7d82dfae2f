"""Bad input beside good calls: broken bodies, unauthorized calls, and slow senders.

A closed load of good calls alternates with one of which every twentieth call has a broken body and every twentieth
is unauthorized. Good calls are counted at the upstream, where no bad call arrives. Slow senders connect to the
gateway, or, beside the good load, to another server: so they cost the load's core the same in both.
"""

import subprocess
import sys
from dataclasses import replace

from bench import rounds, tools, wrk
from bench.call import CALLS
from bench.gateway import Gateway, Settings
from bench.objective import Objective
from bench.slice import WARM_SECONDS, measure
from bench.upstream import Upstream

SECONDS = 240

CONNECTIONS = 200
# One more connection in a hundred sends its head slowly, and one its body.
SLOW_SENDERS = CONNECTIONS // 100

SLICE_SECONDS = 1
# The time of a turn in addition to its slice.
_ROUND_REST_SECONDS = 2
KEPT = 0.9
_ANSWERS = "relay_requests_total"

GOOD = CALLS["notice"]
BROKEN = replace(GOOD, api="broken")
UNAUTHORIZED = replace(CALLS["link_create"], headers=("Authorization: KakaoAK nobody",))
MIXED = [*[GOOD] * 9, BROKEN, *[GOOD] * 9, UNAUTHORIZED]
SHARE_REFUSED = sum(call is not GOOD for call in MIXED) / len(MIXED)


class SlowSenders:
    """slowhttptest connections that send their head, or their body, in pieces of one a second."""

    def __init__(self, environment, url, seconds):
        # slowhttptest polls its sockets in a busy loop, which must not use up the load's core.
        command = ["nice", "-n", "19", "taskset", "-c", environment.load_cores, tools.find("slowhttptest")]
        command += ["-c", str(SLOW_SENDERS), "-r", str(SLOW_SENDERS), "-i", "1"]
        command += ["-l", str(round(seconds)), "-t", "POST", "-u", url + GOOD.path]
        self._running = [
            subprocess.Popen([*command, *kind], stdout=subprocess.DEVNULL)
            for kind in (["-H"], ["-B", "-s", "4096"])
        ]

    def end(self):
        """Ends the processes; exits if one of them has ended before."""
        for one in self._running:
            if one.poll() is not None:
                sys.exit(f"slowhttptest ended early with {one.returncode}: there were no slow senders")
            one.terminate()
            one.wait()


def run(environment, seconds):
    """Runs the load and returns the objectives."""
    upstream, control = Upstream(environment), Upstream(environment, "control")
    gateway = Gateway(environment, "gateway", upstream.url("plain"), Settings())

    def measured(calls, slow_senders_url, refused):
        def load(seconds):
            return wrk.start_mixed(environment, calls, gateway.url(), CONNECTIONS, seconds)

        senders = SlowSenders(environment, slow_senders_url, WARM_SECONDS + SLICE_SECONDS + _ROUND_REST_SECONDS)
        found = measure([gateway], upstream, [load], SLICE_SECONDS, refused=refused)
        senders.end()
        return found

    count = max(2, round(seconds / (2 * (SLICE_SECONDS + _ROUND_REST_SECONDS))))
    before = gateway.metrics()
    # Both use the same script. A tenth of the mixed calls does not reach the upstream, which is on the load's core.
    found = rounds.alternate(count, {
        "good": lambda: measured([GOOD] * len(MIXED), control.url("plain"), 0.0),
        "mixed": lambda: measured(MIXED, gateway.url(), SHARE_REFUSED),
    })
    after = gateway.metrics()
    return [
        _kept("good calls a second beside bad ones", found, lambda one: one.calls_per_second),
        # The gateway's own capacity, which counts where the load's core is the bottleneck.
        _kept(
            "good calls per second of the gateway's CPU time", found,
            lambda one: 1 / one.cpu_seconds_per_call,
        ),
        _answers(before, after, count),
    ]


def _answers(before, after, count):
    """Checks that every call got the answer of its kind; each slow sender may have got one more."""
    def answered(**labels):
        return after.total(_ANSWERS, **labels) - before.total(_ANSWERS, **labels)

    good, broken = answered(res_code="OK"), answered(api=GOOD.api, res_code="E807")
    unauthorized, others = answered(api=UNAUTHORIZED.api, res_code="E003"), answered()
    others -= good + broken + unauthorized
    # The two kinds alternate; when a slice ends, each connection may have sent one more of either.
    is_even = abs(broken - unauthorized) <= CONNECTIONS * count
    is_met = min(broken, unauthorized) > 0 and is_even and others <= 2 * SLOW_SENDERS * count
    found = (
        f"{good:,.0f} good, {broken:,.0f} broken, {unauthorized:,.0f} unauthorized, "
        f"{others:,.0f} with other codes"
    )
    return Objective("every call was answered according to its kind", is_met, found)


def _kept(name, found, figure):
    rates = {turn: [figure(one) for one in found[turn]] for turn in found}
    kept, good = rounds.ratio(rates["mixed"], rates["good"]), rounds.Spread.of(rates["good"])
    text = (
        f"{kept.median:.1%} ({kept.low:.1%} to {kept.high:.1%} over {len(rates['good'])} rounds) of "
        f"{good.median:,.0f}, at least {KEPT:.0%}"
    )
    return Objective(name, kept.median >= KEPT, text)
