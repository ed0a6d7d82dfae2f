"""The parts that queries share: which series, and how names are joined."""

JOB = 'job="relay-gateway"'

# Calls that count for the objective: of a registered biller, not turned away at the door.
CALLS = f'relay_requests_total{{{JOB},biller!="unknown",status!~"401|403|404|405|408|413|429"}}'
LATE = f'relay_budget_exceeded_total{{{JOB},biller!="unknown"}}'
SLOW_BODIES = f'relay_requests_total{{{JOB},biller!="unknown",status="408"}}'

# Codes that are answers about a bill, not failures.
ABOUT_BILLS = "OK|E40.|E5..|E81."

# One name per biller, also while two gateways know it by different ones.
_NAMES = f"topk by (biller) (1, max by (biller, name) (relay_biller_info{{{JOB}}}))"


def named(expr: str) -> str:
    """Adds the label `name` to what has the label `biller`; what has no name stays as it is."""
    return f"({expr}) * on (biller) group_left (name) {_NAMES} or ({expr}) unless on (biller) {_NAMES}"


def late_share(window: str) -> str:
    """The share of calls that took longer than the budget, as the alerts have it: without those
    that their callers' slow bodies made late. Without calls there is none."""
    slow_bodies = f"(sum(rate({SLOW_BODIES}[{window}])) or vector(0))"
    return f"clamp_min(sum(rate({LATE}[{window}])) - {slow_bodies}, 0) / sum(rate({CALLS}[{window}]))"


def slow_share(window: str) -> str:
    """The share of calls of which the gateway itself took 10 ms or more."""
    of = f'{JOB},api!="unknown"'
    return (
        f'1 - sum(rate(relay_overhead_seconds_bucket{{{of},le="0.01"}}[{window}]))'
        f" / sum(rate(relay_overhead_seconds_count{{{of}}}[{window}]))"
    )


def counted(counter: str, window: str = "$__range") -> str:
    """How much a counter has counted, the first of it too: a counter that is made by its first
    event begins at 1, and its increase does not show that."""
    return (
        f"(increase({counter}[{window}]) and {counter} offset {window})"
        f" or ({counter} unless {counter} offset {window}) or increase({counter}[{window}])"
    )


def quantile(q: float, histogram: str, matchers: str, by: str) -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({histogram}_bucket{{{matchers}}}[$__rate_interval])))"
