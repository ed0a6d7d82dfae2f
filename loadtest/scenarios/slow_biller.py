"""One of ten billers answers nobody in time. The other nine must not notice."""

from lab.calls import event
from lab.objective import Objective, at_most
from lab.scenario import Scenario
from lab.steps import BILL_LIFE

SLOW = "B0010"


def objectives(evidence):
    """The others are as quick as ever, and what the slow one may not know of is listed."""
    others = [code for code in evidence.scenario.billers if code != SLOW]
    yield at_most("latency p99 of the other billers", evidence.latency_p99(others), 0.6, "s")
    results = evidence.calls.of(api="pay_result", biller=SLOW)
    unknown = {event(call) for call in results if call["res_code"] != "OK"}
    listed = evidence.after.total("relay_payments_undelivered")
    found = f"{listed:.0f} listed, {len(unknown)} not accepted"
    yield Objective("undelivered payments are listed", listed == len(unknown) > 0, found)


SCENARIO = Scenario(
    "slow-biller", "ten billers, of which one takes ten seconds", steps=BILL_LIFE, slow=(SLOW,),
    slow_latency="10s", slow_codes=("E806", "E809", "E801"), objectives=objectives,
)
