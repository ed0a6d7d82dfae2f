"""Redis dies in the middle and comes back empty. Only the two link APIs may notice."""

import subprocess
import time

from lab import objective
from lab.scenario import OVERHEAD_P99, Scenario
from lab.steps import BILL_LIFE



def meanwhile(stage):
    """Down for the middle third; answers when, in seconds after traffic began."""
    begin = time.monotonic()
    time.sleep(stage.seconds / 3)
    stage.redis.child.kill()
    down = time.monotonic() - begin
    time.sleep(stage.seconds / 3)
    stage.redis.start()
    return down, time.monotonic() - begin


def objectives(evidence):
    """Links were refused during the outage only, and Redis has everything again."""
    down, up = evidence.meanwhile
    links = [call for call in evidence.calls.all if call["api"].startswith("link")]
    refused = [call for call in links if call["res_code"] == "E801"]
    # locust takes a moment to begin, so its clock starts later than the outage's: two seconds of grace.
    outside = [call for call in refused if not down - 4 <= call["due"] <= up + 2]
    yield objective.Objective("links were refused while Redis was down", bool(refused), f"{len(refused)}")
    yield objective.none_of("links refused while Redis was up", outside)
    gateway, over = evidence.stage.gateway, time.monotonic() + 30
    while (missing := gateway.metrics().total("relay_ledger_unshared_facts")) and time.monotonic() < over:
        time.sleep(0.2)
    yield objective.at_most("facts that Redis lacks in the end", missing, 0, "facts")
    command, environment = gateway.command("ledger", "verify")
    verified = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    yield objective.Objective(
        "`gateway ledger verify`", verified.returncode == 0, (verified.stdout + verified.stderr).strip()[:300]
    )


def _steps():
    for step in BILL_LIFE:
        is_link = step["api"].startswith("link")
        # A bill of which the link was refused cannot be re-created: E812.
        yield {**step, "codes": [*step["codes"], "E801", "E812"]} if is_link else step


SCENARIO = Scenario(
    "redis-outage", "the shared ledger's Redis is killed and comes back empty", with_redis=True,
    steps=list(_steps()), meanwhile=meanwhile, objectives=objectives,
    # Calls that meet the outage first wait for Redis, some of them twice, 200 ms each at most.
    overhead_p99=dict.fromkeys(OVERHEAD_P99, 0.5),
)
