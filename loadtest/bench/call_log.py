"""The callers' log: one line of JSON per call."""

import json
import math


class CallLog:
    """All calls of a run."""

    def __init__(self, file):
        with file.open(encoding="utf-8") as lines:
            self.all = [json.loads(line) for line in lines]

    def of(self, **members):
        """Returns the calls with these members."""
        return [call for call in self.all if all(call.get(key) == want for key, want in members.items())]


def event(call):
    """Returns the payment event of a pay-result."""
    return (call["biller"], call["pay_id"], call["pay_type"])


def latency(call):
    """Returns a call's latency in seconds, from when it was due."""
    return call["sent_late"] + call["took"]


def quantile(values, share):
    """Returns the smallest value that is at least as large as this share of the values; 0 without values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
