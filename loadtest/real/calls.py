"""The guide's calls, and a caller that keeps its connection to the gateway."""

import http.client
import itertools
import json
from dataclasses import dataclass

JSON = "application/json;charset=utf-8"

PATHS = {
    "notice": "/kakao/notice/{}",
    "prepay": "/kakao/prepay/{}",
    "pay_result": "/kakao/pay-result/{}",
    "link_create": "/external/inquiry-payment/one-time/url/{}",
    "link_recreate": "/external/inquiry-payment/one-time/url/re/{}",
}

_numbers = itertools.count(1)


def number():
    """Returns a number that no other call of this run has; it is a `pay_id` and part of a bill's name."""
    return next(_numbers)


def body(api, user_key, pay_id=None):
    """Returns the body of a call, without blanks."""
    data = {"biller_user_key": user_key, "billed_year_month": "202611"}
    if api == "notice":
        data["user_birth"] = "19900301"
    elif api == "prepay":
        data |= {"amount": 29000}
    elif api == "pay_result":
        data |= {
            "pay_by": "MONEY", "pay_type": "P", "pay_detail1": "", "pay_detail2": "", "amount": 29000,
            "pay_amount": 29000, "pay_fee_type": "BEFORE", "pay_fee": 150, "pay_fee_tax": 15,
            "paid_at": "20261128101500", "pay_id": pay_id,
        }
    else:
        data["expire_at"] = "20991231235959"
    return json.dumps({"data": data}, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Reply:
    """An answer of the gateway. Status 0 stands for a connection that failed."""

    status: int
    body: bytes
    headers: dict

    @property
    def res_code(self):
        try:
            return json.loads(self.body.decode("utf-8-sig")).get("res_code")
        except (ValueError, AttributeError):
            return None

    def __str__(self):
        return f"{self.res_code}/{self.status}" if self.status else self.body.decode()


class Caller:
    """One keep-alive connection to the gateway, with TLS if there is a `context`, from the address `source`."""

    def __init__(self, port, source="127.0.0.1", context=None):
        options = {"timeout": 10, "source_address": (source, 0)}
        if context:
            self._connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, **options)
        else:
            self._connection = http.client.HTTPConnection("127.0.0.1", port, **options)

    def post(self, path, content, **headers):
        """Sends a call and returns its answer, also where the connection fails."""
        try:
            self._connection.request("POST", path, content, {"Content-Type": JSON, **headers})
            answer = self._connection.getresponse()
            return Reply(answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()})
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return Reply(0, type(error).__name__.encode(), {})

    def close(self):
        self._connection.close()
