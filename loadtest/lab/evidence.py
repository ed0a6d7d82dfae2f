"""What a run left behind: the callers' log, the parties' logs, the journal, the metrics."""

from lab import journal
from lab.calls import Calls, event, latency, quantile
from lab.objective import Objective, at_most, none_of

BUDGET_SECONDS = 3.0
# Lives that begin later than this, or fewer calls than this share, are not the load that was asked for.
LATE_SECONDS = 0.5
MADE = 0.9
# A caller and the simulators share a core with each other: what they add to a time-out.
SLACK_SECONDS = 0.4


class Evidence:
    """Gathered after the traffic has ended."""

    def __init__(self, stage, before, meanwhile):
        self.stage = stage
        self.scenario = stage.scenario
        self.calls = Calls(stage.calls_log)
        self.before, self.after = before, stage.gateway.metrics()
        self.meanwhile = meanwhile
        self.told = {}
        for party in stage.parties:
            self.told |= party.payments()
        self.journalled = journal.payments(stage.gateway.journal)

    def objectives(self):
        """Those that every scenario has, then its own."""
        own = self.scenario.objectives(self) if self.scenario.objectives else []
        return [self.load(), self.answers(), *self.budget(), *self.nothing_lost(), *self.overhead(), *own]

    def load(self):
        """A load that could not be made says nothing about the gateway."""
        late = quantile([call["sent_late"] for call in self.calls.of(step=self.first_step())], 0.99)
        count, planned = len(self.calls.all), self.stage.rate * self.stage.seconds
        is_met = late < LATE_SECONDS and count > MADE * planned
        found = f"{count} calls, begun at most {late * 1e3:.0f} ms late (p99)"
        return Objective("the load came as planned", is_met, found)

    def first_step(self):
        return self.scenario.steps[0]["name"]

    def answers(self):
        expected = {step["name"]: step["codes"] for step in self.scenario.steps}

        def is_wrong(call):
            allowed = self.scenario.slow_codes if call["biller"] in self.scenario.slow else ()
            return call["res_code"] not in (*expected[call["step"]], *allowed)
        return none_of("answers other than expected", filter(is_wrong, self.calls.all))

    def budget(self):
        took = max((call["took"] for call in self.calls.all), default=None)
        exceeded = self.after.total("relay_budget_exceeded_total")
        timed_out = len([call for call in self.calls.all if call["res_code"] == "E806"])
        answered = f"{exceeded:.0f} calls over the budget, {timed_out} answered E806"
        return [
            at_most("the longest call", took, BUDGET_SECONDS + SLACK_SECONDS, "s"),
            Objective("every call over the budget was answered as such", exceeded == timed_out, answered),
        ]

    def nothing_lost(self):
        results = self.calls.of(api="pay_result")
        read = {event(call) for call in results if call["status"] in (200, 503, 502, 504)}
        sent = {event(call) for call in results}
        accepted = {event(call) for call in results if call["res_code"] == "OK"}
        copies = {step["name"] for step in self.scenario.steps if step.get("is_copy")}
        unreplayed = [
            call for call in results
            if call["step"] in copies and call["res_code"] == "OK" and not call["replayed"]
        ]
        return [
            Objective("pay-results were sent", bool(accepted), f"{len(sent)} events, {len(accepted)} accepted"),
            none_of("payments lost by the journal", read - self.journalled),
            none_of("payments in the journal that nobody sent", self.journalled - sent),
            none_of("payments accepted for a biller who was never told", accepted - self.told.keys()),
            none_of("payments told again after the biller accepted", self.told_again(results)),
            none_of("copies that were not answered from what is kept", unreplayed),
        ]

    def told_again(self, results):
        """What a biller never accepted may be told to it as often as Kakao Pay tells it."""
        allowed, accepted = {}, set()
        for call in results:
            if event(call) not in accepted:
                allowed[event(call)] = allowed.get(event(call), 0) + 1
            if call["res_code"] == "OK":
                accepted.add(event(call))
        return [one for one, count in self.told.items() if count > allowed.get(one, 0)]

    def overhead(self):
        for api in sorted({step["api"] for step in self.scenario.steps}):
            found = self.after.quantile("relay_overhead_seconds", 0.99, since=self.before, api=api)
            bound = self.scenario.overhead_p99[api]
            value = None if found is None else found * 1e3
            yield at_most(f"overhead p99 of {api}", value, bound * 1e3, "ms (bucket edge)")

    def latency_p99(self, billers):
        """Seconds from when a call was due, for the calls of these billers."""
        return quantile([latency(call) for call in self.calls.all if call["biller"] in billers], 0.99)
