"""What callers who mean well see: notices at a constant rate, from when each was due."""

from lab import oha
from lab.call import CALLS
from lab.objective import Objective


def measure(lab, gateway, rate, seconds):
    """Median, p99 and faults of a slice."""
    return oha.finish(oha.start(lab, CALLS["notice"], gateway.url(), rate, seconds, connections=16))


def told(slice_):
    """A slice in words."""
    p50, p99 = slice_.p50_seconds * 1e3, slice_.p99_seconds * 1e3
    return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, {slice_.faulty} faulty"


def none_faulty(name, *slices):
    """Met when every call of the slices was answered with 2xx."""
    faulty = sum(one.faulty for one in slices)
    return Objective(name, faulty == 0, f"{faulty} faulty calls")
