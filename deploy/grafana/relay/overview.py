"""The overview dashboard: late calls by institution, API and stage."""

from .board import multi_variable, new_board, row
from .mappings import BLUE, GREEN, KINDS, ORANGE, RED, ROUTES, YELLOW, no_value, steps
from .panel import bars, columns, figure, grid, heat_map, lines, stacked, with_limits, with_mappings
from .query import buckets, now, rows, series
from .selector import ABOUT_BILLS, CALLS, JOB, counted, late_share, named, quantile, slow_share

API = f'{JOB},api=~"$api"'
NO_CALLS = no_value("no calls")


def overview():
    board = new_board("relay-overview", "Relay overview", "Calls of all gateways and institutions, compared with the budget.")
    board = board.with_variable(multi_variable("api", "API", "relay_request_duration_seconds_count"))
    for part in (_figures, _budget, _stages, _institutions, _traffic):
        board = part(board)
    return board


def _figures(board):
    kept = steps(RED, (0.99, ORANGE), (0.999, GREEN))
    zero = steps(GREEN, (1, RED))
    for panel in (
        figure("Inside the budget", "Share of calls answered inside the budget. The objective is 99.9 %.",
               now(f"1 - {late_share('$__range')}"), unit="percentunit", thresholds=kept, mappings=NO_CALLS).decimals(3),
        figure("Overhead under 10 ms", "Share of calls in which the gateway itself took less than 10 ms. The objective is 99.9 %.",
               now(f"1 - ({slow_share('$__range')})"), unit="percentunit", thresholds=kept, mappings=NO_CALLS).decimals(3),
        figure("Burn rate, last hour", "At 1 the error budget of 30 days lasts 30 days, at 14.4 two days.",
               now(f"{late_share('1h')} / 0.001"), unit="none", thresholds=steps(GREEN, (1, YELLOW), (6, ORANGE), (14.4, RED)), mappings=NO_CALLS).decimals(1),
        figure("Calls", "Admitted calls of registered institutions.",
               now(f"sum(rate({CALLS}[5m]))"), unit="reqps", thresholds=steps(BLUE)),
        figure("Gateways ready", "Gateways that accept traffic.",
               now(f"sum(relay_ready{{{JOB}}})"), unit="none", thresholds=steps(RED, (1, GREEN))),
        figure("Circuits not closed", "Institutions, or Kakao Pay, with an open or probing circuit on a gateway.",
               now(f"count(max by (upstream) (relay_circuit_state{{{JOB}}}) >= 1) or on () vector(0)"), unit="none", thresholds=zero),
        figure("Undelivered pay-results", "Payments that the institution has not accepted, on all gateways.",
               now(f"max(relay_payments_undelivered{{{JOB}}})"), unit="none", thresholds=steps(GREEN, (1, ORANGE), (100, RED))),
        figure("Payments to settle", "Bills paid twice, and pay-results refused although money moved.",
               now(f"sum(increase(relay_double_payments_total{{{JOB}}}[$__range])) + sum(increase(relay_pay_results_refused_total{{{JOB}}}[$__range]))"),
               unit="none", thresholds=zero).decimals(0),
    ):
        board = board.with_panel(panel)
    return board


def _budget(board):
    pace = ((1, YELLOW), (6, ORANGE), (14.4, RED))
    windows = (("5m", "A"), ("1h", "B"), ("6h", "C"))
    return (
        board.with_row(row("Budget"))
        .with_panel(heat_map(
            "Call durations", "Each cell is a range of durations; one range ends at the budget.",
            buckets(f"sum by (le) (increase(relay_request_duration_seconds_bucket{{{API}}}[$__rate_interval]))")))
        .with_panel(lines(
            "Call durations by API", "p99. The dashed line is the budget.",
            series(quantile(0.99, "relay_request_duration_seconds", API, "api"), "{{api}} p99"),
            series(f"max(relay_budget_seconds{{{JOB}}})", "budget", ref="B"), unit="s", height=9)
            .override_by_name("budget", _dashed_red()))
        .with_panel(with_limits(lines(
            "Burn rate of the budget objective", "At 1 the error budget of 30 days lasts 30 days; alerts page at 14.4 over one hour and 6 over six.",
            *(series(f"{late_share(window)} / 0.001", window, ref) for window, ref in windows), unit="none"), *pace))
        .with_panel(with_limits(lines(
            "Burn rate of the overhead objective", "The same for calls in which the gateway itself took 10 ms or more.",
            *(series(f"({slow_share(window)}) / 0.001", window, ref) for window, ref in windows), unit="none"), *pace))
    )


