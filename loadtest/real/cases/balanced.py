"""What is asked of a balancer before two gateways: admission by address and certificate, idle times, a drain."""

import collections
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from real import calls
from real.gateway import AUTHORIZATION
from real.simulators import BILLER

ADMITTED, FOREIGN = "127.0.0.2", "127.0.0.3"
_LIFE = ("link_create", "link_recreate", "notice", "prepay", "pay_result", "pay_result")
_IDLE_SECONDS = 60
_IDLE_SPREAD_SECONDS = 0.4
_IDLE_LANES = 40
_DRAIN_CALLERS = 8
_DRAIN_SECONDS = 8


class Front:
    """How callers reach the balancer."""

    def __init__(self, port, tls):
        self._port = port
        self._tls = tls

    def caller(self, source=ADMITTED, certificate=None):
        """Returns a caller from an address, with a client certificate of that name."""
        context = ssl.create_default_context(cafile=self._tls / "ca.pem")
        if certificate:
            context.load_cert_chain(self._tls / f"{certificate}.pem", self._tls / f"{certificate}.key")
        return calls.Caller(self._port, source, context)


def life(results, name, front, certificate):
    """A bill's life from the admitted address."""
    caller = front.caller(certificate=certificate)
    user_key, pay_id = f"BALANCED{calls.number()}001", calls.number()
    seen = [_call(caller, api, user_key, pay_id) for api in _LIFE]
    caller.close()
    words = [str(reply) for reply in seen]
    results.compare(name, "a bill's life", "6 times OK", "6 times OK" if set(words) == {"OK/200"} else ", ".join(words))


def admission(results, name, front, certificate):
    """Calls from an address that is not Kakao Pay's, also with the admitted one in a forged header."""
    caller = front.caller(FOREIGN, certificate)
    results.compare(name, "a notice from another address", "E003/403", str(notice(caller)))
    forged = notice(caller, **{"X-Forwarded-For": ADMITTED})
    results.compare(name, "the same with a forged X-Forwarded-For", "E003/403", str(forged))
    caller.close()


def certificates(results, name, front, pinned):
    """Calls with another certificate of the same root than the pinned one, and without any."""
    for certificate, words in ((pinned, "the pinned one"), ("another", "another one"), (None, "none")):
        caller = front.caller(certificate=certificate)
        expected = "OK/200" if certificate == pinned else "E003/401"
        results.compare(name, f"client certificate: {words}", expected, str(notice(caller)))
        caller.close()


def idle(results, name, front, certificate):
    """Second calls around the end of the balancer's idle time."""
    together = threading.Barrier(_IDLE_LANES)

    def lane(number):
        caller = front.caller(certificate=certificate)
        together.wait()
        first = notice(caller)
        time.sleep(_IDLE_SECONDS + _IDLE_SPREAD_SECONDS * (number / _IDLE_LANES - 0.5))
        second = notice(caller)
        caller.close()
        return [str(first), str(second)]

    with ThreadPoolExecutor(_IDLE_LANES) as threads:
        seen = collections.Counter(word for words in threads.map(lane, range(_IDLE_LANES)) for word in words)
    _all_ok(results, name, f"{_IDLE_LANES} pairs of calls, {_IDLE_SECONDS} s apart", seen)


def drain(results, name, front, certificate, gateway):
    """Calls without a pause while one of the gateways is stopped."""
    over = time.monotonic() + _DRAIN_SECONDS

    def lane(_number):
        caller, seen = front.caller(certificate=certificate), collections.Counter()
        while time.monotonic() < over:
            seen[str(notice(caller))] += 1
            time.sleep(0.01)
        caller.close()
        return seen

    with ThreadPoolExecutor(_DRAIN_CALLERS) as threads:
        lanes = [threads.submit(lane, number) for number in range(_DRAIN_CALLERS)]
        time.sleep(_DRAIN_SECONDS / 3)
        gateway.end()
        seen = sum((one.result() for one in lanes), collections.Counter())
    _all_ok(results, name, "calls while one of two gateways stops", seen)


def _all_ok(results, name, case, seen):
    others = {word: count for word, count in seen.items() if word != "OK/200"}
    words = ", ".join(f"{count} {word}" for word, count in others.items())
    results.compare(name, case, "all OK", f"{seen['OK/200']} OK, {words}" if others else "all OK")


def notice(caller, **headers):
    """Sends a notice and returns its answer."""
    return _call(caller, "notice", f"BALANCED{calls.number()}001", None, **headers)


def _call(caller, api, user_key, pay_id, **headers):
    if api.startswith("link"):
        headers["Authorization"] = AUTHORIZATION
    return caller.post(calls.PATHS[api].format(BILLER), calls.body(api, user_key, pay_id), **headers)
