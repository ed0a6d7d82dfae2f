"""What a scenario runs on: simulated parties, the gateway, and Redis where it is wanted."""

import json
import os

from lab import tools
from lab.child import Child
from lab.gateway import AUTHORIZATION, Gateway, Settings
from lab.paths import SCENARIOS
from lab.redis import Redis
from lab.simulator import Simulator
from lab.steps import calls_per_life


class Stage:
    """Everything is up once it is made."""

    def __init__(self, lab, scenario, rate, seconds):
        self.lab, self.scenario, self.rate, self.seconds = lab, scenario, rate, seconds
        self.redis = Redis(lab) if scenario.with_redis else None
        self.kakao = Simulator(lab, "kakao", "kakao", "--latency", scenario.latency)
        self.parties = [Simulator(lab, "billers", "biller", "--latency", scenario.latency)]
        if scenario.slow:
            slow = Simulator(lab, "slow-billers", "biller", "--latency", scenario.slow_latency)
            self.parties.append(slow)
        urls = {
            code: self.parties[-1 if code in scenario.slow else 0].url(code) for code in scenario.billers
        }
        settings = Settings(redis=self.redis, billers=urls, kakao_url=self.kakao.url())
        self.gateway = Gateway(lab, "gateway", None, settings)
        self.calls_log = lab.folder / "calls.jsonl"

    def start_traffic(self, out):
        """Starts locust; it ends by itself when the last life has."""
        plan = {
            "url": self.gateway.url(), "calls_log": str(self.calls_log), "seed": 1,
            "first_pay_id": 1_000_000_000, "seconds": self.seconds, "authorization": AUTHORIZATION,
            "lives_per_second": self.rate / calls_per_life(self.scenario.steps),
            "steps": self.scenario.steps, "step_seconds": self.scenario.step_seconds,
            "billers": self.scenario.billers, "slow": self.scenario.slow,
            "slow_codes": self.scenario.slow_codes,
        }
        file = self.lab.folder / "plan.json"
        file.write_text(json.dumps(plan, ensure_ascii=False))
        command = [tools.locust(), "--headless", "--only-summary"]
        command += ["-f", SCENARIOS / "traffic.py", "-u", "1", "-r", "1", "--exit-code-on-error", "0"]
        command += ["--html", out / "report.html", "--csv", out / "locust"]
        env = {**os.environ, "LOADTEST_PLAN": str(file)}
        return Child("locust", command, self.lab.folder / "locust.log", self.lab.load_cores, env)