def _dashed_red():
    from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

    return [
        DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [10, 10]}),
        DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": RED}),
        DynamicConfigValue(id_val="custom.fillOpacity", value=0),
    ]


def _stages(board):
    spent = f"sum by (stage) (rate(relay_stage_seconds_total{{{API}}}[$__rate_interval]))"
    calls = f"sum(rate(relay_request_duration_seconds_count{{{API}}}[$__rate_interval]))"
    per_api = (
        f"sum by (api, stage) (increase(relay_stage_seconds_total{{{API}}}[$__range]))"
        f" / on (api) group_left () sum by (api) (increase(relay_request_duration_seconds_count{{{API}}}[$__range]))"
    )
    return (
        board.with_row(row("Stages"))
        .with_panel(stacked(
            "Mean time of a call by stage", "connect and upstream are the upstream's; the rest is the gateway, its journal, Redis, and the caller's body (admission).",
            series(f"{spent} / on () group_left () {calls}", "{{stage}}"), unit="s"))
        .with_panel(_by_stage(grid(
            "Mean time by API and stage", "Over the dashboard's time range.",
            rows(per_api), unit="s", sort="upstream", span=12, height=8)))
    )


def _by_stage(panel):
    from grafana_foundation_sdk.models.dashboard import DataTransformerConfig

    matrix = {"columnField": "stage", "rowField": "api", "valueField": "Value"}
    return panel.with_transformation(DataTransformerConfig(id_val="groupingToMatrix", options=matrix))


def _institutions(board):
    failed = f'relay_requests_total{{{API},biller!="unknown",res_code!~"{ABOUT_BILLS}"}}'
    errors = f"sum by (biller, api, res_code, status) ({counted(failed)}) > 0"
    late = f'sum by (biller, api) (increase(relay_budget_exceeded_total{{{API},biller!="unknown"}}[$__range]))'
    table = columns(grid(
        "Errors by institution", "Without answers about bills (paid, not found, error bill).",
        rows(named(errors)), unit="short", sort="calls").decimals(0).no_value("no errors"),
        {"name": "institution", "biller": "code", "api": "API", "res_code": "kind", "status": "status", "Value": "calls"})
    table = with_mappings(with_mappings(table, "kind", KINDS), "API", ROUTES)
    return (
        board.with_row(row("Institutions"))
        .with_panel(table)
        .with_panel(bars(
            "Late calls", "Calls over the budget, over the dashboard's time range.",
            now(f"topk(10, {named(late)})", "{{name}} {{biller}} {{api}}"), unit="short", thresholds=steps(GREEN, (1, ORANGE), (100, RED))).decimals(0))
        .with_panel(lines(
            "Errors per second", "The five institutions with the most errors.",
            series(f"topk(5, {named(f'sum by (biller) (rate({failed}[$__rate_interval]))')})", "{{name}} {{biller}}"), unit="reqps"))
    )


def _traffic(board):
    return (
        board.with_row(row("Traffic"))
        .with_panel(stacked(
            "Calls by API", "All answered calls, refused ones included.",
            series(f"sum by (api) (rate(relay_requests_total{{{API}}}[$__rate_interval]))", "{{api}}"), unit="reqps", span=8))
        .with_panel(stacked(
            "Rejected calls", "Calls rejected before they were relayed, by reason.",
            series(f"sum by (reason) (rate(relay_rejected_total{{{JOB}}}[$__rate_interval]))", "{{reason}}"), unit="reqps", span=8))
        .with_panel(lines(
            "Calls in flight", "Admitted and not yet answered; the ten institutions with the most.",
            series(f"topk(10, {named(f'sum by (biller) (relay_in_flight_requests{{{JOB}}})')})", "{{name}} {{biller}}"), unit="none", span=8))
    )
