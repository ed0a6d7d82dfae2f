"""Pay-results one after another: they must not cost a connection each where the server keeps connections."""

from real import answers, calls

BILLER = "BUSY"
_CALLS = 200
_CONNECTIONS_MAX = 20
# A server that keeps idle connections for less keeps none worth mentioning.
_KEPT_SECONDS = 0.5


def run(results, server, gateway, relay, shortest_idle_seconds):
    """Adds how many connections the calls of a busy biller took; the last port of the relay is its."""
    caller = calls.Caller(gateway.port)
    before = relay.connections(relay.ports[-1])
    seen = [_pay(caller) for _ in range(_CALLS)]
    connections = relay.connections(relay.ports[-1]) - before
    caller.close()
    ok = sum(reply.status == 200 and reply.body == answers.PLAIN.body for reply in seen)
    case = f"connections of {_CALLS} pay-results in a row, all OK"
    if shortest_idle_seconds > _KEPT_SECONDS:
        expected = f"at most {_CONNECTIONS_MAX}"
        is_met = ok == _CALLS and connections <= _CONNECTIONS_MAX
        results.add(server.name, case, expected, expected if is_met else f"{connections}, {ok} OK", is_met)
    else:
        results.note(server.name, case, f"{connections}, {ok} OK")


def _pay(caller):
    number = calls.number()
    content = calls.body("pay_result", f"{answers.PLAIN}/{number}", number)
    return caller.post(calls.PATHS["pay_result"].format(BILLER), content)
