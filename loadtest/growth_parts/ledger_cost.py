"""CPU per call over the build before, of a bill that is not in memory over one that is, and of a pay-result."""

import itertools
import shutil
from dataclasses import replace

from bench import even_load, markdown, rounds, wrk
from bench.call import CALLS
from bench.gateway import BILLER, Gateway, Settings
from bench.growth_row import GrowthRow, ratio_at_most, unbounded
from bench.slice import closed, measure
from bench.upstream import Upstream
from growth_parts.large_journal import KEEP, UNPAID_FROM, LargeJournal, call

HOT_AT_MOST, COLD_AT_MOST, ADDED_MS, PAY_RESULT_US = 1.03, 2.5, 5, 120
CONNECTIONS = 32
# Linked by calls, so that both builds have them in their own form.
HOT = (7_000_000_000, 1_000)
UNNAMED = (8_000_000_000, 1_000_000)
EVEN_RATE = 500


def rows(environment, options):
    """The new build has a large journal; that before, of which memory is all it reads, the hot bills only."""
    upstream = Upstream(environment)
    journal = LargeJournal(max(options.bills))
    new = _gateway(environment, options, upstream, "new-build", journal, None)
    before = options.before and _gateway(environment, options, upstream, "build-before", None, options.before)

    def slices(gateway, one):
        load = closed(environment, one, gateway, "plain", CONNECTIONS)
        return lambda: measure([gateway], upstream, [load], options.seconds)

    cold = _Cold(slices(new, call("prepay", BILLER, journal.unpaid)), new)
    measured = {"cold": cold, "unnamed": slices(new, call("prepay", BILLER, UNNAMED))}
    for build, gateway in (("new", new), ("before", before)):
        if gateway:
            measured[f"{build} prepay"] = slices(gateway, call("prepay", BILLER, HOT))
            measured[f"{build} notice"] = slices(gateway, call("notice", BILLER, HOT))
            measured[f"{build} pay_result"] = slices(gateway, CALLS["pay_result"])
    found = rounds.alternate(options.rounds, measured)
    cost = {name: [one.cpu_seconds_per_call for one in found[name]] for name in found}
    yield from _hot(cost)
    yield from _cold(cost, cold)
    yield from _pay_results(cost)
    yield from _added(environment, options, new, journal)
    for gateway in filter(None, (new, before)):
        gateway.end()
        shutil.rmtree(gateway.folder)
    upstream.child.end()


def _gateway(environment, options, upstream, name, journal, binary):
    folder = environment.folder / name / "ledger"
    folder.parent.mkdir()
    if journal:
        journal.write(folder, options.journals)
    ledger = "" if binary else KEEP
    gateway = Gateway(environment, name, upstream.url("plain"), Settings(ledger=ledger, binary=binary))
    link = replace(CALLS["link_create"], numbers=HOT)
    wrk.finish(wrk.start(environment, link, gateway.url(), 8, 2))
    return gateway


class _Cold:
    """Slices of calls that read the journal, and how many of their look-ups did."""

    def __init__(self, measured, gateway):
        self._measured, self._gateway = measured, gateway
        self.missed = []

    def __call__(self):
        before = self._gateway.metrics()
        found = self._measured()
        after = self._gateway.metrics()
        hits, misses = (_lookups(after, result) - _lookups(before, result) for result in ("hit", "miss"))
        self.missed.append(misses / (hits + misses))
        return found


def _lookups(page, result):
    return page.total("relay_ledger_cache_requests_total", result=result)


def _hot(cost):
    for api in ("prepay", "notice"):
        if f"before {api}" in cost:
            what = f"CPU per hot `{api}`, over the build before"
            yield ratio_at_most(what, rounds.ratio(cost[f"new {api}"], cost[f"before {api}"]), HOT_AT_MOST)
        yield unbounded(f"CPU per hot `{api}`", _microseconds(cost[f"new {api}"]))


def _cold(cost, cold):
    over_hot = rounds.ratio(cost["cold"], cost["new prepay"])
    yield ratio_at_most("CPU per cold `prepay` (the file in the page cache), over hot", over_hot, COLD_AT_MOST)
    yield unbounded("CPU per cold `prepay`", _microseconds(cost["cold"]))
    share = rounds.Spread.of(cold.missed)
    yield unbounded("look-ups of the cold slices that read the journal", f"{markdown.spread(share, 100, 0)} %")
    unnamed = rounds.ratio(cost["unnamed"], cost["new prepay"])
    yield unbounded("CPU per `prepay` of a bill that nobody named, over hot", markdown.spread(unnamed))


def _pay_results(cost):
    found = rounds.Spread.of(cost["new pay_result"])
    yield GrowthRow("CPU per `pay_result`, embedded", _microseconds(cost["new pay_result"]), f"≤ {PAY_RESULT_US} µs",
                    found.median * 1e6 <= PAY_RESULT_US)
    if "before pay_result" in cost:
        over = rounds.ratio(cost["new pay_result"], cost["before pay_result"])
        yield unbounded("CPU per `pay_result`, over the build before", markdown.spread(over))


def _microseconds(seconds):
    return f"{markdown.spread(rounds.Spread.of(seconds), 1e6, 1)} µs"


def _added(environment, options, gateway, journal):
    """The latency of misses at an even rate over that of hits, slice by slice."""
    first, count = journal.unpaid
    # Backwards from the end, because the cold slices began at the front and took every so-and-so-many-th.
    cold = (first + (count - 1 - step * 6_007 % count) for step in itertools.count())
    hot = itertools.cycle(range(HOT[0], sum(HOT)))

    def slice_of(label, numbers):
        one = call("prepay", BILLER, ())
        calls = round(EVEN_RATE * options.seconds)

        def measured():
            load = ((label, one, number) for number in itertools.islice(numbers, calls))
            return even_load.finish(even_load.start(environment, gateway, EVEN_RATE, load))[label]
        return measured

    found = rounds.alternate(options.rounds, {"hit": slice_of("hit", hot), "miss": slice_of("miss", cold)})
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        pairs = zip(found["miss"], found["hit"], strict=True)
        added = rounds.Spread.of(miss.quantile(share) - hit.quantile(share) for miss, hit in pairs)
        what = f"{name} added by a miss, {EVEN_RATE} prepays a second"
        is_met = added.median * 1e3 <= ADDED_MS if share == 0.99 else None
        bound = f"≤ {ADDED_MS} ms" if share == 0.99 else ""
        yield GrowthRow(what, f"{markdown.spread(added, 1e3)} ms", bound, is_met)


assert UNPAID_FROM + 2_000_000_000 <= HOT[0], "generated bills must not be the hot ones"
