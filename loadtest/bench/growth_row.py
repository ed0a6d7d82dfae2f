"""A row of the growth report: a figure and its bound."""

from dataclasses import dataclass

from bench import markdown


@dataclass(frozen=True)
class GrowthRow:
    """`is_met` is `None` for a figure without a bound."""

    what: str
    found: str
    bound: str
    is_met: bool | None = None

    def cells(self):
        """Returns the row's table cells."""
        return (self.what, self.found, self.bound, {None: "", True: "met", False: "missed"}[self.is_met])


def ratio_at_most(what, spread, bound):
    return GrowthRow(what, markdown.spread(spread), f"≤ {bound:g}", spread.median <= bound)


def ratio_at_least(what, spread, bound):
    return GrowthRow(what, markdown.spread(spread), f"≥ {bound:g}", spread.median >= bound)


def unbounded(what, found):
    return GrowthRow(what, found, "")
