"""Memory, start, disk and the oldest payment with journals of different sizes."""

import json
import shutil
import subprocess
import time
import urllib.request
from dataclasses import dataclass, replace

from bench import markdown, rounds, usage, wrk
from bench.call import CALLS
from bench.gateway import Gateway, Settings
from bench.growth_row import GrowthRow, ratio_at_most, unbounded
from bench.upstream import Upstream
from growth_parts.large_journal import BILLERS, KEEP, LargeJournal, call, disk_bytes

MEMORY_MIB, SAME, READY_SECONDS, DISK_BYTES = 512, 1.1, 2, 800
HOT = 1_000
STARTS = 3
# Slices of the mix at most; it ends when a tenth of them added less than a hundredth to the memory.
MIXES, STILL = 150, 10
VERIFIED_AT_MOST = 1_000_000
# Bills of the journal in which all are paid.
ALL_PAID = 200_000


@dataclass(frozen=True)
class Found:
    """What was measured at one size."""

    bills: int
    memory_bytes: float
    ready_seconds: rounds.Spread


def rows(environment, options):
    """Per size; then how the sizes compare; then the disk of bills that are all paid."""
    upstream = Upstream(environment)
    found = []
    for bills in options.bills:
        gateway = _gateway(environment, upstream, options, bills)
        yield from _of_size(environment, upstream, options, gateway, bills, found)
        gateway.end()
        shutil.rmtree(gateway.folder)
    upstream.child.end()
    if len(found) > 1:
        yield from _over_sizes(found)
    yield _disk(environment, min(*options.bills, ALL_PAID))


def _gateway(environment, upstream, options, bills):
    name = f"ledger-of-{bills}"
    journal = LargeJournal(bills, options.paid, BILLERS)
    folder = environment.folder / name / "ledger"
    folder.parent.mkdir()
    journal.write(folder, options.journals)
    billers = {code: upstream.url("plain") for code in journal.codes()}
    ledger = f'{KEEP}cache = "{options.cache}"\n'
    return Gateway(environment, name, upstream.url("plain"), Settings(billers=billers, ledger=ledger))


def _of_size(environment, upstream, options, gateway, bills, found):
    journal = LargeJournal(bills, options.paid, BILLERS)
    each = disk_bytes(gateway.folder / "ledger") / bills
    yield unbounded(f"disk per bill, {bills:,} bills, {options.paid} % paid", f"{each:,.0f} B")
    mix = _Mix(environment, gateway, journal, options.seconds)
    memory = mix.run_until_still()
    cache = gateway.metrics().total("relay_ledger_cache_bytes")
    mib = memory / 2**20
    yield GrowthRow(f"RssAnon after hot and cold calls, {bills:,} bills", f"{mib:,.0f} MiB", f"≤ {MEMORY_MIB} MiB",
                    mib <= MEMORY_MIB)
    yield unbounded(f"of it the cache's, {bills:,} bills", f"{cache / 2**20:,.0f} MiB")
    seconds, oldest = [], []
    for _ in range(STARTS):
        # The write-ahead log has something to be read.
        mix.run()
        gateway.child.kill()
        seconds.append(gateway.seconds_to_ready())
        oldest.append(_oldest_payment(gateway, journal))
    ready = rounds.Spread.of(seconds)
    yield GrowthRow(f"`kill -9` → ready, {bills:,} bills", f"{markdown.spread(ready)} s", f"≤ {READY_SECONDS} s",
                    ready.median <= READY_SECONDS)
    if journal.paid[1]:
        codes = ", ".join(sorted({code for code, _ in oldest}))
        took = max(seconds for _, seconds in oldest)
        yield GrowthRow(f"prepay of a bill paid five years ago, first call after the start, {bills:,} bills",
                        f"{codes} in {took * 1e3:.0f} ms at most", "E403", codes == "E403")
    if bills <= VERIFIED_AT_MOST:
        command, env = gateway.command("ledger", "verify")
        is_sound = subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=False).returncode == 0
        yield GrowthRow(f"`gateway ledger verify`, {bills:,} bills", "sound" if is_sound else "faulty", "sound", is_sound)
    found.append(Found(bills, memory, ready))


class _Mix:
    """Hot prepays, cold prepays of paid and unpaid bills, cold notices and a few pay-results, biller after biller."""

    def __init__(self, environment, gateway, journal, seconds):
        self._environment, self._gateway, self._journal, self._seconds = environment, gateway, journal, seconds
        self._turn = 0

    def run(self):
        """Runs for a slice and returns the memory behind it."""
        codes = self._journal.codes()
        self._turn += 1
        turned = [codes[(self._turn + offset) % len(codes)] for offset in range(3)]
        first, count = self._journal.unpaid
        loads = [
            (call("prepay", codes[0], (first, min(HOT, count))), 8),
            (call("prepay", turned[0], (first, count)), 16),
            (call("notice", turned[1], (first, count)), 16),
            (replace(CALLS["pay_result"], path=f"/kakao/pay-result/{turned[2]}"), 2),
        ]
        if self._journal.paid[1]:
            loads.append((call("prepay", turned[2], self._journal.paid), 16))
        running = [
            wrk.start(self._environment, one, self._gateway.url(), connections, self._seconds)
            for one, connections in loads
        ]
        results = [wrk.finish(one) for one in running]
        if not all(result.is_as_expected(0) for result in results):
            raise RuntimeError(f"faulty answers: {results}")
        return usage.anonymous_bytes(self._gateway.child.pid)

    def run_until_still(self):
        """Runs until the memory does not grow any more, and returns the most that was seen."""
        seen = []
        while len(seen) < MIXES:
            seen.append(self.run())
            if len(seen) > STILL and max(seen) < 1.01 * max(seen[:-STILL]):
                break
        return max(seen)


def _oldest_payment(gateway, journal):
    """Returns the code of a prepay of the bill that was paid first, and how long it took."""
    body = call("prepay", "", ()).body.read_text().replace("@NUMBER@", str(journal.paid[0]))
    url = f"{gateway.url()}/kakao/prepay/{journal.codes()[0]}"
    headers = {"Content-Type": "application/json;charset=utf-8"}
    began = time.monotonic()
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=10) as answer:
        return json.load(answer)["res_code"], time.monotonic() - began


def _over_sizes(found):
    sizes = " / ".join(f"{one.bills:,}" for one in found)
    memory = [one.memory_bytes for one in found]
    yield ratio_at_most(f"RssAnon, largest over smallest of {sizes} bills", _same(memory), SAME)
    ready = [one.ready_seconds.median for one in found]
    yield unbounded(f"`kill -9` → ready, longest over shortest of {sizes} bills", markdown.spread(_same(ready)))
    smaller, larger = found[-2:]
    slope = (larger.memory_bytes - smaller.memory_bytes) / (larger.bills - smaller.bills)
    mib = (larger.memory_bytes + slope * (100_000_000 - larger.bills)) / 2**20
    yield GrowthRow("RssAnon at 100,000,000 bills, by the slope of the last two sizes", f"{mib:,.0f} MiB",
                    f"≤ {MEMORY_MIB} MiB", mib <= MEMORY_MIB)


def _same(values):
    return rounds.Spread.of([max(values) / min(values)])


def _disk(environment, bills):
    folder = environment.folder / "all-paid"
    LargeJournal(bills, 100).write(folder)
    each = disk_bytes(folder) / bills
    shutil.rmtree(folder)
    what = f"disk per linked, paid and accepted bill (308 B, answer 60 B), {bills:,} bills"
    return GrowthRow(what, f"{each:,.0f} B", f"≤ {DISK_BYTES} B", each <= DISK_BYTES)
