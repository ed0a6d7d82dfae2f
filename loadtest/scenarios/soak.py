"""Hours of ordinary traffic, in which only the ledger may grow."""

import time

from bench import usage
from bench.objective import Objective, at_most
from bench.scenario import Scenario

# Memory allowed per bill; docs/sizing.md measures some 700 bytes.
BYTES_PER_BILL = 2_000
# Memory allowed for queues, pools and caches, which fill up once.
BYTES_ONCE = 24 << 20


def meanwhile(run):
    """Samples memory and descriptors twenty times."""
    samples = []
    for _ in range(20):
        time.sleep(run.seconds / 20)
        pids = usage.tree(run.gateway.child.pid)
        samples.append((usage.memory_bytes(pids), usage.open_files(pids)))
    return samples


def objectives(audit):
    """Checks growth from a quarter of the run on."""
    samples = audit.meanwhile
    (memory, files), (memory_last, files_last) = samples[len(samples) // 4], samples[-1]
    bills = len({call["key"] for call in audit.calls.all})
    bound = BYTES_ONCE + BYTES_PER_BILL * bills
    yield at_most("growth of memory", (memory_last - memory) / 2**20, bound / 2**20, "MiB")
    yield Objective("descriptors", files_last <= files + 100, f"{files}, then {files_last}")


SCENARIO = Scenario(
    "soak", "bill-life for an hour", seconds=3600, rate=120, meanwhile=meanwhile, objectives=objectives
)
