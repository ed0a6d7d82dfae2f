"""The dashboard of the ledger: journals, cache, Redis and undelivered payments."""

from .board import new_board, row
from .mappings import GREEN, ORANGE, RED, REDIS, YES_NO, steps
from .panel import figure, lines, stacked, with_limits
from .query import now, series
from .selector import JOB, named, quantile


def ledger():
    board = new_board("relay-ledger", "Relay ledger and Redis", "The journals of all gateways, and their shared state in Redis.")
    for part in (_figures, _journal, _cache, _redis, _nodes, _payments):
        board = part(board)
    return board


def _figures(board):
    zero = steps(GREEN, (1, RED))
    for panel in (
        figure("Journals writable", "NO: a gateway relays payments without writing them to disk; do not stop it.",
               now(f"min(relay_journal_writable{{{JOB}}})"), unit="none", thresholds=steps(RED, (1, GREEN)), mappings=YES_NO),
        figure("Journal backlog", "Facts in memory that the journals have not written.",
               now(f"sum(relay_journal_owed_facts{{{JOB}}})"), unit="none", thresholds=zero),
        figure("Least free disk", "Of all file systems that hold a journal.",
               now(f"min(relay_journal_disk_free_bytes{{{JOB}}})"), unit="bytes", thresholds=steps(RED, (2**30, ORANGE), (20 * 2**30, GREEN))),
        figure("Redis", "The worst state on any gateway; embedded: no Redis is configured.",
               now(f"min(relay_ledger_redis_up{{{JOB}}}) or on () vector(-1)"), unit="none", thresholds=steps(GREEN), mappings=REDIS),
        figure("Facts not in Redis", "Journalled but not yet in Redis, on all gateways.",
               now(f"sum(relay_ledger_unshared_facts{{{JOB}}})"), unit="none", thresholds=steps(GREEN, (1000, ORANGE), (100_000, RED))),
        figure("Oldest fact not in Redis", "Other gateways do not know this fact.",
               now(f"max(relay_ledger_unshared_oldest_seconds{{{JOB}}})"), unit="s", thresholds=steps(GREEN, (60, ORANGE), (300, RED))),
        figure("Undelivered pay-results", "Payments that the institution has not accepted.",
               now(f"max(relay_payments_undelivered{{{JOB}}})"), unit="none", thresholds=steps(GREEN, (1, ORANGE), (100, RED))),
        figure("Oldest undelivered", "The age of the oldest undelivered pay-result.",
               now(f"max(relay_payments_undelivered_oldest_seconds{{{JOB}}})"), unit="s", thresholds=steps(GREEN, (1800, ORANGE), (86400, RED))),
    ):
        board = board.with_panel(panel)
    return board


def _journal(board):
    took = "relay_ledger_operation_duration_seconds"
    return (
        board.with_row(row("Operations and journal"))
        .with_panel(lines(
            "Slowest operations", "p99. journal_commit includes a disk sync, redis one round trip.",
            series(quantile(0.99, took, JOB, "operation"), "{{operation}} p99"), unit="s"))
        .with_panel(stacked(
            "Operations", "Per second, on all gateways.",
            series(f"sum by (operation) (rate({took}_count{{{JOB}}}[$__rate_interval]))", "{{operation}}"), unit="ops"))
        .with_panel(lines(
            "Disk syncs", "Committed transactions; under load one of them serves many calls.",
            series(f"sum by (instance) (rate(relay_journal_commits_total{{{JOB}}}[$__rate_interval]))", "{{instance}}"), unit="ops", span=8))
        .with_panel(lines(
            "Size of the journals", "The journal's file and its write-ahead log.",
            series(f"relay_journal_size_bytes{{{JOB}}}", "{{instance}}"), unit="bytes", span=8))
        .with_panel(lines(
            "Free disk", "Of the file system that holds the journal.",
            series(f"relay_journal_disk_free_bytes{{{JOB}}}", "{{instance}}"), unit="bytes", span=8))
    )


def _cache(board):
    return (
        board.with_row(row("Cache"))
        .with_panel(lines(
            "State in memory", "At most ledger.cache on each gateway; the journal has all of it.",
            series(f"relay_ledger_cache_bytes{{{JOB}}}", "{{instance}}"), unit="bytes"))
        .with_panel(stacked(
            "Look-ups", "Per second, on all gateways. A miss reads the journal.",
            series(f"sum by (result) (rate(relay_ledger_cache_requests_total{{{JOB}}}[$__rate_interval]))", "{{result}}"), unit="ops"))
    )


def _redis(board):
    redis = f'{JOB},operation="redis"'
    return (
        board.with_row(row("Redis"))
        .with_panel(lines(
            "Redis round trips", "No call waits longer than 200 ms for Redis. There is no data without Redis.",
            series(quantile(0.5, "relay_ledger_operation_duration_seconds", redis, ""), "p50"),
            series(quantile(0.99, "relay_ledger_operation_duration_seconds", redis, ""), "p99", ref="B"), unit="s", span=8))
        .with_panel(lines(
            "Facts not in Redis", "The line falls while a gateway resyncs.",
            series(f"relay_ledger_unshared_facts{{{JOB}}}", "{{instance}}"), unit="none", span=8))
        .with_panel(lines(
            "Failed operations", "Operations without journal or Redis; link calls are then answered E801.",
            series(f"sum by (operation) (rate(relay_ledger_unavailable_total{{{JOB}}}[$__rate_interval]))", "{{operation}}"), unit="ops", span=8))
    )


def _nodes(board):
    refused = f"increase(relay_replication_entries_refused_total{{{JOB}}}[$__rate_interval])"
    one_disk = f"increase(relay_payments_on_one_disk_total{{{JOB}}}[$__rate_interval])"
    return (
        board.with_row(row("Nodes"))
        .with_panel(with_limits(lines(
            "Replication lag", "How long a gateway has been without a fact that another node published. 0 without Redis.",
            series(f"relay_replication_lag_seconds{{{JOB}}} or on () vector(0)", "{{instance}} behind node {{node}}"), unit="s", span=8), (30, ORANGE)))
        .with_panel(lines(
            "Payments on one disk", "Relayed although Redis did not have them in time; keep that gateway's disk until it does.",
            series(f"sum by (instance) ({one_disk})", "{{instance}}"), unit="none", span=8))
        .with_panel(lines(
            "Refused entries", "Of other nodes' streams: forged, cut, foreign or unreadable.",
            series(f"sum by (instance) ({refused})", "{{instance}}"), unit="none", span=8))
    )


def _payments(board):
    waiting = f"max by (biller) (relay_payments_undelivered_by_biller{{{JOB}}})"
    twice = f"sum by (biller) (increase(relay_double_payments_total{{{JOB}}}[$__rate_interval]))"
    return (
        board.with_row(row("Payments"))
        .with_panel(lines(
            "Undelivered pay-results", "The ten institutions with the most.",
            series(f"topk(10, {named(waiting)}) or on () vector(0)", "{{name}} {{biller}}"), unit="none", span=8))
        .with_panel(lines(
            "Double payments", "By institution.",
            series(f"({named(twice)}) > 0 or on () vector(0)", "{{name}} {{biller}}"), unit="none", span=8))
        .with_panel(lines(
            "Prepays of paid bills", "Answered E403 without calling the institution.",
            series(f"sum(rate(relay_prepay_short_circuits_total{{{JOB}}}[$__rate_interval]))", "short circuits"), unit="reqps", span=8))
    )
