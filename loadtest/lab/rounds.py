"""Slices by turns: what disturbs the machine disturbs all relays alike."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """A median, and the smallest and largest of what it is the median of."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values):
        values = list(values)
        return cls(statistics.median(values), min(values), max(values))


def alternate(count, measured):
    """Every round measures each name once, each round beginning with another one.

    `measured` has a function per name; the answer has a list of their results per name.
    """
    names = list(measured)
    results = {name: [] for name in names}
    for number in range(count):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            results[name].append(measured[name]())
    return results


def ratio(ours, theirs):
    """How two lists of a round's results compare, round by round."""
    return Spread.of(one / other for one, other in zip(ours, theirs, strict=True))
