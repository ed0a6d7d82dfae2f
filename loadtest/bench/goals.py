"""The goals of a comparison and their results."""

from dataclasses import dataclass

# (API, relay, relay compared with, transport): the ratio that must be reached, and the one aimed at.
RATIOS = {
    ("notice", "gateway", "nginx", "plain"): (1.4, 1.15),
    ("notice", "gateway", "nginx", "tls"): (0.95, 0.8),
    ("prepay", "gateway-redis", "nginx", "plain"): (1.5, 1.2),
    ("prepay", "gateway-redis", "nginx", "tls"): (1.0, 0.85),
    ("prepay", "gateway-redis", "nginx-lua", "plain"): (0.55, 0.45),
    ("prepay", "gateway-redis", "nginx-lua", "tls"): (0.35, 0.3),
}

# Added latency in milliseconds, p50 and p99.
LATENCIES = {"plain": ((0.3, 0.15), (2, 1)), "tls": ((0.4, 0.25), (3, 1.5))}

SYNCS_PER_SECOND = 200

_OURS = {"gateway", "gateway-redis"}


@dataclass(frozen=True)
class GoalResult:
    """A row of the table of goals."""

    goal: str
    must: str
    aim: str
    measured: str
    result: str


def results(comparisons, latencies, syncs):
    """Returns the result of every goal that was measured."""
    found = []
    for (api, relay, other, transport), bounds in RATIOS.items():
        for comparison in comparisons:
            if (comparison.api, comparison.transport) == (api, transport):
                spread = comparison.ratio(relay, other)
                goal = f"`{api}`, {relay} / {other}, {transport}, {comparison.connections} connections"
                measured = f"{spread.median:.2f} ({spread.low:.2f}–{spread.high:.2f})"
                found.append(_result(goal, bounds, measured, spread.median))
    # There are no goals for nginx.
    for added in (one for one in latencies if one.relay in _OURS):
        for name, bounds, spread in zip(
            ("p50", "p99"), LATENCIES[added.transport], (added.p50, added.p99), strict=True
        ):
            goal = f"added latency {name}, `{added.api}`, {added.relay}, {added.transport}, ms"
            measured = f"{spread.median * 1e3:.2f} ({spread.low * 1e3:.2f}–{spread.high * 1e3:.2f})"
            found.append(_result(goal, bounds, measured, spread.median * 1e3))
    if syncs:
        goal = "disk syncs a second at 1,000 pay-results a second"
        bounds = (SYNCS_PER_SECOND, SYNCS_PER_SECOND)
        found.append(_result(goal, bounds, f"{syncs.per_second:.0f}", syncs.per_second))
    return found


def _result(goal, bounds, measured, value):
    must, aim = bounds
    result = "aim met" if value <= aim else "must met" if value <= must else "missed"
    return GoalResult(goal, str(must), str(aim), measured, result)
