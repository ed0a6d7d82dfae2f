"""What a relay adds to a call at half of the rate at which it is saturated, and nginx at the same rate.

In many short slices: a machine that is shared stops for some ten milliseconds now and then, which is the p99 of
whatever slice it falls into, and of no other.
"""

import sys
from dataclasses import dataclass

from lab import oha, rounds
from lab.call import CALLS

CONNECTIONS = 32
NGINX = "nginx"


@dataclass(frozen=True)
class Added:
    """Latency through a relay less latency without it, in seconds, paired by round."""

    api: str
    transport: str
    relay: str
    rate: float
    direct_p50: rounds.Spread
    p50: rounds.Spread
    p99: rounds.Spread
    # What the gateway's own histogram says of the same calls: bucket edges, upper bounds. nginx has none.
    overhead_p50: float | None = None
    overhead_p99: float | None = None


def measure(field, contest, relay, count, seconds):
    """Alternates direct and relayed calls at a constant rate; the contest tells the saturation."""
    call, transport = CALLS[contest.api], contest.transport
    rate = contest.spread(relay, "calls_per_second").median / 2
    gateway, nginx = field.relay(transport, relay), field.relay(transport, NGINX)

    def through(url):
        def measured():
            field.cut_logs()
            end = oha.finish(oha.start(field.lab, call, url, rate, seconds, CONNECTIONS))
            if end.faulty:
                sys.exit(f"{relay}: {end}; latencies of faulty answers mean nothing")
            return end
        return measured

    before = gateway.metrics()
    ends = rounds.alternate(count, {
        "direct": through(field.upstream.url(transport)),
        relay: through(gateway.url()),
        NGINX: through(nginx.url(transport)),
    })
    after = gateway.metrics()

    def added(name, member):
        pairs = zip(ends[name], ends["direct"], strict=True)
        return rounds.Spread.of(getattr(one, member) - getattr(other, member) for one, other in pairs)

    def overhead(share):
        return after.quantile("relay_overhead_seconds", share, since=before, api=contest.api)

    direct = rounds.Spread.of(end.p50_seconds for end in ends["direct"])
    for name, own in ((relay, (overhead(0.5), overhead(0.99))), (NGINX, ())):
        yield Added(
            contest.api, transport, name, rate, direct,
            added(name, "p50_seconds"), added(name, "p99_seconds"), *own,
        )
