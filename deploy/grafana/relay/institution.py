"""The dashboard of one institution: status, answers, durations and payments."""

from .board import new_board, row, single_variable
from .mappings import BLUE, CIRCUIT, GREEN, KINDS, ORANGE, RED, ROUTES, STATUS, no_value, steps
from .panel import columns, figure, grid, heat_map, lines, stacked, with_mappings
from .query import buckets, now, rows, series
from .selector import JOB, counted, quantile

ITS = f'{JOB},biller="$biller"'
NO_CALLS = no_value("no calls")


def institution():
    board = new_board("relay-institution", "Relay institution", "One institution's calls in both directions.")
    board = board.with_variable(single_variable("biller", "Institution", "relay_biller_info"))
    for part in (_figures, _answers, _durations, _money):
        board = part(board)
    return board


def _figures(board):
    from grafana_foundation_sdk.models.common import BigValueTextMode

    calls = f'sum(increase(relay_requests_total{{{ITS},status!~"401|403|404|405|408|413|429"}}[$__range]))'
    late = f"sum(increase(relay_budget_exceeded_total{{{ITS}}}[$__range]))"
    upstream = f'{JOB},upstream="$biller"'
    for panel in (
        figure("Name", "The name in its file.", now(f"max by (name) (relay_biller_info{{{ITS}}})", "{{name}}"),
               unit="none", thresholds=steps(BLUE), span=6).text_mode(BigValueTextMode.NAME),
        figure("Status", "Only pay-results of a suspended institution are relayed.",
               now(f"max(relay_biller_suspended{{{ITS}}})"), unit="none", thresholds=steps(GREEN, (1, ORANGE)), mappings=STATUS),
        figure("Circuit", "The worst state on any gateway. Pay-results are sent in every state.",
               now(f"max(relay_circuit_state{{{upstream}}})"), unit="none", thresholds=steps(GREEN, (1, ORANGE), (2, RED)), mappings=CIRCUIT),
        figure("Inside the budget", "Over the dashboard's time range.",
               now(f"1 - {late} / {calls}"), unit="percentunit", thresholds=steps(RED, (0.99, ORANGE), (0.999, GREEN)), mappings=NO_CALLS).decimals(2),
        figure("In flight", "Admitted and not yet answered, on all gateways.",
               now(f"sum(relay_in_flight_requests{{{ITS}}})"), unit="none", thresholds=steps(BLUE)),
        figure("Undelivered pay-results", "Payments that the institution has not accepted.",
               now(f"max(relay_payments_undelivered_by_biller{{{ITS}}}) or on () vector(0)"), unit="none", thresholds=steps(GREEN, (1, ORANGE), (100, RED))),
        figure("Double payments", "Bills paid twice, over the dashboard's time range.",
               now(f"sum(increase(relay_double_payments_total{{{ITS}}}[$__range]))"), unit="none", thresholds=steps(GREEN, (1, RED))).decimals(0),
    ):
        board = board.with_panel(panel)
    return board


def _answers(board):
    answers = f"sum by (api, res_code, status) ({counted(f'relay_requests_total{{{ITS}}}')}) > 0"
    table = columns(grid(
        "Answers", "Answers of the institution and of the gateway, over the dashboard's time range.", rows(answers), unit="short", sort="calls", span=12).decimals(0).no_value("no calls"),
        {"api": "API", "res_code": "kind", "status": "status", "Value": "calls"})
    return (
        board.with_row(row("Answers"))
        .with_panel(with_mappings(with_mappings(table, "kind", KINDS), "API", ROUTES))
        .with_panel(stacked(
            "Answers by code", "All codes except OK.",
            series(f'sum by (res_code) (rate(relay_requests_total{{{ITS},res_code!="OK"}}[$__rate_interval])) or on () vector(0)', "{{res_code}}"),
            unit="reqps", height=9))
        .with_panel(stacked(
            "Calls by API", "In both directions.",
            series(f"sum by (api) (rate(relay_requests_total{{{ITS}}}[$__rate_interval]))", "{{api}}"), unit="reqps"))
        .with_panel(lines(
            "Late calls", "Calls over the budget, time-outs included.",
            series(f"sum by (api) (rate(relay_budget_exceeded_total{{{ITS}}}[$__rate_interval]))", "{{api}}"), unit="reqps"))
    )


def _durations(board):
    theirs = f'{ITS},api=~"notice|prepay|pay_result"'
    answer = "relay_upstream_duration_seconds"
    return (
        board.with_row(row("Durations"))
        .with_panel(heat_map(
            "Durations of the institution's answers", "notice, prepay and pay-result: from connecting to the end of the answer.",
            buckets(f"sum by (le) (increase({answer}_bucket{{{theirs}}}[$__rate_interval]))")))
        .with_panel(lines(
            "Upstream durations by API", "Median and p99. Link calls are answered by Kakao Pay.",
            series(quantile(0.5, answer, ITS, "api"), "{{api}} p50"),
            series(quantile(0.99, answer, ITS, "api"), "{{api}} p99", ref="B"), unit="s", height=9))
    )


def _money(board):
    return (
        board.with_row(row("Payments"))
        .with_panel(lines(
            "Undelivered pay-results", "By gateway; each counts the pay-results that it received.",
            series(f"relay_payments_undelivered_by_biller{{{ITS}}} or on () vector(0)", "{{instance}}"), unit="none", span=8))
        .with_panel(lines(
            "Prepays of paid bills", "Answered E403 without calling the institution.",
            series(f"sum(rate(relay_prepay_short_circuits_total{{{ITS}}}[$__rate_interval]))", "short circuits"), unit="reqps", span=8))
        .with_panel(lines(
            "Pay-results refused", "Refused because of their body, although money moved.",
            series(f"sum by (res_code) (increase(relay_pay_results_refused_total{{{ITS}}}[$__rate_interval]))", "{{res_code}}"), unit="none", span=8))
    )
