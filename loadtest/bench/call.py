"""The calls of a load, one per API."""

from dataclasses import dataclass

from bench.gateway import AUTHORIZATION, BILLER
from bench.paths import BODIES


@dataclass(frozen=True)
class Call:
    """An API's path and body.

    Each call replaces `@NUMBER@` in them by its number: a new one, or with `numbers`, a pair of first number and
    count, one of that range.
    """

    api: str
    path: str
    script: str = "fixed.lua"
    headers: tuple = ()
    numbers: tuple = ()
    # The body's file name; empty: the API's name.
    file: str = ""

    @property
    def body(self):
        return BODIES / f"{self.file or self.api}.json"


CALLS = {
    call.api: call
    for call in (
        Call("notice", f"/kakao/notice/{BILLER}"),
        Call("prepay", f"/kakao/prepay/{BILLER}"),
        Call("pay_result", f"/kakao/pay-result/{BILLER}", "numbered.lua"),
        Call(
            "link_create",
            f"/external/inquiry-payment/one-time/url/{BILLER}",
            "numbered.lua",
            (f"Authorization: {AUTHORIZATION}",),
        ),
    )
}
