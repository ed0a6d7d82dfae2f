"""One row of a growth report: a figure, and what it may be."""

from dataclasses import dataclass

from lab import markdown


@dataclass(frozen=True)
class Bound:
    """`is_met` is `None` for a figure that is only told."""

    what: str
    found: str
    bound: str
    is_met: bool | None = None

    def row(self):
        word = {None: "", True: "met", False: "missed"}[self.is_met]
        return (self.what, self.found, self.bound, word)


def ratio_at_most(what, spread, bound):
    return Bound(what, markdown.spread(spread), f"≤ {bound:g}", spread.median <= bound)


def ratio_at_least(what, spread, bound):
    return Bound(what, markdown.spread(spread), f"≥ {bound:g}", spread.median >= bound)


def told(what, found):
    return Bound(what, found, "")
