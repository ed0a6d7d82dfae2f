"""Bills with a very long history: what a call on one costs, what it does to another biller, and the next start."""

import itertools
import shutil
from dataclasses import dataclass, replace

from bench import even_load, markdown, rounds, wrk
from bench.call import CALLS, Call
from bench.gateway import BILLER, Gateway, Settings
from bench.growth_row import GrowthRow, ratio_at_most, unbounded
from bench.redis import Redis
from bench.slice import closed, measure
from bench.upstream import Upstream
from growth_parts.large_journal import call

CPU_AT_MOST, OTHER_AT_MOST, READY_SECONDS = 2, 1.2, 2
FILL_SECONDS, LINK_SECONDS = 1, 10
OTHER = "B0002"
OTHER_BILLS = (5_000_000_000, 1_000)
# Of the even load: four calls of the other biller to one on the long history, or on a fresh bill.
RATE, OTHERS = 500, 4
LEAST_SECONDS = 4
# Bills with a link that was created once.
LINKED = (7_000_000_000, 5_000)


@dataclass(frozen=True)
class Kind:
    """Calls that lengthen one history, and the same calls on bills of their own."""

    name: str
    api: str
    long: str
    fresh: str
    # The path below which the upstream answers.
    kakao: str = ""
    fresh_numbers: tuple = ()
    connections: int = 16

    def call(self, file, numbers=()):
        if self.api == "link_recreate":
            path = CALLS["link_create"].path.replace(f"/{BILLER}", f"/re/{BILLER}")
            one = replace(CALLS["link_create"], api=self.api, path=path)
        else:
            one = CALLS[self.api]
        return replace(one, file=file, numbers=numbers)

    def long_call(self):
        return self.call(f"history/{self.long}")

    def fresh_call(self):
        return self.call(self.fresh if self.fresh == self.api else f"history/{self.fresh}", self.fresh_numbers)


KINDS = (
    Kind("bills that differ in the notice key alone", "link_create", "differing_links", "keyed_links"),
    Kind("refused links under one notice key", "link_create", "refused_links", "keyed_links", "/refusing",
         # While one of them is under way, the notice key is its bill's, and the others are refused without a call.
         connections=1),
    Kind("payments of one bill", "pay_result", "payments", "pay_result"),
    Kind("cancels of one payment", "pay_result", "cancels", "fresh_cancels"),
    Kind("re-creations of one link", "link_recreate", "recreated_link", "recreated_links", "", LINKED),
)


def rows(environment, options):
    """Every kind with the embedded ledger, then with Redis."""
    for ledger in ("embedded", "Redis"):
        for number, kind in enumerate(KINDS):
            if not options.kinds or number + 1 in options.kinds:
                yield from _Long(environment, options, kind, ledger, f"history-{number}-{ledger}").rows()


class _Long:
    """One kind with one ledger."""

    def __init__(self, environment, options, kind, ledger, name):
        self._environment, self._options, self._kind, self._ledger = environment, options, kind, ledger
        self._upstream = Upstream(environment, f"upstream-of-{name}")
        self._redis = Redis(environment, f"redis-of-{name}") if ledger == "Redis" else None
        url = self._upstream.url("plain")
        billers = {code: url for code in (BILLER, OTHER)}
        settings = Settings(redis=self._redis, billers=billers, kakao_url=url + kind.kakao)
        self._gateway = Gateway(environment, name, url, settings)
        self._length = 0
        self._numbers = itertools.count(4_000_000_000)

    def rows(self):
        if self._kind.fresh_numbers:
            self._run(replace(CALLS["link_create"], numbers=LINKED), LINK_SECONDS)
            self._run(replace(CALLS["link_create"], file=f"history/{self._kind.long}"), FILL_SECONDS)
        for length in self._options.history:
            refused = self._lengthen(length)
            if refused:
                # A cost of calls that fail would mean nothing.
                found = f"{refused:.0%} of the calls are refused behind {self._length:,}"
                yield GrowthRow(f"{length:,} {self._kind.name}, {self._ledger}", found, "none", False)
                break
            yield from self._at(length)
        self._gateway.end()
        self._upstream.child.end()
        if self._redis:
            self._redis.child.end()
        shutil.rmtree(self._gateway.folder)

    def _lengthen(self, length):
        """Calls until the history is so long, or nothing is taken; returns the share that was refused last."""
        refused = 0
        while self._length < length and refused < 1:
            result = self._run(self._kind.long_call(), FILL_SECONDS)
            refused = result.refused / result.calls if result.calls else 1
            self._length += result.calls - result.refused
        return refused

    def _run(self, one, seconds):
        return wrk.finish(wrk.start(self._environment, one, self._gateway.url(), self._kind.connections, seconds))

    def _at(self, length):
        what = f"{length:,} {self._kind.name}, {self._ledger}"
        slices = rounds.alternate(self._options.rounds, {
            "long": self._slice(self._kind.long_call()), "fresh": self._slice(self._kind.fresh_call()),
        })
        cost = {name: [one.cpu_seconds_per_call for one in slices[name]] for name in slices}
        yield ratio_at_most(f"CPU of a call, over one on a fresh bill: {what}", rounds.ratio(cost["long"], cost["fresh"]),
                            CPU_AT_MOST)
        figures = ", ".join(f"{name} {rounds.Spread.of(cost[name]).median * 1e6:.1f} µs" for name in cost)
        yield unbounded(f"CPU of a call: {what}", figures)
        others = rounds.alternate(self._options.rounds, {
            "long": self._others(self._kind.long_call()), "fresh": self._others(self._kind.fresh_call()),
        })
        ratio = rounds.ratio(others["long"], others["fresh"])
        yield ratio_at_most(f"p99 of another biller's prepay, over while fresh bills are called: {what}", ratio,
                            OTHER_AT_MOST)
        figures = ", ".join(f"{name} {rounds.Spread.of(others[name]).median * 1e3:.1f} ms" for name in others)
        yield unbounded(f"p99 of another biller's prepay: {what}", figures)
        self._gateway.child.kill()
        seconds = self._gateway.seconds_to_ready()
        yield GrowthRow(f"`kill -9` → ready: {what}", f"{seconds:.2f} s", f"≤ {READY_SECONDS} s",
                        seconds <= READY_SECONDS)

    def _slice(self, one):
        load = closed(self._environment, one, self._gateway, "plain", self._kind.connections)
        return lambda: measure([self._gateway], self._upstream, [load], self._options.seconds)

    def _others(self, one: Call):
        """Returns a function that measures the p99 of the other biller's prepays beside calls of one kind."""
        prepay = call("prepay", OTHER, ())

        def measured():
            count = round(RATE * max(self._options.seconds, LEAST_SECONDS))
            load = (self._even(step, prepay, one) for step in range(count))
            found = even_load.finish(even_load.start(self._environment, self._gateway, RATE, load))
            return found["other"].quantile(0.99)
        return measured

    def _even(self, step, prepay, one):
        if step % (OTHERS + 1):
            return "other", prepay, OTHER_BILLS[0] + step % OTHER_BILLS[1]
        number = next(self._numbers)
        if one.numbers:
            number = one.numbers[0] + number % one.numbers[1]
        return "called", one, number
