"""The latency that a relay adds at half of its saturation rate, and that nginx adds at the same rate.

The slices are many and short, because a shared machine pauses for some ten milliseconds now and then: each pause is
the p99 of one slice only.
"""

import sys
from dataclasses import dataclass

from bench import oha, rounds
from bench.call import CALLS

CONNECTIONS = 32
NGINX = "nginx"


@dataclass(frozen=True)
class Added:
    """Latency through a relay minus latency without it, in seconds, paired by round."""

    api: str
    transport: str
    relay: str
    rate: float
    direct_p50: rounds.Spread
    p50: rounds.Spread
    p99: rounds.Spread
    # The same from the gateway's histogram (upper bucket edges); `None` for nginx.
    overhead_p50: float | None = None
    overhead_p99: float | None = None


def measure(relays, comparison, relay, count, seconds):
    """Alternates direct and relayed calls at half of the rate that the comparison reached."""
    call, transport = CALLS[comparison.api], comparison.transport
    rate = comparison.spread(relay, "calls_per_second").median / 2
    gateway, nginx = relays.get(transport, relay), relays.get(transport, NGINX)

    def through(url):
        def measured():
            relays.truncate_logs()
            result = oha.finish(oha.start(relays.environment, call, url, rate, seconds, CONNECTIONS))
            if result.faulty:
                sys.exit(f"{relay}: {result}; latencies of faulty answers mean nothing")
            return result
        return measured

    before = gateway.metrics()
    results = rounds.alternate(count, {
        "direct": through(relays.upstream.url(transport)),
        relay: through(gateway.url()),
        NGINX: through(nginx.url(transport)),
    })
    after = gateway.metrics()

    def added(name, member):
        pairs = zip(results[name], results["direct"], strict=True)
        return rounds.Spread.of(getattr(one, member) - getattr(other, member) for one, other in pairs)

    def overhead(share):
        return after.quantile("relay_overhead_seconds", share, since=before, api=comparison.api)

    direct = rounds.Spread.of(result.p50_seconds for result in results["direct"])
    for name, own in ((relay, (overhead(0.5), overhead(0.99))), (NGINX, ())):
        yield Added(
            comparison.api, transport, name, rate, direct,
            added(name, "p50_seconds"), added(name, "p99_seconds"), *own,
        )
