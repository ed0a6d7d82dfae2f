"""The peak of a month: every bill is paid, at a thousand billers of very unequal size."""

from bench.objective import Objective
from bench.scenario import Scenario
from bench.steps import PAYING

BILLERS = 1000


def sizes():
    """Returns weights by Zipf's law: the largest biller has a seventh of all calls, the smallest one in 7,500."""
    return {f"B{number:04}": 1 / number for number in range(1, BILLERS + 1)}


def objectives(audit):
    """Checks the sizes: all of the larger billers were called."""
    called = {call["biller"] for call in audit.calls.all}
    wanted = min(BILLERS // 10, len(audit.calls.all) // 100)
    yield Objective("billers that were called", len(called) >= wanted, f"{len(called)}, at least {wanted}")


SCENARIO = Scenario(
    "month-end", f"{BILLERS} billers of very unequal size", rate=300, steps=PAYING, billers=sizes(),
    objectives=objectives,
)
