"""Two nodes on one Redis compared with one node, by CPU per call."""

from bench import growth_row, markdown, rounds, usage
from bench.call import CALLS
from bench.gateway import Gateway, Settings
from bench.redis import Redis
from bench.slice import closed, measure
from bench.upstream import Upstream

AT_LEAST = 1.9
CONNECTIONS = 32


def rows(environment, options):
    """One node under a load, and two nodes under the same load each."""
    upstream, redis = Upstream(environment), Redis(environment, "redis-of-two")
    url = upstream.url("plain")
    nodes = [Gateway(environment, f"node-{number}", url, Settings(redis=redis)) for number in (1, 2)]
    for api in ("prepay", "pay_result"):
        def measured(members, api=api):
            loads = [closed(environment, CALLS[api], node, "plain", CONNECTIONS) for node in members]
            return lambda: measure(members, upstream, loads, options.seconds)
        found = rounds.alternate(options.rounds, {"one": measured(nodes[:1]), "two": measured(nodes)})
        cost = {name: [one.cpu_seconds_per_call for one in found[name]] for name in found}
        doubled = rounds.ratio([2 * one for one in cost["one"]], cost["two"])
        what = f"two nodes on one Redis over one, `{api}`, by CPU per call"
        yield growth_row.ratio_at_least(what, doubled, AT_LEAST)
        figures = ", ".join(
            f"{name} {markdown.spread(rounds.Spread.of(cost[name]), 1e6, 1)} µs" for name in cost
        )
        yield growth_row.unbounded(f"CPU per call, `{api}`, nodes", figures)
        of_redis = _of_redis(redis, upstream, measured(nodes[:1]))
        yield growth_row.unbounded(f"CPU of Redis per `{api}`, one node", f"{of_redis * 1e6:.1f} µs")
    for one in (*nodes, upstream.child, redis.child):
        one.end()


def _of_redis(redis, upstream, slice_of_one):
    """Returns Redis' CPU seconds per call. They bound the number of nodes, because Redis uses one core."""
    pids = usage.tree(redis.child.pid)
    cpu, requests = usage.cpu_seconds(pids), upstream.requests()
    slice_of_one()
    return (usage.cpu_seconds(pids) - cpu) / (upstream.requests() - requests)
