"""What a relay adds to a call at half of the rate at which it is saturated."""

import sys
from dataclasses import dataclass

from lab import oha, rounds
from lab.call import CALLS

CONNECTIONS = 32


@dataclass(frozen=True)
class Added:
    """Latency through the gateway less latency without it, in seconds, paired by round."""

    api: str
    transport: str
    relay: str
    rate: float
    direct_p50: rounds.Spread
    p50: rounds.Spread
    p99: rounds.Spread
    # What the gateway's own histogram says of the same calls: bucket edges, upper bounds.
    overhead_p50: float
    overhead_p99: float


def measure(field, contest, relay, count, seconds):
    """Alternates direct and relayed calls at a constant rate; the contest tells the saturation."""
    call, transport = CALLS[contest.api], contest.transport
    rate = contest.spread(relay, "calls_per_second").median / 2
    gateway = field.relay(transport, relay)

    def through(url):
        def measured():
            end = oha.finish(oha.start(field.lab, call, url, rate, seconds, CONNECTIONS))
            if end.faulty:
                sys.exit(f"{relay}: {end}; latencies of faulty answers mean nothing")
            return end
        return measured

    before = gateway.metrics()
    ends = rounds.alternate(
        count, {"direct": through(field.upstream.url(transport)), "relayed": through(gateway.url())}
    )
    after = gateway.metrics()

    def added(member):
        pairs = zip(ends["relayed"], ends["direct"], strict=True)
        return rounds.Spread.of(getattr(one, member) - getattr(other, member) for one, other in pairs)

    def overhead(share):
        return after.quantile("relay_overhead_seconds", share, since=before, api=contest.api)

    direct = rounds.Spread.of(end.p50_seconds for end in ends["direct"])
    return Added(
        contest.api, transport, relay, rate, direct, added("p50_seconds"), added("p99_seconds"),
        overhead(0.5), overhead(0.99),
    )
