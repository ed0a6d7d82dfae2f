"""The dashboard of the gateway processes: health, versions, certificates, resources and connections."""

from .board import multi_variable, new_board, row
from .mappings import BLUE, GREEN, ORANGE, RED, YES_NO, no_value, steps, value_map
from .panel import columns, figure, grid, lines, with_mappings
from .query import now, rows, series
from .selector import JOB

THESE = f'{JOB},instance=~"$instance"'
DAY = 86400


def process():
    board = new_board("relay-process", "Relay processes", "The gateway processes and their machines.")
    board = board.with_variable(multi_variable("instance", "Gateway", "up"))
    for part in (_figures, _versions, _machine, _traffic):
        board = part(board)
    return board


def _figures(board):
    for panel in (
        figure("Up", "Gateways that Prometheus can scrape.", now(f"sum(up{{{THESE}}})"), unit="none", thresholds=steps(RED, (1, GREEN))),
        figure("All ready", "NO: a gateway drains or cannot write its journal.",
               now(f"min(relay_ready{{{THESE}}})"), unit="none", thresholds=steps(RED, (1, GREEN)), mappings=YES_NO),
        figure("Shortest uptime", "The time since the last start of a gateway.",
               now(f"time() - max(process_start_time_seconds{{{THESE}}})"), unit="s", thresholds=steps(ORANGE, (600, GREEN))),
        figure("Next certificate expiry", "Over all gateways and parties.",
               now(f"min(relay_certificate_expiry_timestamp_seconds{{{THESE}}}) - time() or on () vector(NaN)"), unit="s",
               thresholds=steps(RED, (3 * DAY, ORANGE), (21 * DAY, GREEN)), mappings=no_value("no TLS")),
        figure("Reloads refused", "Over the dashboard's time range; such a gateway keeps its old configuration.",
               now(f'sum(increase(relay_reloads_total{{{THESE},result="refused"}}[$__range]))'), unit="none", thresholds=steps(GREEN, (1, ORANGE))).decimals(0),
        figure("Log lines lost", "Over the dashboard's time range.",
               now(f"sum(increase(relay_log_lines_dropped_total{{{THESE}}}[$__range]))"), unit="none", thresholds=steps(GREEN, (1, ORANGE))).decimals(0),
        figure("Connections refused", "Over the dashboard's time range.",
               now(f"sum(increase(relay_connections_refused_total{{{THESE}}}[$__range]))"), unit="none", thresholds=steps(GREEN, (1, ORANGE))).decimals(0),
        figure("Institutions", "Registered institutions.", now(f"count(count by (biller) (relay_biller_info{{{THESE}}}))"), unit="none", thresholds=steps(BLUE)),
    ):
        board = board.with_panel(panel)
    return board


def _versions(board):
    ready = value_map({"1": ("ready", GREEN), "0": ("NOT READY", RED)})
    versions = columns(grid(
        "Versions", "The version of each gateway, and whether it is ready.",
        rows(f"relay_ready{{{THESE}}} * on (instance) group_left (version) relay_build_info{{{THESE}}}"), unit="none", sort="gateway", span=12, height=7),
        {"instance": "gateway", "version": "version", "Value": "ready", "job": "job"})
    ends = columns(grid(
        "Certificates", "The time until the certificates of each party expire.",
        rows(f"sort(relay_certificate_expiry_timestamp_seconds{{{THESE}}} - time()) or on () vector(NaN)"), unit="s", sort="left", span=12, height=7)
        .thresholds(steps(RED, (3 * DAY, ORANGE), (21 * DAY, GREEN))).mappings(no_value("no TLS")),
        {"instance": "gateway", "party": "party", "use": "use", "Value": "left", "job": "job"})
    return board.with_row(row("Versions and certificates")).with_panel(with_mappings(versions, "ready", ready)).with_panel(ends)


def _machine(board):
    return (
        board.with_row(row("Resources"))
        .with_panel(lines(
            "CPU", "1 is one core.", series(f"rate(process_cpu_seconds_total{{{THESE}}}[$__rate_interval])", "{{instance}}"), unit="none", span=8))
        .with_panel(lines(
            "Memory", "Resident memory.", series(f"process_resident_memory_bytes{{{THESE}}}", "{{instance}}"), unit="bytes", span=8))
        .with_panel(lines(
            "Open files", "As a share of the process's limit; sockets count.",
            series(f"process_open_fds{{{THESE}}} / process_max_fds{{{THESE}}}", "{{instance}}"), unit="percentunit", span=8))
    )


def _traffic(board):
    return (
        board.with_row(row("Connections"))
        .with_panel(lines(
            "Open connections", "On the public listener.", series(f"relay_connections_open{{{THESE}}}", "{{instance}}"), unit="none", span=8))
        .with_panel(lines(
            "Calls in flight", "Admitted and not yet answered.",
            series(f"sum by (instance) (relay_in_flight_requests{{{THESE}}})", "{{instance}}"), unit="none", span=8))
        .with_panel(lines(
            "Series scraped", "The number grows with institutions and their codes, not with unknown callers.",
            series(f"scrape_samples_scraped{{{THESE}}}", "{{instance}}"), unit="none", span=8))
    )
