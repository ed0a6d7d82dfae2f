"""One institution: is it well, how fast does it answer, what does it answer?"""

from .board import board, choice, row
from .meaning import BLUE, CIRCUIT, GREEN, KINDS, ORANGE, RED, ROUTES, STATUS, nothing, steps
from .panel import columns, figure, grid, heat_map, lines, meaning_of, stacked
from .query import buckets, now, rows, series
from .selector import JOB, counted, quantile

ITS = f'{JOB},biller="$biller"'
NO_CALLS = nothing("no calls")


def institution():
    made = board("relay-institution", "Relay institution", "One institution's calls, both ways.")
    made = made.with_variable(choice("biller", "Institution", "relay_biller_info", all_of_them=False))
    for part in (_figures, _answers, _durations, _money):
        made = part(made)
    return made


def _figures(made):
    from grafana_foundation_sdk.models.common import BigValueTextMode

    calls = f'sum(increase(relay_requests_total{{{ITS},status!~"401|403|404|405|408|413|429"}}[$__range]))'
    late = f"sum(increase(relay_budget_exceeded_total{{{ITS}}}[$__range]))"
    upstream = f'{JOB},upstream="$biller"'
    for panel in (
        figure("Name", "As its file has it.", now(f"max by (name) (relay_biller_info{{{ITS}}})", "{{name}}"),
               unit="none", thresholds=steps(BLUE), span=6).text_mode(BigValueTextMode.NAME),
        figure("Status", "Of a suspended institution only pay-results are relayed.",
               now(f"max(relay_biller_suspended{{{ITS}}})"), unit="none", thresholds=steps(GREEN, (1, ORANGE)), mappings=STATUS),
        figure("Circuit", "The worst of all gateways. Pay-results are tried whatever it says.",
               now(f"max(relay_circuit_state{{{upstream}}})"), unit="none", thresholds=steps(GREEN, (1, ORANGE), (2, RED)), mappings=CIRCUIT),
        figure("Inside the budget", "Over the dashboard's time.",
               now(f"1 - {late} / {calls}"), unit="percentunit", thresholds=steps(RED, (0.99, ORANGE), (0.999, GREEN)), mappings=NO_CALLS).decimals(2),
        figure("In flight", "Admitted and not answered yet, on all gateways.",
               now(f"sum(relay_in_flight_requests{{{ITS}}})"), unit="none", thresholds=steps(BLUE)),
        figure("Undelivered pay-results", "Payments that it has not accepted.",
               now(f"sum(relay_payments_undelivered_by_biller{{{ITS}}}) or on () vector(0)"), unit="none", thresholds=steps(GREEN, (1, ORANGE), (100, RED))),
        figure("Double payments", "Bills that were paid twice, over the dashboard's time.",
               now(f"sum(increase(relay_double_payments_total{{{ITS}}}[$__range]))"), unit="none", thresholds=steps(GREEN, (1, RED))).decimals(0),
    ):
        made = made.with_panel(panel)
    return made


def _answers(made):
    answers = f"sum by (api, res_code, status) ({counted(f'relay_requests_total{{{ITS}}}')}) > 0"
    table = columns(grid(
        "Answers", "Its own and the gateway's, over the dashboard's time.", rows(answers), unit="short", sort="calls", span=12).decimals(0).no_value("no calls"),
        {"api": "API", "res_code": "kind", "status": "status", "Value": "calls"})
    return (
        made.with_row(row("What was answered"))
        .with_panel(meaning_of(meaning_of(table, "kind", KINDS), "API", ROUTES))
        .with_panel(stacked(
            "Answers by code", "OK is left out: what is here was no success.",
            series(f'sum by (res_code) (rate(relay_requests_total{{{ITS},res_code!="OK"}}[$__rate_interval])) or on () vector(0)', "{{res_code}}"),
            unit="reqps", height=9))
        .with_panel(stacked(
            "Calls by API", "Both ways.",
            series(f"sum by (api) (rate(relay_requests_total{{{ITS}}}[$__rate_interval]))", "{{api}}"), unit="reqps"))
        .with_panel(lines(
            "Late calls", "Over the budget, or timed out at its end.",
            series(f"sum by (api) (rate(relay_budget_exceeded_total{{{ITS}}}[$__rate_interval]))", "{{api}}"), unit="reqps"))
    )


def _durations(made):
    theirs = f'{ITS},api=~"notice|prepay|pay_result"'
    answer = "relay_upstream_duration_seconds"
    return (
        made.with_row(row("How fast it answers"))
        .with_panel(heat_map(
            "Its own answers", "notice, prepay and pay-result: connecting, and until the whole answer was there.",
            buckets(f"sum by (le) (increase({answer}_bucket{{{theirs}}}[$__rate_interval]))")))
        .with_panel(lines(
            "By API", "Half, and 99 of 100, were faster. The link calls are Kakao Pay's answers.",
            series(quantile(0.5, answer, ITS, "api"), "{{api}} p50"),
            series(quantile(0.99, answer, ITS, "api"), "{{api}} p99", ref="B"), unit="s", height=9))
    )


def _money(made):
    return (
        made.with_row(row("Payments"))
        .with_panel(lines(
            "Undelivered pay-results", "By gateway; each lists those that came to it.",
            series(f"relay_payments_undelivered_by_biller{{{ITS}}} or on () vector(0)", "{{instance}}"), unit="none", span=8))
        .with_panel(lines(
            "Prepays of paid bills", "Answered E403 without asking the institution.",
            series(f"sum(rate(relay_prepay_short_circuits_total{{{ITS}}}[$__rate_interval]))", "short circuits"), unit="reqps", span=8))
        .with_panel(lines(
            "Pay-results refused", "For their body, although money moved.",
            series(f"sum by (res_code) (increase(relay_pay_results_refused_total{{{ITS}}}[$__rate_interval]))", "{{res_code}}"), unit="none", span=8))
    )
