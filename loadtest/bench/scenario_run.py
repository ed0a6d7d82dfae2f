"""The processes of a scenario: simulated parties, the gateway, and Redis if the scenario uses it."""

import json
import os

from bench import tools
from bench.child import Child
from bench.gateway import AUTHORIZATION, Gateway, Settings
from bench.paths import SCENARIOS
from bench.redis import Redis
from bench.simulator import Simulator
from bench.steps import calls_per_bill


class ScenarioRun:
    """One run of a scenario; creating it starts all processes but the traffic."""

    def __init__(self, environment, scenario, rate, seconds):
        self.environment, self.scenario = environment, scenario
        self.rate, self.seconds = rate, seconds
        self.redis = Redis(environment) if scenario.with_redis else None
        self.kakao = Simulator(environment, "kakao", "kakao", "--latency", scenario.latency)
        self.parties = [Simulator(environment, "billers", "biller", "--latency", scenario.latency)]
        if scenario.slow:
            slow = Simulator(environment, "slow-billers", "biller", "--latency", scenario.slow_latency)
            self.parties.append(slow)
        urls = {
            code: self.parties[-1 if code in scenario.slow else 0].url(code) for code in scenario.billers
        }
        settings = Settings(redis=self.redis, billers=urls, kakao_url=self.kakao.url())
        self.gateway = Gateway(environment, "gateway", None, settings)
        self.calls_log = environment.folder / "calls.jsonl"

    def start_traffic(self, out):
        """Starts locust, which exits after the last bill's last call."""
        plan = {
            "url": self.gateway.url(), "calls_log": str(self.calls_log), "seed": 1,
            "first_pay_id": 1_000_000_000, "seconds": self.seconds, "authorization": AUTHORIZATION,
            "bills_per_second": self.rate / calls_per_bill(self.scenario.steps),
            "steps": self.scenario.steps, "step_seconds": self.scenario.step_seconds,
            "billers": self.scenario.billers, "slow": self.scenario.slow,
            "slow_codes": self.scenario.slow_codes,
        }
        file = self.environment.folder / "plan.json"
        file.write_text(json.dumps(plan, ensure_ascii=False))
        command = [tools.locust(), "--headless", "--only-summary"]
        command += ["-f", SCENARIOS / "traffic.py", "-u", "1", "-r", "1", "--exit-code-on-error", "0"]
        command += ["--html", out / "report.html", "--csv", out / "locust"]
        env = {**os.environ, "LOADTEST_PLAN": str(file)}
        return Child("locust", command, self.environment.folder / "locust.log", self.environment.load_cores, env)
