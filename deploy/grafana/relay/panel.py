"""The kinds of panels and their common options."""

from grafana_foundation_sdk.builders import bargauge, common as build, dashboard as fields, heatmap, stat, table
from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.models import common, dashboard, heatmap as heat

from .mappings import GREEN, steps
from .query import SOURCE

WIDE, THIRD, FULL = 12, 8, 24


def lines(title: str, about: str, *queries, unit: str, span: int = WIDE, height: int = 8) -> timeseries.Panel:
    """Returns lines over time with a table of the last and the largest value."""
    legend = build.VizLegendOptions().show_legend(True).display_mode(common.LegendDisplayMode.TABLE)
    legend = legend.placement(common.LegendPlacement.BOTTOM).calcs(["lastNotNull", "max"])
    tooltip = build.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
    panel = timeseries.Panel().legend(legend).tooltip(tooltip).line_width(1).fill_opacity(8)
    panel = panel.show_points(common.VisibilityMode.AUTO).axis_soft_min(0).span_nulls(False)
    return _framed(panel, title, about, queries, unit, span, height)


def stacked(title: str, about: str, *queries, unit: str, span: int = WIDE, height: int = 8) -> timeseries.Panel:
    """Returns stacked lines over time."""
    panel = lines(title, about, *queries, unit=unit, span=span, height=height).fill_opacity(40)
    return panel.stacking(build.StackingConfig().mode(common.StackingMode.NORMAL))


def with_limits(panel: timeseries.Panel, *limits: tuple[float, str]) -> timeseries.Panel:
    """Draws limits as dashed lines."""
    style = build.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(steps(GREEN, *limits)).thresholds_style(style)


def figure(title: str, about: str, *queries, unit: str, thresholds, span: int = 3, mappings=None) -> stat.Panel:
    """Returns one number, coloured by its thresholds."""
    panel = stat.Panel().thresholds(thresholds).color_mode(common.BigValueColorMode.BACKGROUND)
    panel = panel.graph_mode(common.BigValueGraphMode.NONE).reduce_options(_last())
    if mappings:
        panel = panel.mappings(mappings)
    return _framed(panel, title, about, queries, unit, span, 4)


def bars(title: str, about: str, *queries, unit: str, thresholds, span: int = WIDE, height: int = 8) -> bargauge.Panel:
    """Returns horizontal bars, the largest first."""
    panel = bargauge.Panel().orientation(common.VizOrientation.HORIZONTAL).thresholds(thresholds).min(0)
    panel = panel.display_mode(common.BarGaugeDisplayMode.GRADIENT).reduce_options(_last())
    return _framed(panel, title, about, queries, unit, span, height)


def heat_map(title: str, about: str, *queries, span: int = WIDE, height: int = 9) -> heatmap.Panel:
    """Returns a heat map of a histogram over time."""
    color = heatmap.HeatmapColorOptions().mode(heat.HeatmapColorMode.SCHEME).scheme("Oranges").steps(64)
    panel = heatmap.Panel().calculate(False).color(color.scale(heat.HeatmapColorScale.EXPONENTIAL).exponent(0.5))
    panel = panel.y_axis(heatmap.YAxisConfig().unit("s").axis_placement(common.AxisPlacement.LEFT))
    panel = panel.cell_gap(1).filter_values(heatmap.FilterValueRange().le(1e-9)).show_legend()
    return _framed(panel, title, about, queries, "short", span, height)


def grid(title: str, about: str, *queries, unit: str, sort: str, span: int = FULL, height: int = 9) -> table.Panel:
    """Returns a table with filters, sorted by a column, the largest first."""
    by = build.TableSortByFieldState().display_name(sort).desc(True)
    panel = table.Panel().filterable(True).sort_by([by]).cell_height(common.TableCellHeight.SM)
    return _framed(panel, title, about, queries, unit, span, height)


def columns(panel: table.Panel, names: dict[str, str]) -> table.Panel:
    """Shows these columns in this order under these names and hides the time."""
    order = {name: index for index, name in enumerate(names)}
    options = {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": names}
    return panel.with_transformation(dashboard.DataTransformerConfig(id_val="organize", options=options))


def with_mappings(panel: table.Panel, column: str, mappings: list) -> table.Panel:
    """Maps one column's values to text."""
    value = [dashboard.DynamicConfigValue(id_val="mappings", value=mappings)]
    color = dashboard.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"})
    return panel.override_by_name(column, [*value, color])


def _last() -> build.ReduceDataOptions:
    return build.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _framed(panel, title: str, about: str, queries, unit: str, span: int, height: int):
    for query in queries:
        panel = panel.with_target(query)
    color = fields.FieldColor().mode(dashboard.FieldColorModeId.PALETTE_CLASSIC)
    if not isinstance(panel, timeseries.Panel):
        color = fields.FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS)
    framed = panel.title(title).description(about).datasource(SOURCE).unit(unit).span(span).height(height)
    return framed.color_scheme(color)
