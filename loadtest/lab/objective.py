"""One thing that a scenario must show."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Objective:
    """Whether it holds, and the figures."""

    name: str
    is_met: bool
    found: str


def none_of(name, found):
    """Met when there is none; else the first few are told."""
    found = list(found)
    told = f"{len(found)}" + (f", such as {found[0]}" if found else "")
    return Objective(name, not found, told)


def at_most(name, value, bound, unit):
    """Met when the value is not above the bound; nothing measured is not met."""
    told = "nothing measured" if value is None else f"{value:.4g} {unit}, at most {bound:g}"
    return Objective(name, value is not None and value <= bound, told)
