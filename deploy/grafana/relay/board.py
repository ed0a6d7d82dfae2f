"""What all dashboards have in common."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard

from .query import SOURCE
from .selector import JOB

TAG = "relay-gateway"


def board(uid: str, title: str, about: str) -> build.Dashboard:
    """An empty dashboard with links to its siblings."""
    source = build.DatasourceVariable("datasource").label("Data source").type("prometheus")
    siblings = build.DashboardLink("Relay").type(dashboard.DashboardLinkType.DASHBOARDS).tags([TAG])
    siblings = siblings.as_dropdown(False).include_vars(False).keep_time(True)
    empty = build.Dashboard(title).uid(uid).description(about).tags([TAG]).timezone("Asia/Seoul")
    empty = empty.time("now-3h", "now").refresh("30s").tooltip(dashboard.DashboardCursorSync.CROSSHAIR).readonly()
    return empty.link(siblings).with_variable(source)


def choice(name: str, label: str, metric: str, *, all_of_them: bool) -> build.QueryVariable:
    """A variable with the values that a label has."""
    query = {"query": f"label_values({metric}{{{JOB}}}, {name})", "refId": name}
    variable = build.QueryVariable(name).label(label).datasource(SOURCE).query(query)
    variable = variable.refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
    variable = variable.sort(dashboard.VariableSort.ALPHABETICAL_ASC)
    if not all_of_them:
        return variable.multi(False).include_all(False)
    everything = dashboard.VariableOption(selected=True, text="All", value="$__all")
    return variable.multi(True).include_all(True).all_value(".*").current(everything)


def row(title: str) -> build.Row:
    return build.Row(title)
