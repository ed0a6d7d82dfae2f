"""Prometheus queries of panels."""

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")


def series(expr: str, legend: str = "", ref: str = "A") -> prometheus.Dataquery:
    """Returns a query for values over time."""
    return _query(expr, ref).range().legend_format(legend or "__auto")


def now(expr: str, legend: str = "", ref: str = "A") -> prometheus.Dataquery:
    """Returns a query for the values at the end of the dashboard's time range."""
    return _query(expr, ref).instant().legend_format(legend or "__auto")


def rows(expr: str, ref: str = "A") -> prometheus.Dataquery:
    """Returns a query for the values at the end of the time range, as table rows."""
    return _query(expr, ref).instant().format(PromQueryFormat.TABLE)


def buckets(expr: str, ref: str = "A") -> prometheus.Dataquery:
    """Returns a query for a histogram's buckets over time."""
    return _query(expr, ref).range().format(PromQueryFormat.HEATMAP).legend_format("{{le}}")


def _query(expr: str, ref: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().datasource(SOURCE).ref_id(ref).expr(expr)
