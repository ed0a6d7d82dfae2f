"""The gateways as processes: up, ready, how much they take, what ends soon."""

from .board import board, choice, row
from .meaning import BLUE, GREEN, ORANGE, RED, YES_NO, nothing, steps, words
from .panel import columns, figure, grid, lines, meaning_of
from .query import now, rows, series
from .selector import JOB

THESE = f'{JOB},instance=~"$instance"'
DAY = 86400


def process():
    made = board("relay-process", "Relay processes", "The gateways as processes of their machines.")
    made = made.with_variable(choice("instance", "Gateway", "up", all_of_them=True))
    for part in (_figures, _versions, _machine, _doors):
        made = part(made)
    return made


def _figures(made):
    for panel in (
        figure("Up", "Gateways that Prometheus reaches.", now(f"sum(up{{{THESE}}})"), unit="none", thresholds=steps(RED, (1, GREEN))),
        figure("All ready", "NO: one drains, or cannot write its journal.",
               now(f"min(relay_ready{{{THESE}}})"), unit="none", thresholds=steps(RED, (1, GREEN)), mappings=YES_NO),
        figure("Youngest", "Since the last start of any of them.",
               now(f"time() - max(process_start_time_seconds{{{THESE}}})"), unit="s", thresholds=steps(ORANGE, (600, GREEN))),
        figure("First certificate to end", "Over all gateways and files.",
               now(f"min(relay_certificate_expiry_timestamp_seconds{{{THESE}}}) - time() or on () vector(NaN)"), unit="s",
               thresholds=steps(RED, (3 * DAY, ORANGE), (21 * DAY, GREEN)), mappings=nothing("no TLS")),
        figure("Reloads refused", "Over the dashboard's time; such a gateway runs on with its old billers.",
               now(f'sum(increase(relay_reloads_total{{{THESE},result="refused"}}[$__range]))'), unit="none", thresholds=steps(GREEN, (1, ORANGE))).decimals(0),
        figure("Log lines lost", "Over the dashboard's time.",
               now(f"sum(increase(relay_log_lines_dropped_total{{{THESE}}}[$__range]))"), unit="none", thresholds=steps(GREEN, (1, ORANGE))).decimals(0),
        figure("Connections refused", "Over the dashboard's time.",
               now(f"sum(increase(relay_connections_refused_total{{{THESE}}}[$__range]))"), unit="none", thresholds=steps(GREEN, (1, ORANGE))).decimals(0),
        figure("Institutions", "Registered ones.", now(f"count(count by (biller) (relay_biller_info{{{THESE}}}))"), unit="none", thresholds=steps(BLUE)),
    ):
        made = made.with_panel(panel)
    return made


def _versions(made):
    ready = words({"1": ("ready", GREEN), "0": ("NOT READY", RED)})
    versions = columns(grid(
        "Versions", "And whether each is ready.",
        rows(f"relay_ready{{{THESE}}} * on (instance) group_left (version) relay_build_info{{{THESE}}}"), unit="none", sort="gateway", span=12, height=7),
        {"instance": "gateway", "version": "version", "Value": "ready", "job": "job"})
    ends = columns(grid(
        "Certificates", "When each file's first certificate ends.",
        rows(f"sort(relay_certificate_expiry_timestamp_seconds{{{THESE}}} - time()) or on () vector(NaN)"), unit="s", sort="left", span=12, height=7)
        .thresholds(steps(RED, (3 * DAY, ORANGE), (21 * DAY, GREEN))).mappings(nothing("no TLS")),
        {"instance": "gateway", "certificate": "certificate", "Value": "left", "job": "job"})
    return made.with_row(row("Versions and certificates")).with_panel(meaning_of(versions, "ready", ready)).with_panel(ends)


def _machine(made):
    return (
        made.with_row(row("What they take"))
        .with_panel(lines(
            "CPU", "1 is one core.", series(f"rate(process_cpu_seconds_total{{{THESE}}}[$__rate_interval])", "{{instance}}"), unit="none", span=8))
        .with_panel(lines(
            "Memory", "Resident.", series(f"process_resident_memory_bytes{{{THESE}}}", "{{instance}}"), unit="bytes", span=8))
        .with_panel(lines(
            "Open files", "As a share of what the process may open; sockets are files.",
            series(f"process_open_fds{{{THESE}}} / process_max_fds{{{THESE}}}", "{{instance}}"), unit="percentunit", span=8))
    )


def _doors(made):
    return (
        made.with_row(row("Doors"))
        .with_panel(lines(
            "Connections", "Open on the public listener.", series(f"relay_connections_open{{{THESE}}}", "{{instance}}"), unit="none", span=8))
        .with_panel(lines(
            "Calls in flight", "Admitted and not answered yet.",
            series(f"sum by (instance) (relay_in_flight_requests{{{THESE}}})", "{{instance}}"), unit="none", span=8))
        .with_panel(lines(
            "Series scraped", "It grows with institutions and their codes, never with strangers.",
            series(f"scrape_samples_scraped{{{THESE}}}", "{{instance}}"), unit="none", span=8))
    )
