"""One of ten billers answers no call in time. The other nine must not be affected."""

from bench.call_log import event
from bench.objective import Objective, at_most
from bench.scenario import Scenario
from bench.steps import BILL_LIFE

SLOW = "B0010"


def objectives(audit):
    """Checks the others' latency, and that payments which the slow biller did not accept are undelivered."""
    others = [code for code in audit.scenario.billers if code != SLOW]
    yield at_most("latency p99 of the other billers", audit.latency_p99(others), 0.6, "s")
    results = audit.calls.of(api="pay_result", biller=SLOW)
    unaccepted = {event(call) for call in results if call["res_code"] != "OK"}
    listed = audit.after.total("relay_payments_undelivered")
    found = f"{listed:.0f} listed, {len(unaccepted)} not accepted"
    yield Objective("undelivered payments are listed", listed == len(unaccepted) > 0, found)


SCENARIO = Scenario(
    "slow-biller", "ten billers, one of which takes ten seconds", steps=BILL_LIFE, slow=(SLOW,),
    slow_latency="10s", slow_codes=("E806", "E809", "E801"), objectives=objectives,
)
