"""What the traffic saw: one line of JSON per call."""

import json
import math


class Calls:
    """All calls of a run."""

    def __init__(self, file):
        with file.open(encoding="utf-8") as lines:
            self.all = [json.loads(line) for line in lines]

    def of(self, **members):
        """Those with these members."""
        return [call for call in self.all if all(call.get(key) == want for key, want in members.items())]


def event(call):
    """The payment event that a pay-result tells."""
    return (call["biller"], call["pay_id"], call["pay_type"])


def latency(call):
    """Seconds from when the call was due."""
    return call["sent_late"] + call["took"]


def quantile(values, share):
    """The smallest value that is not below this share of all; 0 where there is none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
