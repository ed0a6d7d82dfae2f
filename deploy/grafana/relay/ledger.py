"""The journal and Redis: is everything kept, and does everybody know?"""

from .board import board, row
from .meaning import GREEN, ORANGE, RED, REDIS, YES_NO, steps
from .panel import figure, lines, stacked
from .query import now, series
from .selector import JOB, named, quantile


def ledger():
    made = board("relay-ledger", "Relay ledger and Redis", "The journals of all gateways, and the state that they share.")
    for part in (_figures, _journal, _shared, _payments):
        made = part(made)
    return made


def _figures(made):
    none = steps(GREEN, (1, RED))
    for panel in (
        figure("Journals writable", "NO: payments are relayed without being kept; do not stop that gateway.",
               now(f"min(relay_journal_writable{{{JOB}}})"), unit="none", thresholds=steps(RED, (1, GREEN)), mappings=YES_NO),
        figure("Owed to the journals", "Facts in memory only.",
               now(f"sum(relay_journal_owed_facts{{{JOB}}})"), unit="none", thresholds=none),
        figure("Least free disk", "Of the file systems that journals are on.",
               now(f"min(relay_journal_disk_free_bytes{{{JOB}}})"), unit="bytes", thresholds=steps(RED, (2**30, ORANGE), (20 * 2**30, GREEN))),
        figure("Redis", "As the gateway sees it that sees it worst; embedded: no Redis is configured.",
               now(f"min(relay_ledger_redis_up{{{JOB}}}) or on () vector(-1)"), unit="none", thresholds=steps(GREEN), mappings=REDIS),
        figure("Facts not in Redis", "Journalled, but not shared yet, on all gateways.",
               now(f"sum(relay_ledger_unshared_facts{{{JOB}}})"), unit="none", thresholds=steps(GREEN, (1000, ORANGE), (100_000, RED))),
        figure("Oldest of them", "Other gateways do not know what it says.",
               now(f"max(relay_ledger_unshared_oldest_seconds{{{JOB}}})"), unit="s", thresholds=steps(GREEN, (60, ORANGE), (300, RED))),
        figure("Undelivered pay-results", "Payments that their institution has not accepted.",
               now(f"sum(relay_payments_undelivered{{{JOB}}})"), unit="none", thresholds=steps(GREEN, (1, ORANGE), (100, RED))),
        figure("Oldest of them", "How long the first has waited.",
               now(f"max(relay_payments_undelivered_oldest_seconds{{{JOB}}})"), unit="s", thresholds=steps(GREEN, (1800, ORANGE), (86400, RED))),
    ):
        made = made.with_panel(panel)
    return made


def _journal(made):
    took = "relay_ledger_operation_duration_seconds"
    return (
        made.with_row(row("Operations and journal"))
        .with_panel(lines(
            "Slowest operations", "99 of 100 were faster; journal_commit has a disk sync in it, redis one exchange.",
            series(quantile(0.99, took, JOB, "operation"), "{{operation}} p99"), unit="s"))
        .with_panel(stacked(
            "Operations", "Per second, on all gateways.",
            series(f"sum by (operation) (rate({took}_count{{{JOB}}}[$__rate_interval]))", "{{operation}}"), unit="ops"))
        .with_panel(lines(
            "Disk syncs", "Transactions committed; under load each serves many calls.",
            series(f"sum by (instance) (rate(relay_journal_commits_total{{{JOB}}}[$__rate_interval]))", "{{instance}}"), unit="ops", span=8))
        .with_panel(lines(
            "Size of the journals", "The file and its write-ahead log.",
            series(f"relay_journal_size_bytes{{{JOB}}}", "{{instance}}"), unit="bytes", span=8))
        .with_panel(lines(
            "Free disk", "Of the file system that the journal is on.",
            series(f"relay_journal_disk_free_bytes{{{JOB}}}", "{{instance}}"), unit="bytes", span=8))
    )


def _shared(made):
    redis = f'{JOB},operation="redis"'
    return (
        made.with_row(row("Shared state"))
        .with_panel(lines(
            "Exchanges with Redis", "Nothing waits longer than 200 ms for it. Without Redis there are none.",
            series(quantile(0.5, "relay_ledger_operation_duration_seconds", redis, ""), "p50"),
            series(quantile(0.99, "relay_ledger_operation_duration_seconds", redis, ""), "p99", ref="B"), unit="s", span=8))
        .with_panel(lines(
            "Facts not in Redis", "A line that falls is catching up.",
            series(f"relay_ledger_unshared_facts{{{JOB}}}", "{{instance}}"), unit="none", span=8))
        .with_panel(lines(
            "Could not be done", "For want of journal or Redis; link calls are then answered E801.",
            series(f"sum by (operation) (rate(relay_ledger_unavailable_total{{{JOB}}}[$__rate_interval]))", "{{operation}}"), unit="ops", span=8))
    )


def _payments(made):
    waiting = f"sum by (biller) (relay_payments_undelivered_by_biller{{{JOB}}})"
    twice = f"sum by (biller) (increase(relay_double_payments_total{{{JOB}}}[$__rate_interval]))"
    return (
        made.with_row(row("Payments"))
        .with_panel(lines(
            "Undelivered pay-results", "The ten institutions with most.",
            series(f"topk(10, {named(waiting)}) or on () vector(0)", "{{name}} {{biller}}"), unit="none", span=8))
        .with_panel(lines(
            "Double payments", "Of all institutions with any.",
            series(f"({named(twice)}) > 0 or on () vector(0)", "{{name}} {{biller}}"), unit="none", span=8))
        .with_panel(lines(
            "Prepays of paid bills", "Answered E403 without asking the institution.",
            series(f"sum(rate(relay_prepay_short_circuits_total{{{JOB}}}[$__rate_interval]))", "short circuits"), unit="reqps", span=8))
    )
