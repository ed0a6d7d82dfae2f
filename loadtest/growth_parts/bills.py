"""CPU per prepay with a thousand registered bills and with millions, with either ledger."""

import time

from bench import growth_row, rounds, usage
from bench.gateway import BILLER, Gateway, Settings
from bench.redis import Redis
from bench.slice import closed, measure
from bench.upstream import Upstream
from growth_parts.large_journal import UNPAID_FROM, LargeJournal, call

FEW = 1_000
AT_MOST = 1.2
CONNECTIONS = 32
# Ten million bills at some 10,000 a second, doubled.
SHARING_SECONDS = 2_000


def rows(environment, options):
    """Yields the rows of the embedded ledger, then those with Redis."""
    most = max(options.bills)
    yield from _ledger(environment, options, "embedded", None)
    redis = (Redis(environment, "redis-few"), Redis(environment, "redis-many"))
    yield from _ledger(environment, options, "Redis", redis)
    keys = redis[1].command("DBSIZE").lstrip(":")
    memory = usage.memory_bytes(usage.tree(redis[1].child.pid))
    yield growth_row.unbounded(f"Redis with {most:,} bills", f"{int(keys):,} keys, {memory / 2**20:,.0f} MiB")
    for one in redis:
        one.child.end()


def _ledger(environment, options, name, redis):
    upstream, most = Upstream(environment), max(options.bills)
    few = _gateway(environment, options, upstream, f"few-bills-{name}", FEW, redis and redis[0])
    many = _gateway(environment, options, upstream, f"many-bills-{name}", most, redis and redis[1])

    def measured(gateway, bills):
        prepay = call("prepay", BILLER, (UNPAID_FROM, bills))
        load = closed(environment, prepay, gateway, "plain", CONNECTIONS)
        return lambda: measure([gateway], upstream, [load], options.seconds)

    found = rounds.alternate(
        options.rounds, {"few": measured(few, FEW), "many": measured(many, most)}
    )
    memory = usage.memory_bytes(usage.tree(many.child.pid))
    few.end()
    many.end()
    upstream.child.end()
    cost = {name: [one.cpu_seconds_per_call for one in found[name]] for name in found}
    what = f"CPU per prepay, {name}, {most:,} registered bills over {FEW:,}"
    yield growth_row.ratio_at_most(what, rounds.ratio(cost["many"], cost["few"]), AT_MOST)
    what = f"memory of a node, {name}, {most:,} linked bills"
    yield growth_row.unbounded(what, f"{memory / 2**20:,.0f} MiB")


def _gateway(environment, options, upstream, name, bills, redis):
    """Writes a journal and starts the gateway on it."""
    folder = environment.folder / name / "ledger"
    folder.parent.mkdir()
    LargeJournal(bills).write(folder, options.journals)
    gateway = Gateway(environment, name, upstream.url("plain"), Settings(redis=redis))
    if redis:
        gateway.child.await_(lambda: _is_shared(gateway), "share its journal with Redis", SHARING_SECONDS)
    return gateway


def _is_shared(gateway):
    # A busy loop would load the gateway: it renders the metrics page.
    time.sleep(0.5)
    return gateway.metrics().total("relay_ledger_unshared_facts") == 0

