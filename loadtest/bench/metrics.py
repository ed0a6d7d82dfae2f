"""A parsed page of Prometheus metrics."""

import re

_LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([a-zA-Z_]+)="((?:[^"\\]|\\.)*)"')


class Page:
    """Samples by name and labels."""

    def __init__(self, text):
        self._samples = []
        for line in text.splitlines():
            if found := _LINE.match(line):
                labels = dict(_LABEL.findall(found[2] or ""))
                self._samples.append((found[1], labels, float(found[3])))

    def has(self, name):
        return any(sample[0] == name for sample in self._samples)

    def total(self, name, **labels):
        """Returns the sum of all series with this name and these labels."""
        return sum(value for _, value in self._find(name, labels))

    def quantile(self, name, share, since=None, **labels):
        """Returns the upper edge of the bucket that holds a quantile, in seconds; `None` without observations."""
        buckets = self._buckets(name, labels)
        if since is not None:
            before = since._buckets(name, labels)
            buckets = {edge: count - before.get(edge, 0) for edge, count in buckets.items()}
        total = buckets.get(float("inf"), 0)
        if not total:
            return None
        return min(edge for edge, count in buckets.items() if count >= share * total)

    def _buckets(self, name, labels):
        buckets = {}
        for found, value in self._find(f"{name}_bucket", labels):
            edge = float(found["le"])
            buckets[edge] = buckets.get(edge, 0) + value
        return buckets

    def _find(self, name, labels):
        for sample, found, value in self._samples:
            if sample == name and all(found.get(key) == want for key, want in labels.items()):
                yield found, value
