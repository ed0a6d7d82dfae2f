"""The peak: everybody pays, at a thousand billers of very unequal size."""

from lab.objective import Objective
from lab.scenario import Scenario
from lab.steps import PAYING

BILLERS = 1000


def sizes():
    """By Zipf's law: the largest biller has a seventh of all calls, the smallest one in 7,500."""
    return {f"B{number:04}": 1 / number for number in range(1, BILLERS + 1)}


def objectives(evidence):
    """All of the larger billers took part, or the sizes were not what they should be."""
    called = {call["biller"] for call in evidence.calls.all}
    wanted = min(BILLERS // 10, len(evidence.calls.all) // 100)
    yield Objective("billers that were called", len(called) >= wanted, f"{len(called)}, at least {wanted}")


SCENARIO = Scenario(
    "month-end", f"{BILLERS} billers of very unequal size", rate=300, steps=PAYING, billers=sizes(),
    objectives=objectives,
)
