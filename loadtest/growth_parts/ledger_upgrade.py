"""The first start on a journal of version 2: how long it takes until calls are served, and whether all is there."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import time

from bench import tools
from bench.gateway import Gateway, Settings
from bench.growth_row import GrowthRow, unbounded
from bench.upstream import Upstream
from growth_parts.large_journal import KEEP, disk_bytes

SECONDS_PER_MILLION = 120
VERIFIED_AT_MOST = 1_000_000


def rows(environment, options):
    """Per size: the first start, one behind a start that was killed, and the first start of the build before."""
    upstream = Upstream(environment)
    for bills in options.bills:
        old = environment.folder / "journal-of-version-2"
        _write(old, bills)
        yield unbounded(f"journal of version 2 with {bills:,} bills", f"{disk_bytes(old) / bills:,.0f} B per bill")
        measured = _Upgrade(environment, upstream, old, bills)
        yield from measured.rows()
        behind = measured.seconds_behind_a_kill()
        yield unbounded(f"the start behind one that was killed while facts moved, {bills:,} bills", f"{behind:.1f} s")
        if options.before:
            before = measured.seconds_of(options.before)
            yield unbounded(f"the first start of the build before, {bills:,} bills", f"{before:.1f} s")
        shutil.rmtree(old)
    upstream.child.end()


def _write(folder, bills):
    """The generator writes it into a folder."""
    subprocess.run([tools.ledger_example("migration"), str(bills), folder], check=True, stdout=subprocess.DEVNULL)


class _Upgrade:
    """First starts of gateways, each on its own copy of one journal; they may use all cores."""

    def __init__(self, environment, upstream, old, bills):
        self._environment, self._upstream, self._old, self._bills = environment, upstream, old, bills
        self._cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))

    def rows(self):
        """The start of this build, and what it makes of the journal."""
        gateway = self._with_old_journal("upgraded", None)
        took = _seconds_to_serve(gateway)
        most = SECONDS_PER_MILLION * self._bills / 1e6
        what = f"first start on a journal of version 2, until calls are served, {self._bills:,} bills"
        yield GrowthRow(what, f"{took:.1f} s", f"≤ {most:g} s", took <= most)
        if self._bills <= VERIFIED_AT_MOST:
            is_sound = self._is_sound(gateway)
            found = "sound, all bills" if is_sound else "faulty"
            yield GrowthRow(f"`ledger verify` behind it, {self._bills:,} bills", found, "sound, all bills", is_sound)
        each = disk_bytes(gateway.folder / "ledger") / self._bills
        yield unbounded("disk behind it, free pages included", f"{each:,.0f} B per bill")
        _end(gateway)

    def seconds_of(self, binary):
        """Returns how long the first start of another build takes."""
        gateway = self._with_old_journal("before", binary)
        took = _seconds_to_serve(gateway)
        _end(gateway)
        return took

    def seconds_behind_a_kill(self):
        """Kills a start once it has moved facts; returns how long the next one takes."""
        gateway = self._with_old_journal("killed", None)
        gateway.spawn()
        gateway.child.await_(lambda: _has_moved_facts(gateway), "move facts", 900)
        gateway.child.kill()
        took = _seconds_to_serve(gateway)
        _end(gateway)
        return took

    def _with_old_journal(self, name, binary):
        settings = Settings(cores=self._cores, ledger=KEEP, binary=binary)
        gateway = Gateway(self._environment, name, self._upstream.url("plain"), settings)
        gateway.end()
        ledger = gateway.folder / "ledger"
        shutil.rmtree(ledger)
        shutil.copytree(self._old, ledger)
        return gateway

    def _is_sound(self, gateway):
        command, env = gateway.command("ledger", "verify")
        verified = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
        return verified.returncode == 0 and json.loads(verified.stdout)["journal"]["bills"] == self._bills


def _seconds_to_serve(gateway):
    began = time.monotonic()
    gateway.start()
    return time.monotonic() - began


def _has_moved_facts(gateway):
    """Whether the journal's own count of what has moved is above zero."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{gateway.journal}?mode=ro", uri=True)) as journal:
            return journal.execute("SELECT done FROM migration").fetchone()[0] > 0
    except sqlite3.Error:
        return False


def _end(gateway):
    gateway.end()
    shutil.rmtree(gateway.folder)
