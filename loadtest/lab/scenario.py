"""A scenario: what runs, who calls, what happens meanwhile, and what must hold at the end."""

from dataclasses import dataclass, field

from lab.steps import BILL_LIFE

# Upper bounds of the gateway's own share of a call, 99 of 100 calls, in seconds. The link APIs and the
# pay-result wait for a disk sync, which the two others do not.
OVERHEAD_P99 = {
    "notice": 0.002, "prepay": 0.002, "pay_result": 0.05, "link_create": 0.05, "link_recreate": 0.05,
}


@dataclass(frozen=True)
class Scenario:
    """Defaults are those of `bill-life`."""

    name: str
    about: str
    rate: float = 120
    seconds: float = 60
    steps: list = field(default_factory=lambda: BILL_LIFE)
    step_seconds: float = 0.4
    # Biller codes and how much of the traffic is theirs.
    billers: dict = field(default_factory=lambda: {f"B{number:04}": 1 for number in range(1, 11)})
    # Within the budget: the simulators draw alike in every run, and their 12,591st call would wait for 4.3 s.
    latency: str = "lognormal:40ms,300ms,2s"
    # Billers that answer too late or not at all, and what callers may then be told.
    slow: tuple = ()
    slow_latency: str = "none"
    slow_codes: tuple = ()
    with_redis: bool = False
    # Called with the stage while traffic runs; what it returns goes to `objectives`.
    meanwhile: object = None
    # Called with the run's evidence; answers further objectives.
    objectives: object = None
    overhead_p99: dict = field(default_factory=lambda: OVERHEAD_P99)
