"""The TCP sockets of a process, from /proc."""

import os
import pathlib

_CLOSE_WAIT = "08"


def close_wait(pid):
    """Returns how many sockets of a process the other side has closed and the process has not."""
    inodes = set()
    for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(descriptor)
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[len("socket:["):-1])
    lines = pathlib.Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    rows = (line.split() for line in lines)
    return sum(row[3] == _CLOSE_WAIT and row[9] in inodes for row in rows)
