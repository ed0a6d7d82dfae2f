"""Measurements in turn, so that other work on the machine affects all of them alike."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Median, minimum and maximum of some values."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values):
        values = list(values)
        return cls(statistics.median(values), min(values), max(values))


def alternate(count, measured):
    """Measures each name once per round; each round starts with another name.

    `measured` maps names to functions. Returns a list of results per name.
    """
    names = list(measured)
    results = {name: [] for name in names}
    for number in range(count):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            results[name].append(measured[name]())
    return results


def ratio(ours, theirs):
    """Returns the spread of the ratios of two lists of results, round by round."""
    return Spread.of(one / other for one, other in zip(ours, theirs, strict=True))
