"""A probe: the latency of legitimate notices at a constant rate, from when each was due."""

from bench import oha
from bench.call import CALLS
from bench.objective import Objective


def measure(environment, gateway, rate, seconds):
    """Returns the latencies and the number of faulty answers of one slice."""
    return oha.finish(oha.start(environment, CALLS["notice"], gateway.url(), rate, seconds, connections=16))


def describe(slice_):
    """Returns a slice's figures as text."""
    p50, p99 = slice_.p50_seconds * 1e3, slice_.p99_seconds * 1e3
    return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, {slice_.faulty} faulty"


def none_faulty(name, *slices):
    """Returns an objective that is met if every call was answered with 2xx."""
    faulty = sum(one.faulty for one in slices)
    return Objective(name, faulty == 0, f"{faulty} faulty calls")
