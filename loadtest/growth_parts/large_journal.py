"""Journals of many bills, as `generate_journal` of the ledger writes them."""

import shutil
import subprocess
from dataclasses import dataclass, replace

from bench import tools
from bench.call import CALLS

# As the generator has them.
UNPAID_FROM, PAID_FROM = 5_000_000_000, 6_000_000_000

# Of the journals that have several.
BILLERS = 10

# The oldest bill is five years old. Nothing is forgotten while it is measured.
DAYS = 1_826
KEEP = 'retention = "2000d"\nretention_paid = "2000d"\nkeep_bodies = "2000d"\n'


@dataclass(frozen=True)
class LargeJournal:
    """So many linked bills of so many billers; a share of them is paid, and the payments are accepted."""

    bills: int
    paid_percent: int = 0
    billers: int = 1

    @property
    def unpaid(self):
        """The user keys of a biller's unpaid bills: the first one, and how many."""
        return UNPAID_FROM, (self.bills - self._paid) // self.billers

    @property
    def paid(self):
        """The user keys of a biller's paid bills; the first is that of the oldest payment."""
        return PAID_FROM, self._paid // self.billers

    @property
    def _paid(self):
        return self.bills * self.paid_percent // 100

    def codes(self):
        return [f"B{number:04}" for number in range(1, self.billers + 1)]

    def write(self, folder, store=None):
        """Writes it into the folder of a ledger, which must not be there; with a store, a copy of the one there."""
        if store is None:
            self._generate(folder)
            return
        stored = store / f"{self.bills}-{self.paid_percent}-{self.billers}"
        if not stored.exists():
            self._generate(stored)
        shutil.copytree(stored, folder)

    def _generate(self, folder):
        numbers = map(str, (self.bills, self.paid_percent, self.billers, DAYS))
        subprocess.run([tools.ledger_example("generate_journal"), folder, *numbers], check=True, stdout=subprocess.DEVNULL)


def disk_bytes(folder):
    """Returns the size of all files of a ledger."""
    return sum(file.stat().st_size for file in folder.iterdir())


def call(api, code, numbers):
    """Returns the call of an API on the bills of a biller with these user keys."""
    path = CALLS[api].path.rpartition("/")[0] + f"/{code}"
    return replace(CALLS[api], path=path, file=f"numbered_{api}", script="numbered.lua", numbers=numbers)
