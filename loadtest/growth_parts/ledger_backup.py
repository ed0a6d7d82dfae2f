"""The latency of calls while a backup of a large journal runs."""

import itertools
import json
import shutil
import subprocess
import time

from bench import even_load, markdown, rounds
from bench.call import CALLS
from bench.gateway import BILLER, Gateway, Settings
from bench.growth_row import GrowthRow, unbounded
from bench.upstream import Upstream
from growth_parts.large_journal import BILLERS, KEEP, LargeJournal, call, disk_bytes

RATE = 500
AT_MOST = 1.5
# A slice must have some hundred calls for a p99 that is more than its slowest call.
LEAST_SECONDS = 4
# New pay-results, which are written, and calls on bills that lie anywhere in the journal, which are read.
PAID_FROM = 1_500_000_000


def rows(environment, options):
    """Slices with a backup under way and slices without one, in turn."""
    upstream = Upstream(environment)
    journal = LargeJournal(max(options.bills), options.paid, BILLERS)
    folder = environment.folder / "backed-up" / "ledger"
    folder.parent.mkdir()
    journal.write(folder, options.journals)
    billers = {code: upstream.url("plain") for code in journal.codes()}
    gateway = Gateway(environment, "backed-up", upstream.url("plain"), Settings(billers=billers, ledger=KEEP))
    seconds = max(options.seconds, LEAST_SECONDS)
    calls = _calls(journal)

    def measured():
        load = itertools.islice(calls, round(RATE * seconds))
        return even_load.finish(even_load.start(environment, gateway, RATE, load))

    backups = _Backups(environment, gateway, measured)
    measured()
    found = rounds.alternate(options.rounds, {"without": measured, "with": backups.measured})
    yield from _over(found, journal.bills)
    took = rounds.Spread.of(one["took_ms"] / 1e3 for one in backups.written)
    size = backups.written[-1]["bytes"] / 2**20
    yield unbounded(f"a backup of {journal.bills:,} bills, {size:,.0f} MiB", f"{markdown.spread(took, digits=1)} s")
    yield unbounded("the journal itself", f"{disk_bytes(folder) / 2**20:,.0f} MiB")
    if backups.ended_early:
        yield unbounded("slices that a backup did not last for", f"{backups.ended_early} of {options.rounds}")
    gateway.end()
    upstream.child.end()
    shutil.rmtree(gateway.folder)


def _calls(journal):
    """In ten calls: four prepays and four notices of any bill, two pay-results."""
    first, count = journal.unpaid
    apis = itertools.cycle(("prepay", "notice", "prepay", "notice", "pay_result"))
    named = {api: call(api, BILLER, ()) for api in ("prepay", "notice")}
    named["pay_result"] = CALLS["pay_result"]
    for step, api in enumerate(apis):
        number = PAID_FROM + step if api == "pay_result" else first + step * 7_919 % count
        yield api, named[api], number


class _Backups:
    """Backups, each begun before a slice and waited for behind it."""

    def __init__(self, environment, gateway, slice_of):
        self._file = environment.folder / "backup.sqlite3"
        self._gateway, self._slice_of = gateway, slice_of
        self.written, self.ended_early = [], 0

    def measured(self):
        command, env = self._gateway.command("ledger", "backup", "--to", str(self._file))
        backup = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        time.sleep(0.3)
        found = self._slice_of()
        self.ended_early += backup.poll() is not None
        text = backup.communicate()[0]
        if backup.returncode:
            raise RuntimeError(f"the backup failed: {text}")
        self.written.append(json.loads(text))
        self._file.unlink()
        return found


def _over(found, bills):
    """The median of the ratios decides; the p99 of all slices together is beside it."""
    labels = {"all calls": ("prepay", "notice", "pay_result"), "`prepay`": ("prepay",), "`pay_result`": ("pay_result",)}
    for what, names in labels.items():
        p99 = {name: [_joined(one, names).quantile(0.99) for one in slices] for name, slices in found.items()}
        ratio = rounds.ratio(p99["with"], p99["without"])
        figures = {name: rounds.Spread.of(values) for name, values in p99.items()}
        milliseconds = ", ".join(f"{name} {markdown.spread(value, 1e3, 1)} ms" for name, value in figures.items())
        is_decisive = what == "all calls"
        yield GrowthRow(
            f"p99 of {what} at {RATE} a second while {bills:,} bills are backed up, over without",
            markdown.spread(ratio), f"≤ {AT_MOST:g}" if is_decisive else "",
            ratio.median <= AT_MOST if is_decisive else None,
        )
        yield unbounded(f"the same in milliseconds, {what}", milliseconds)


def _joined(slice_, labels):
    latencies = [latency for label in labels for latency in slice_[label].latencies]
    return even_load.Answered(latencies, {})
