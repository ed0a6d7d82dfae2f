"""The report of a comparison in Markdown."""

from bench import markdown
from bench.goals import results

_HEADS = (
    "relay", "CPU per call, µs", "over nginx", "over nginx-lua", "calls/s", "core busy",
    "p50 ms", "p99 ms", "memory MiB", "upstream connections",
)


def write(file, head, comparisons, latencies, syncs):
    """Writes all tables into one file and returns the text."""
    parts = ["# The gateway and its peers", *[f"- {line}" for line in head], "", "## Goals", ""]
    rows = [
        (one.goal, one.must, one.aim, one.measured, one.result)
        for one in results(comparisons, latencies, syncs)
    ]
    parts += [markdown.table(("median ratio (range over rounds)", "must", "aim", "measured", ""), rows), ""]
    for comparison in comparisons:
        parts += [f"## {comparison.title}", "", _comparison(comparison), ""]
    if latencies:
        parts += ["## Added latency at half of the saturation rate", "", _latencies(latencies), ""]
    if syncs:
        parts += [
            "## Disk syncs", "",
            f"{syncs.calls_per_second:.0f} pay-results a second cost {syncs.per_second:.0f} syncs a second "
            f"(counted by {syncs.counted_by}).", "",
        ]
    text = "\n".join(parts)
    file.write_text(text)
    return text


def _comparison(comparison):
    rows = []
    for relay in comparison.slices:
        def over(other, relay=relay):
            known = other in comparison.slices and other != relay
            return markdown.spread(comparison.ratio(relay, other)) if known else ""
        rows.append((
            relay,
            markdown.spread(comparison.spread(relay, "cpu_seconds_per_call"), 1e6, 1),
            over("nginx"), over("nginx-lua"),
            f"{comparison.spread(relay, 'calls_per_second').median:,.0f}",
            f"{comparison.spread(relay, 'busy').median:.0%}",
            f"{comparison.spread(relay, 'p50_seconds').median * 1e3:.2f}",
            f"{comparison.spread(relay, 'p99_seconds').median * 1e3:.2f}",
            f"{comparison.spread(relay, 'memory_bytes').median / 2**20:.1f}",
            f"{comparison.spread(relay, 'upstream_connections').median:.0f}",
        ))
    return markdown.table(_HEADS, rows)


def _latencies(latencies):
    heads = (
        "call", "calls/s", "direct p50 ms", "added p50 ms", "added p99 ms",
        "own overhead p50 ≤ ms", "own overhead p99 ≤ ms",
    )
    rows = [
        (
            f"`{one.api}`, {one.relay}, {one.transport}", f"{one.rate:,.0f}",
            markdown.spread(one.direct_p50, 1e3), markdown.spread(one.p50, 1e3),
            markdown.spread(one.p99, 1e3),
            _milliseconds(one.overhead_p50), _milliseconds(one.overhead_p99),
        )
        for one in latencies
    ]
    return markdown.table(heads, rows)


def _milliseconds(seconds):
    return "" if seconds is None else f"{seconds * 1e3:.2f}"
