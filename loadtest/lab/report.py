"""The report of a comparison, as Markdown."""

from lab import markdown
from lab.goals import verdicts

_HEADS = (
    "relay", "CPU per call, µs", "over nginx", "over nginx-lua", "calls/s", "core busy",
    "p50 ms", "p99 ms", "memory MiB", "upstream connections",
)


def write(file, head, contests, latencies, syncs):
    """Writes all tables into one file and answers the text."""
    parts = ["# The gateway beside its peers", *[f"- {line}" for line in head], "", "## Goals", ""]
    rows = [
        (one.goal, one.must, one.aim, one.measured, one.word)
        for one in verdicts(contests, latencies, syncs)
    ]
    parts += [markdown.table(("median ratio (range over rounds)", "must", "aim", "measured", ""), rows), ""]
    for contest in contests:
        parts += [f"## {contest.title}", "", _contest(contest), ""]
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


def _contest(contest):
    rows = []
    for relay in contest.slices:
        def over(other, relay=relay):
            known = other in contest.slices and other != relay
            return markdown.spread(contest.ratio(relay, other)) if known else ""
        rows.append((
            relay,
            markdown.spread(contest.spread(relay, "cpu_seconds_per_call"), 1e6, 1),
            over("nginx"), over("nginx-lua"),
            f"{contest.spread(relay, 'calls_per_second').median:,.0f}",
            f"{contest.spread(relay, 'busy').median:.0%}",
            f"{contest.spread(relay, 'p50_seconds').median * 1e3:.2f}",
            f"{contest.spread(relay, 'p99_seconds').median * 1e3:.2f}",
            f"{contest.spread(relay, 'memory_bytes').median / 2**20:.1f}",
            f"{contest.spread(relay, 'upstream_connections').median:.0f}",
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
