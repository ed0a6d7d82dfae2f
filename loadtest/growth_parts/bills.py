"""CPU per prepay with a thousand registered bills and with millions, with either ledger."""

import sqlite3
import time
from dataclasses import replace

from bench import growth_row, rounds, usage
from bench.call import CALLS
from bench.gateway import BILLER, Gateway, Settings
from bench.redis import Redis
from bench.slice import closed, measure
from bench.upstream import Upstream

FEW = 1_000
AT_MOST = 1.2
CONNECTIONS = 32
FIRST = 5_000_000_000
# Ten million bills at some 10,000 a second, doubled.
SHARING_SECONDS = 2_000

# The fact of a bill with a link, in the form in which the journal's writer inserts it.
_LINKED = """INSERT INTO fact (at, stamp, node, kind, biller_code, biller_user_key, billed_year_month,
    ordinal, biller_notice_key, identity, expire_at)
  VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', ?1 / 1000, 'unixepoch'), (?1 << 20) + ?2, ?3, 'relinked', ?4,
    printf('%010d', ?5), '202611', '', '', '', '20991231235959')"""


def rows(environment, options):
    """Yields the rows of the embedded ledger, then those with Redis."""
    yield from _ledger(environment, options, "embedded", None)
    redis = (Redis(environment, "redis-few"), Redis(environment, "redis-many"))
    yield from _ledger(environment, options, "Redis", redis)
    keys = redis[1].command("DBSIZE").lstrip(":")
    memory = usage.memory_bytes(usage.tree(redis[1].child.pid))
    yield growth_row.unbounded(f"Redis with {options.bills:,} bills", f"{int(keys):,} keys, {memory / 2**20:,.0f} MiB")
    for one in redis:
        one.child.end()


def _ledger(environment, options, name, redis):
    upstream = Upstream(environment)
    few = _gateway(environment, upstream, f"few-bills-{name}", FEW, redis and redis[0])
    many = _gateway(environment, upstream, f"many-bills-{name}", options.bills, redis and redis[1])

    def measured(gateway, bills):
        call = replace(
            CALLS["prepay"], api="numbered_prepay", script="numbered.lua", numbers=(FIRST, bills)
        )
        load = closed(environment, call, gateway, "plain", CONNECTIONS)
        return lambda: measure([gateway], upstream, [load], options.seconds)

    found = rounds.alternate(
        options.rounds, {"few": measured(few, FEW), "many": measured(many, options.bills)}
    )
    memory = usage.memory_bytes(usage.tree(many.child.pid))
    few.end()
    many.end()
    upstream.child.end()
    cost = {name: [one.cpu_seconds_per_call for one in found[name]] for name in found}
    what = f"CPU per prepay, {name}, {options.bills:,} registered bills over {FEW:,}"
    yield growth_row.ratio_at_most(what, rounds.ratio(cost["many"], cost["few"]), AT_MOST)
    what = f"memory of a node, {name}, {options.bills:,} linked bills"
    yield growth_row.unbounded(what, f"{memory / 2**20:,.0f} MiB")


def _gateway(environment, upstream, name, bills, redis):
    """Starts a gateway that creates a journal, fills the journal, and starts the gateway again, which folds it."""
    gateway = Gateway(environment, name, upstream.url("plain"), Settings(redis=redis))
    gateway.end()
    _fill(gateway.journal, bills)
    gateway.start()
    if redis:
        gateway.child.await_(lambda: _is_shared(gateway), "share its journal with Redis", SHARING_SECONDS)
    return gateway


def _is_shared(gateway):
    # A busy loop would load the gateway: it renders the metrics page.
    time.sleep(0.5)
    return gateway.metrics().total("relay_ledger_unshared_facts") == 0


def _fill(journal, bills):
    connection = sqlite3.connect(journal, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    node = connection.execute("SELECT number FROM node").fetchone()[0]
    now = int(time.time() * 1000) - 60_000
    facts = ((now + number // 1000, number % 1000, node, BILLER, FIRST + number) for number in range(bills))
    connection.executemany(_LINKED, facts)
    connection.execute("COMMIT")
    connection.close()
