"""A requirement that a run must meet."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Objective:
    """A named requirement, whether it is met, and the measured figures."""

    name: str
    is_met: bool
    found: str


def none_of(name, found):
    """Returns an objective that is met if `found` is empty; a missed one shows the first item."""
    found = list(found)
    text = f"{len(found)}" + (f", such as {found[0]}" if found else "")
    return Objective(name, not found, text)


def at_most(name, value, bound, unit):
    """Returns an objective that is met if the value is at most the bound; `None` (nothing measured) misses it."""
    text = "nothing measured" if value is None else f"{value:.4g} {unit}, at most {bound:g}"
    return Objective(name, value is not None and value <= bound, text)


def print_all(objectives):
    """Prints every objective as it arrives and returns the number of missed ones."""
    met = missed = 0
    for one in objectives:
        print(f"{'ok    ' if one.is_met else 'MISSED'} {one.name}: {one.found}", flush=True)
        met, missed = met + one.is_met, missed + (not one.is_met)
    print(f"{met} objectives met, {missed} missed")
    return missed
