"""Thresholds, and mappings of numbers and codes to text."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard

GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "text"


def steps(first: str, *further: tuple[float, str]) -> build.ThresholdsConfig:
    """Returns colours by lower bound; `first` is the colour below all bounds."""
    thresholds = [dashboard.Threshold(value=None, color=first)]
    thresholds += [dashboard.Threshold(value=float(value), color=color) for value, color in further]
    return build.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(thresholds)


def value_map(texts: dict[str, tuple[str, str | None]]) -> list[dashboard.ValueMap]:
    """Returns a mapping of values to text and colour."""
    options = {
        value: dashboard.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(texts.items())
    }
    return [dashboard.ValueMap(options=options)]


def no_value(text: str) -> list[dashboard.SpecialValueMap]:
    """Returns a mapping of NaN and null to a text."""
    result = dashboard.ValueMappingResult(text=text, color=GREY)
    options = dashboard.DashboardSpecialValueMapOptions(match=dashboard.SpecialValueMatch.NULL_AND_NAN, result=result)
    return [dashboard.SpecialValueMap(options=options)]


YES_NO = value_map({"1": ("yes", GREEN), "0": ("NO", RED)})
CIRCUIT = value_map({"0": ("closed", GREEN), "1": ("probing", ORANGE), "2": ("OPEN", RED)})
REDIS = value_map({"1": ("up", GREEN), "0": ("OUT OF REACH", RED), "-1": ("embedded", GREY)})
STATUS = value_map({"0": ("active", GREEN), "1": ("suspended", ORANGE)})

# Routes and error kinds by API and code.
ROUTES = value_map({
    "notice": ("/kakao/notice", None), "prepay": ("/kakao/prepay", None), "pay_result": ("/kakao/pay-result", None),
    "link_create": ("link create", None), "link_recreate": ("link re-create", None),
})
KINDS = value_map({
    "E806": ("E806 time-out", RED), "E809": ("E809 no answer", RED), "E808": ("E808 unreadable answer", ORANGE),
    "E801": ("E801 overload or own fault", ORANGE), "E807": ("E807 caller's JSON", YELLOW),
    "E001": ("E001 member missing", YELLOW), "E003": ("E003 not admitted", YELLOW), "E006": ("E006 too long", YELLOW),
    "E007": ("E007 wrong width", YELLOW), "E101": ("E101 parameter", YELLOW),
    "E601": ("E601 not received", ORANGE), "E902": ("E902 not stored", RED), "other": ("no code", ORANGE),
})
