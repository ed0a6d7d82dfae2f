"""The traffic of a scenario in locust: an open model.

Bills start at even intervals, independent of earlier answers; a bill's steps are due at fixed times after its start.
Latency counts from the moment at which a call was due, so a gateway that stalls is charged with every call that was
due meanwhile (no coordinated omission). One locust user dispatches all bills; each bill is a greenlet.

`loadtest/run` starts this file and passes the path of a plan in the environment variable LOADTEST_PLAN.
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

# Bills in progress at once; with more, the gateway or this process cannot keep up.
MAX_BILLS = 20_000

KOREA = datetime.timezone(datetime.timedelta(hours=9))
LINKS = "/external/inquiry-payment/one-time/url"


class Callers(User):
    """Kakao Pay and all billers, as callers of the gateway."""

    fixed_count = 1

    def on_start(self):
        self.client = HTTPClient.from_url(
            PLAN["url"], concurrency=MAX_BILLS, connection_timeout=5, network_timeout=20
        )
        self.log = open(PLAN["calls_log"], "w", encoding="utf-8")
        self.random = random.Random(PLAN["seed"])

    @task
    def start_bills(self):
        billers, weights = zip(*PLAN["billers"].items(), strict=True)
        pool = gevent.pool.Pool(MAX_BILLS)
        begin = time.monotonic() + 0.5
        for number in itertools.count():
            due = begin + number / PLAN["bills_per_second"]
            if due >= begin + PLAN["seconds"]:
                break
            gevent.sleep(max(0, due - time.monotonic()))
            pool.spawn(self.run_steps, number, due, self.random.choices(billers, weights)[0], begin)
        pool.join()
        self.log.close()
        # Quitting ends this greenlet, so another one does it.
        gevent.spawn_later(0, self.environment.runner.quit)
        gevent.sleep(60)

    def run_steps(self, number, due, biller, begin):
        """Makes the calls for one bill. A step waits for the one before it; its latency counts from when it was due."""
        bill = Bill(number, biller)
        for position, step in enumerate(PLAN["steps"]):
            if number % step.get("every", 1) == step.get("when", 0) % step.get("every", 1):
                step_due = due + position * PLAN["step_seconds"]
                gevent.sleep(max(0, step_due - time.monotonic()))
                self.call(bill, step, step_due, begin)

    def call(self, bill, step, due, begin):
        path, headers, body = bill.request(step)
        sent = time.monotonic()
        line = {"api": step["api"], "step": step["name"], "biller": bill.biller, "key": bill.key}
        if step["api"] == "pay_result":
            line |= {"pay_id": bill.pay_id, "pay_type": step["pay_type"]}
        try:
            answer = self.client.post(path, body=body, headers=headers)
            content = answer.read()
            line |= {"status": answer.status_code, "replayed": answer.get("x-relay-replayed") == "true"}
            line["res_code"] = json.loads(content).get("res_code")
        except Exception as fault:  # any failure is this call's outcome
            line |= {"status": 0, "res_code": type(fault).__name__, "replayed": False}
            content = b""
        now = time.monotonic()
        line |= {"due": due - begin, "sent_late": sent - due, "took": now - sent}
        self.log.write(json.dumps(line) + "\n")
        allowed = PLAN["slow_codes"] if bill.biller in PLAN["slow"] else []
        is_expected = line["res_code"] in [*step["codes"], *allowed]
        self.environment.events.request.fire(
            request_type="POST", name=step["name"], response_time=(now - due) * 1000,
            response_length=len(content), response=None, context={},
            exception=None if is_expected else Exception(f"{line['status']} {line['res_code']}"),
        )


class Bill:
    """A customer's bill and the requests for it."""

    def __init__(self, number, biller):
        self.biller = biller
        self.pay_id = PLAN["first_pay_id"] + number
        self.key = f"{self.pay_id}"
        # The amount that the simulated biller computes for this customer.
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
