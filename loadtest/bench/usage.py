"""Resource usage of processes, from /proc: CPU time, memory, sockets, files."""

import os
import pathlib

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = pathlib.Path("/proc")


def tree(pid):
    """Returns the ids of a process and all its descendants."""
    children = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (fields := _stat(folder.name)):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting.extend(children.get(one, []))
    return found


def cpu_seconds(pids):
    """Returns user and system time of all threads."""
    ticks = 0
    for pid in pids:
        if fields := _stat(pid):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def memory_bytes(pids):
    """Returns the proportional set size: resident memory, shared pages divided between their processes."""
    return 1024 * sum(_field(pid, "smaps_rollup", "Pss:") for pid in pids)


def anonymous_bytes(pid):
    """Returns the resident memory that is no page of a file (`RssAnon`)."""
    return 1024 * _field(pid, "status", "RssAnon:")


def open_files(pids):
    """Returns the number of open descriptors."""
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


def connections_to(pids, port):
    """Returns the number of established connections of these processes to a port."""
    inodes = set()
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        remote_port, state = int(fields[2].rpartition(":")[2], 16), fields[3]
        if state == "01" and remote_port == port:
            inodes.add(f"socket:[{fields[9]}]")
    return sum(_link(pid, name) in inodes for pid in pids for name in os.listdir(f"/proc/{pid}/fd"))


def _stat(pid):
    """Returns the fields of /proc/PID/stat from the third on; the second may contain blanks."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _field(pid, file, name):
    for line in (_PROC / str(pid) / file).read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0


def _link(pid, name):
    try:
        return os.readlink(f"/proc/{pid}/fd/{name}")
    except FileNotFoundError:
        return None
