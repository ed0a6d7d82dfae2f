"""CPU per prepay with a thousand registered bills, and with millions; with either ledger."""

import sqlite3
import time
from dataclasses import replace

from lab import bound, rounds, usage
from lab.call import CALLS
from lab.gateway import BILLER, Gateway, Settings
from lab.redis import Redis
from lab.slice import closed, measure
from lab.upstream import Upstream

FEW = 1_000
AT_MOST = 1.2
CONNECTIONS = 32
FIRST = 5_000_000_000
# Ten million bills at some 10,000 a second, and as much again.
SHARING_SECONDS = 2_000

# A bill whose link was made: the one fact that says so. Written as the journal's own writer would.
_LINKED = """INSERT INTO fact (at, stamp, node, kind, biller_code, biller_user_key, billed_year_month,
    ordinal, biller_notice_key, identity, expire_at)
  VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', ?1 / 1000, 'unixepoch'), (?1 << 20) + ?2, ?3, 'relinked', ?4,
    printf('%010d', ?5), '202611', '', '', '', '20991231235959')"""


def rows(lab, options):
    """Embedded first, then with Redis."""
    yield from _ledger(lab, options, "embedded", None)
    redis = (Redis(lab, "redis-few"), Redis(lab, "redis-many"))
    yield from _ledger(lab, options, "Redis", redis)
    keys = redis[1].ask("DBSIZE").lstrip(":")
    memory = usage.memory_bytes(usage.tree(redis[1].child.pid))
    yield bound.told(f"Redis with {options.bills:,} bills", f"{int(keys):,} keys, {memory / 2**20:,.0f} MiB")
    for one in redis:
        one.child.end()


def _ledger(lab, options, name, redis):
    upstream = Upstream(lab)
    few = _gateway(lab, upstream, f"few-bills-{name}", FEW, redis and redis[0])
    many = _gateway(lab, upstream, f"many-bills-{name}", options.bills, redis and redis[1])

    def measured(gateway, bills):
        call = replace(
            CALLS["prepay"], api="numbered_prepay", script="numbered.lua", numbers=(FIRST, bills)
        )
        load = closed(lab, call, gateway, "plain", CONNECTIONS)
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
    yield bound.ratio_at_most(what, rounds.ratio(cost["many"], cost["few"]), AT_MOST)
    what = f"memory of a node, {name}, {options.bills:,} linked bills"
    yield bound.told(what, f"{memory / 2**20:,.0f} MiB")


def _gateway(lab, upstream, name, bills, redis):
    """Starts once to have a journal made, fills it, and starts again, which folds it."""
    gateway = Gateway(lab, name, upstream.url("plain"), Settings(redis=redis))
    gateway.end()
    _fill(gateway.journal, bills)
    gateway.start()
    if redis:
        gateway.child.await_(lambda: _is_shared(gateway), "share its journal with Redis", SHARING_SECONDS)
    return gateway


def _is_shared(gateway):
    # Not in a busy loop: the page is made by the gateway that is at work.
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
