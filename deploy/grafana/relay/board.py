"""The frame of every dashboard: title, links and variables."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard

from .query import SOURCE
from .selector import JOB

TAG = "relay-gateway"


def new_board(uid: str, title: str, about: str) -> build.Dashboard:
    """Returns an empty dashboard with links to the other ones."""
    source = build.DatasourceVariable("datasource").label("Data source").type("prometheus")
    links = build.DashboardLink("Relay").type(dashboard.DashboardLinkType.DASHBOARDS).tags([TAG])
    links = links.as_dropdown(False).include_vars(False).keep_time(True)
    empty = build.Dashboard(title).uid(uid).description(about).tags([TAG]).timezone("Asia/Seoul")
    empty = empty.time("now-3h", "now").refresh("30s").tooltip(dashboard.DashboardCursorSync.CROSSHAIR).readonly()
    return empty.link(links).with_variable(source)


def single_variable(name: str, label: str, metric: str) -> build.QueryVariable:
    """Returns a variable with one of a label's values."""
    return _variable(name, label, metric).multi(False).include_all(False)


def multi_variable(name: str, label: str, metric: str) -> build.QueryVariable:
    """Returns a variable with any of a label's values, all of them at first."""
    everything = dashboard.VariableOption(selected=True, text="All", value="$__all")
    return _variable(name, label, metric).multi(True).include_all(True).all_value(".*").current(everything)


def _variable(name: str, label: str, metric: str) -> build.QueryVariable:
    query = {"query": f"label_values({metric}{{{JOB}}}, {name})", "refId": name}
    variable = build.QueryVariable(name).label(label).datasource(SOURCE).query(query)
    variable = variable.refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
    return variable.sort(dashboard.VariableSort.ALPHABETICAL_ASC)


def row(title: str) -> build.Row:
    return build.Row(title)
