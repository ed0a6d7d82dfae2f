"""Redis is killed for the middle third and restarts empty. Only the two link APIs may be affected."""

import subprocess
import time

from bench import objective
from bench.scenario import OVERHEAD_P99, Scenario
from bench.steps import BILL_LIFE


def meanwhile(run):
    """Stops Redis for the middle third; returns its end and its restart, in seconds since the call."""
    begin = time.monotonic()
    time.sleep(run.seconds / 3)
    run.redis.child.kill()
    down = time.monotonic() - begin
    time.sleep(run.seconds / 3)
    run.redis.start()
    return down, time.monotonic() - begin


def objectives(audit):
    """Checks that links were refused during the outage only, and that Redis holds all facts at the end."""
    down, up = audit.meanwhile
    links = [call for call in audit.calls.all if call["api"].startswith("link")]
    refused = [call for call in links if call["res_code"] == "E801"]
    # locust's clock starts up to some seconds after the outage's.
    outside = [call for call in refused if not down - 4 <= call["due"] <= up + 2]
    yield objective.Objective("links were refused while Redis was down", bool(refused), f"{len(refused)}")
    yield objective.none_of("links refused while Redis was up", outside)
    gateway, deadline = audit.run.gateway, time.monotonic() + 30
    while (missing := gateway.metrics().total("relay_ledger_unshared_facts")) and time.monotonic() < deadline:
        time.sleep(0.2)
    yield objective.at_most("facts missing from Redis at the end", missing, 0, "facts")
    command, variables = gateway.command("ledger", "verify")
    verified = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    yield objective.Objective(
        "`gateway ledger verify`", verified.returncode == 0, (verified.stdout + verified.stderr).strip()[:300]
    )


def _steps():
    for step in BILL_LIFE:
        is_link = step["api"].startswith("link")
        # A bill whose link was refused cannot be re-created: E812.
        yield {**step, "codes": [*step["codes"], "E801", "E812"]} if is_link else step


SCENARIO = Scenario(
    "redis-outage", "Redis is killed and restarts empty", with_redis=True,
    steps=list(_steps()), meanwhile=meanwhile, objectives=objectives,
    # The first calls in the outage wait for Redis once or twice, 200 ms each at most.
    overhead_p99=dict.fromkeys(OVERHEAD_P99, 0.5),
)
