"""What every part of a run shares: a folder, certificates, and which core is whose."""

import os
import pathlib
import resource
import shutil
import sys
from dataclasses import dataclass

from lab import certificates


@dataclass(frozen=True)
class Lab:
    """One run."""

    folder: pathlib.Path
    tls: pathlib.Path
    relay_cores: str
    load_cores: str


def open_lab(folder):
    """Makes the folder anew and the certificates; the relay gets one core and everything else another."""
    folder = pathlib.Path(folder).resolve()
    # A journal that an earlier run left must not be folded into this one.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("two cores are needed: one for the relay, one for load and upstream")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    tls = certificates.make(folder / "tls")
    return Lab(folder, tls, str(cores[0]), str(cores[1]))
