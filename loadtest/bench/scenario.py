"""A scenario: its load, its billers, what happens during the run, and its objectives."""

from dataclasses import dataclass, field

from bench.steps import BILL_LIFE

# Upper bounds of the gateway's overhead p99, in seconds. Links and pay-results wait for a disk sync.
OVERHEAD_P99 = {
    "notice": 0.002, "prepay": 0.002, "pay_result": 0.05, "link_create": 0.05, "link_recreate": 0.05,
}


@dataclass(frozen=True)
class Scenario:
    """The defaults are those of `bill-life`."""

    name: str
    about: str
    rate: float = 120
    seconds: float = 60
    steps: list = field(default_factory=lambda: BILL_LIFE)
    step_seconds: float = 0.4
    # Biller codes and their weights in the traffic.
    billers: dict = field(default_factory=lambda: {f"B{number:04}": 1 for number in range(1, 11)})
    # Bounded by 2 s: the simulators draw the same latencies in every run, and the 12,591st would be 4.3 s.
    latency: str = "lognormal:40ms,300ms,2s"
    # Billers that answer too late or not at all, and the codes that callers may then get.
    slow: tuple = ()
    slow_latency: str = "none"
    slow_codes: tuple = ()
    with_redis: bool = False
    # Called with the `ScenarioRun` during the traffic; `Audit.meanwhile` is its result.
    meanwhile: object = None
    # Called with the run's `Audit`; returns further objectives.
    objectives: object = None
    overhead_p99: dict = field(default_factory=lambda: OVERHEAD_P99)
