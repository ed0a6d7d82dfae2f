"""The environment of a run: its folder, its certificates, and the cores of relay and load."""

import os
import pathlib
import resource
import shutil
import sys
from dataclasses import dataclass

from bench import certificates


@dataclass(frozen=True)
class Environment:
    """`relay_cores` and `load_cores` are lists for `taskset -c`."""

    folder: pathlib.Path
    tls: pathlib.Path
    relay_cores: str
    load_cores: str


def prepare_environment(folder):
    """Empties the folder, creates certificates, and raises the limit of open files; exits on a single core."""
    folder = pathlib.Path(folder).resolve()
    # The gateway would fold an earlier run's journal into its state.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("two cores are needed: one for the relay, one for load and upstream")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    tls = certificates.make(folder / "tls")
    return Environment(folder, tls, str(cores[0]), str(cores[1]))
