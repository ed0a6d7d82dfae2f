"""The audit of a run: compares the callers' log, the billers' logs, the journal and the metrics."""

from bench import journal
from bench.call_log import CallLog, event, latency, quantile
from bench.objective import Objective, at_most, none_of

BUDGET_SECONDS = 3.0
# Bounds of the load itself: how late bills may start, and the share of planned calls that must be made.
LATE_SECONDS = 0.5
MADE = 0.9
# Callers and simulators share a core; this is what they may add to a time-out.
SLACK_SECONDS = 0.4


class Audit:
    """The records of a run, read after the traffic has ended."""

    def __init__(self, run, before, meanwhile):
        self.run = run
        self.scenario = run.scenario
        self.calls = CallLog(run.calls_log)
        self.before, self.after = before, run.gateway.metrics()
        self.meanwhile = meanwhile
        # How often each payment event arrived at its biller.
        self.received = {}
        for party in run.parties:
            self.received |= party.payments()
        self.journalled = journal.payments(run.gateway.journal)

    def objectives(self):
        """Returns the common objectives, then the scenario's."""
        own = self.scenario.objectives(self) if self.scenario.objectives else []
        return [self.load(), self.answers(), *self.budget(), *self.nothing_lost(), *self.overhead(), *own]

    def load(self):
        """Checks that the load was made as planned; otherwise the run says nothing about the gateway."""
        late = quantile([call["sent_late"] for call in self.calls.of(step=self.first_step())], 0.99)
        count, planned = len(self.calls.all), self.run.rate * self.run.seconds
        is_met = late < LATE_SECONDS and count > MADE * planned
        found = f"{count} calls, started at most {late * 1e3:.0f} ms late (p99)"
        return Objective("load as planned", is_met, found)

    def first_step(self):
        return self.scenario.steps[0]["name"]

    def answers(self):
        expected = {step["name"]: step["codes"] for step in self.scenario.steps}

        def is_wrong(call):
            allowed = self.scenario.slow_codes if call["biller"] in self.scenario.slow else ()
            return call["res_code"] not in (*expected[call["step"]], *allowed)
        return none_of("unexpected answers", filter(is_wrong, self.calls.all))

    def budget(self):
        took = max((call["took"] for call in self.calls.all), default=None)
        exceeded = self.after.total("relay_budget_exceeded_total")
        timed_out = len([call for call in self.calls.all if call["res_code"] == "E806"])
        answered = f"{exceeded:.0f} calls over the budget, {timed_out} answered E806"
        return [
            at_most("longest call", took, BUDGET_SECONDS + SLACK_SECONDS, "s"),
            Objective("every call over the budget was answered E806", exceeded == timed_out, answered),
        ]

    def nothing_lost(self):
        results = self.calls.of(api="pay_result")
        relayed = {event(call) for call in results if call["status"] in (200, 503, 502, 504)}
        sent = {event(call) for call in results}
        accepted = {event(call) for call in results if call["res_code"] == "OK"}
        copies = {step["name"] for step in self.scenario.steps if step.get("is_copy")}
        unreplayed = [
            call for call in results
            if call["step"] in copies and call["res_code"] == "OK" and not call["replayed"]
        ]
        return [
            Objective("pay-results were sent", bool(accepted), f"{len(sent)} events, {len(accepted)} accepted"),
            none_of("payments missing from the journal", relayed - self.journalled),
            none_of("payments in the journal that no caller sent", self.journalled - sent),
            none_of("accepted payments that did not arrive at the biller", accepted - self.received.keys()),
            none_of("payments delivered again after the biller accepted them", self.delivered_again(results)),
            none_of("copies that were not answered from the stored answer", unreplayed),
        ]

    def delivered_again(self, results):
        """Returns the events that a biller received more often than Kakao Pay sent them before it accepted them."""
        allowed, accepted = {}, set()
        for call in results:
            if event(call) not in accepted:
                allowed[event(call)] = allowed.get(event(call), 0) + 1
            if call["res_code"] == "OK":
                accepted.add(event(call))
        return [one for one, count in self.received.items() if count > allowed.get(one, 0)]

    def overhead(self):
        for api in sorted({step["api"] for step in self.scenario.steps}):
            found = self.after.quantile("relay_overhead_seconds", 0.99, since=self.before, api=api)
            bound = self.scenario.overhead_p99[api]
            value = None if found is None else found * 1e3
            yield at_most(f"overhead p99 of {api}", value, bound * 1e3, "ms (bucket edge)")

    def latency_p99(self, billers):
        """Returns the p99 latency in seconds of these billers' calls, from when each was due."""
        return quantile([latency(call) for call in self.calls.all if call["biller"] in billers], 0.99)
