"""Hours of ordinary traffic: what grows besides the ledger?"""

import time

from lab import usage
from lab.objective import Objective, at_most
from lab.scenario import Scenario

# What a bill of this scenario may keep in memory: docs/sizing.md has some 700 bytes.
BYTES_PER_BILL = 2_000
# Queues, pools and caches that fill up once.
BYTES_ONCE = 24 << 20


def meanwhile(stage):
    """Memory and descriptors, looked at twenty times."""
    looks = []
    for _ in range(20):
        time.sleep(stage.seconds / 20)
        pids = usage.tree(stage.gateway.child.pid)
        looks.append((usage.memory_bytes(pids), usage.open_files(pids)))
    return looks


def objectives(evidence):
    """From a quarter of the time on nothing grows but the ledger."""
    looks = evidence.meanwhile
    (memory, files), (memory_last, files_last) = looks[len(looks) // 4], looks[-1]
    bills = len({call["key"] for call in evidence.calls.all})
    bound = BYTES_ONCE + BYTES_PER_BILL * bills
    yield at_most("growth of memory", (memory_last - memory) / 2**20, bound / 2**20, "MiB")
    yield Objective("descriptors", files_last <= files + 100, f"{files}, then {files_last}")


SCENARIO = Scenario(
    "soak", "bill-life for an hour", seconds=3600, rate=120, meanwhile=meanwhile, objectives=objectives
)
