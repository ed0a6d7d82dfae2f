"""The calls that a load consists of: one per API."""

from dataclasses import dataclass

from lab.gateway import AUTHORIZATION, BILLER
from lab.paths import BODIES


@dataclass(frozen=True)
class Call:
    """An API's path and body. Where they say @NUMBER@, each call has a number of its own: one that never
    comes again, or one out of `numbers`, which are as many from the first on."""

    api: str
    path: str
    script: str = "fixed.lua"
    headers: tuple = ()
    numbers: tuple = ()
    # Whose body it has, where not its own API's.
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
