"""Two nodes on one Redis over one node, by CPU per call."""

from lab import bound, markdown, rounds, usage
from lab.call import CALLS
from lab.gateway import Gateway, Settings
from lab.redis import Redis
from lab.slice import closed, measure
from lab.upstream import Upstream

AT_LEAST = 1.9
CONNECTIONS = 32


def rows(lab, options):
    """One node under its load, and two nodes each under as much."""
    upstream, redis = Upstream(lab), Redis(lab, "redis-of-two")
    url = upstream.url("plain")
    nodes = [Gateway(lab, f"node-{number}", url, Settings(redis=redis)) for number in (1, 2)]
    for api in ("prepay", "pay_result"):
        def measured(members, api=api):
            loads = [closed(lab, CALLS[api], node, "plain", CONNECTIONS) for node in members]
            return lambda: measure(members, upstream, loads, options.seconds)
        found = rounds.alternate(options.rounds, {"one": measured(nodes[:1]), "two": measured(nodes)})
        cost = {name: [one.cpu_seconds_per_call for one in found[name]] for name in found}
        doubled = rounds.ratio([2 * one for one in cost["one"]], cost["two"])
        what = f"two nodes on one Redis over one, `{api}`, by CPU per call"
        yield bound.ratio_at_least(what, doubled, AT_LEAST)
        figures = ", ".join(
            f"{name} {markdown.spread(rounds.Spread.of(cost[name]), 1e6, 1)} µs" for name in cost
        )
        yield bound.told(f"CPU per call, `{api}`, nodes", figures)
        of_redis = _of_redis(redis, upstream, measured(nodes[:1]))
        yield bound.told(f"CPU of Redis per `{api}`, one node", f"{of_redis * 1e6:.1f} µs")
    for one in (*nodes, upstream.child, redis.child):
        one.end()


def _of_redis(redis, upstream, slice_of_one):
    """What bounds the number of nodes, for Redis has one core: its seconds per call."""
    pids = usage.tree(redis.child.pid)
    cpu, requests = usage.cpu_seconds(pids), upstream.requests()
    slice_of_one()
    return (usage.cpu_seconds(pids) - cpu) / (upstream.requests() - requests)
