"""Bills' lives as locust plays them: an open model.

Lives begin at even intervals, whether or not earlier ones have been answered; the steps of a life are
due at fixed times after its begin. A call's latency counts from the moment at which it was due, so that
a gateway that stands still is charged with every call that should have come meanwhile (no coordinated
omission). One locust user dispatches them all; each life is a greenlet of its own.

Started by `loadtest/run`, which hands over a plan by the environment variable LOADTEST_PLAN.
"""

import datetime
import itertools
import json
import os
import pathlib
import random
import time

import gevent
import gevent.pool
from geventhttpclient import HTTPClient
from locust import User, task

PLAN = json.loads(pathlib.Path(os.environ["LOADTEST_PLAN"]).read_text(encoding="utf-8"))

# More lives than this at once are not begun: the gateway, or this process, is hopelessly behind.
LIVES = 20_000

KOREA = datetime.timezone(datetime.timedelta(hours=9))
LINKS = "/external/inquiry-payment/one-time/url"


class Agency(User):
    """Kakao Pay and all billers, as they call the gateway."""

    fixed_count = 1

    def on_start(self):
        self.client = HTTPClient.from_url(
            PLAN["url"], concurrency=LIVES, connection_timeout=5, network_timeout=20
        )
        self.log = open(PLAN["calls_log"], "w", encoding="utf-8")
        self.random = random.Random(PLAN["seed"])

    @task
    def lives(self):
        billers, weights = zip(*PLAN["billers"].items(), strict=True)
        pool = gevent.pool.Pool(LIVES)
        begin = time.monotonic() + 0.5
        for number in itertools.count():
            due = begin + number / PLAN["lives_per_second"]
            if due >= begin + PLAN["seconds"]:
                break
            gevent.sleep(max(0, due - time.monotonic()))
            pool.spawn(self.live, number, due, self.random.choices(billers, weights)[0], begin)
        pool.join()
        self.log.close()
        # Not from within: quitting ends this very greenlet.
        gevent.spawn_later(0, self.environment.runner.quit)
        gevent.sleep(60)

    def live(self, number, due, biller, begin):
        """The steps of one bill; a step waits for the one before it, yet its clock starts when due."""
        life = Life(number, biller)
        for position, step in enumerate(PLAN["steps"]):
            if number % step.get("every", 1) == step.get("when", 0) % step.get("every", 1):
                step_due = due + position * PLAN["step_seconds"]
                gevent.sleep(max(0, step_due - time.monotonic()))
                self.call(life, step, step_due, begin)

    def call(self, life, step, due, begin):
        path, headers, body = life.request(step)
        sent = time.monotonic()
        told = {"api": step["api"], "step": step["name"], "biller": life.biller, "key": life.key}
        if step["api"] == "pay_result":
            told |= {"pay_id": life.pay_id, "pay_type": step["pay_type"]}
        try:
            answer = self.client.post(path, body=body, headers=headers)
            content = answer.read()
            told |= {"status": answer.status_code, "replayed": answer.get("x-relay-replayed") == "true"}
            told["res_code"] = json.loads(content).get("res_code")
        except Exception as fault:  # whatever it is, it is this call's outcome
            told |= {"status": 0, "res_code": type(fault).__name__, "replayed": False}
            content = b""
        now = time.monotonic()
        told |= {"due": due - begin, "sent_late": sent - due, "took": now - sent}
        self.log.write(json.dumps(told) + "\n")
        allowed = PLAN["slow_codes"] if life.biller in PLAN["slow"] else []
        is_right = told["res_code"] in [*step["codes"], *allowed]
        self.environment.events.request.fire(
            request_type="POST", name=step["name"], response_time=(now - due) * 1000,
            response_length=len(content), response=None, context={},
            exception=None if is_right else Exception(f"{told['status']} {told['res_code']}"),
        )


class Life:
    """One bill of one customer."""

    def __init__(self, number, biller):
        self.biller = biller
        self.pay_id = PLAN["first_pay_id"] + number
        self.key = f"{self.pay_id}"
        # What the simulated biller says this customer owes.
        self.won = 28_900 + 100 * (self.pay_id % 1000)
        self.paid_at = datetime.datetime.now(KOREA).strftime("%Y%m%d%H%M%S")

    def request(self, step):
        api = step["api"]
        data = {"biller_user_key": self.key, "billed_year_month": "202611"}
        headers = {"Content-Type": "application/json;charset=utf-8"}
        if api in ("link_create", "link_recreate"):
            headers["Authorization"] = PLAN["authorization"]
            path = LINKS if api == "link_create" else f"{LINKS}/re"
            data["expire_at"] = "20991231235959"
        else:
            path = "/kakao/" + api.replace("_", "-")
            data |= getattr(self, api)(step)
        body = json.dumps({"data": data}, ensure_ascii=False, separators=(",", ":"))
        return f"{path}/{self.biller}", headers, body.encode()

    def notice(self, _step):
        return {"user_birth": "19900301"}

    def prepay(self, _step):
        return {"amount": self.won}

    def pay_result(self, step):
        sign = 1 if step["pay_type"] == "P" else -1
        return {
            "pay_by": "MONEY", "pay_type": step["pay_type"], "amount": self.won,
            "pay_amount": sign * self.won, "pay_fee_type": "BEFORE", "pay_fee": 150, "pay_fee_tax": 15,
            "paid_at": self.paid_at, "pay_id": self.pay_id,
        }
