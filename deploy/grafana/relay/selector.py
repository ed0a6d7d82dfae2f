"""Series selectors and expressions that several queries use."""

JOB = 'job="relay-gateway"'

# Calls that count for the objective: those of a registered biller that were admitted.
CALLS = f'relay_requests_total{{{JOB},biller!="unknown",status!~"401|403|404|405|408|413|429"}}'
LATE = f'relay_budget_exceeded_total{{{JOB},biller!="unknown"}}'
SLOW_BODIES = f'relay_requests_total{{{JOB},biller!="unknown",status="408"}}'

# Codes that answer about a bill and are no failures.
ABOUT_BILLS = "OK|E40.|E5..|E81."

# One name per biller, even while two gateways have different names for it.
_NAMES = f"topk by (biller) (1, max by (biller, name) (relay_biller_info{{{JOB}}}))"


def named(expr: str) -> str:
    """Returns an expression that adds the label `name` to series with the label `biller`, if the biller has one."""
    return f"({expr}) * on (biller) group_left (name) {_NAMES} or ({expr}) unless on (biller) {_NAMES}"


def late_share(window: str) -> str:
    """Returns the share of calls over the budget, without those with a slow body, as the alerts do; NaN without calls."""
    slow_bodies = f"(sum(rate({SLOW_BODIES}[{window}])) or vector(0))"
    return f"clamp_min(sum(rate({LATE}[{window}])) - {slow_bodies}, 0) / sum(rate({CALLS}[{window}]))"


def slow_share(window: str) -> str:
    """Returns the share of calls in which the gateway itself took 10 ms or more."""
    of = f'{JOB},api!="unknown"'
    return (
        f'1 - sum(rate(relay_overhead_seconds_bucket{{{of},le="0.01"}}[{window}]))'
        f" / sum(rate(relay_overhead_seconds_count{{{of}}}[{window}]))"
    )


def counted(counter: str, window: str = "$__range") -> str:
    """Returns a counter's increase including its first event: a counter that starts at 1 shows no increase for it."""
    return (
        f"(increase({counter}[{window}]) and {counter} offset {window})"
        f" or ({counter} unless {counter} offset {window}) or increase({counter}[{window}])"
    )


def quantile(q: float, histogram: str, matchers: str, by: str) -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({histogram}_bucket{{{matchers}}}[$__rate_interval])))"
