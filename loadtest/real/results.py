"""The results of a run: one row per case, as text and as a Markdown report."""

import threading
from dataclasses import dataclass

from bench import markdown


@dataclass(frozen=True)
class Row:
    """One case. `is_met` is `None` for a figure of which nothing is expected, and for a case that was left out."""

    subject: str
    case: str
    expected: str
    seen: str
    is_met: bool | None


class Results:
    """The rows of a run; they are printed as they come."""

    def __init__(self):
        self.rows = []
        self._lock = threading.Lock()

    def add(self, subject, case, expected, seen, is_met=None):
        """Adds a case that is met if `is_met`, and prints it."""
        self._put(Row(subject, case, str(expected), str(seen), is_met))

    def compare(self, subject, case, expected, seen):
        """Adds a case that is met if `seen` is `expected`."""
        self.add(subject, case, expected, seen, expected == seen)

    def note(self, subject, case, seen):
        """Adds a figure of which nothing is expected."""
        self.add(subject, case, "", seen)

    def _put(self, row):
        with self._lock:
            self.rows.append(row)
            mark = "DIFFERS" if row.is_met is False else ""
            print(" | ".join([row.subject, row.case, row.expected, row.seen]), mark, flush=True)

    @property
    def differences(self):
        return [row for row in self.rows if row.is_met is False]

    def markdown(self):
        """Returns the report's table, subject by subject."""
        subjects = list(dict.fromkeys(row.subject for row in self.rows))
        ordered = sorted(self.rows, key=lambda row: subjects.index(row.subject))
        cells = [[row.subject, row.case, row.expected, _bold(row)] for row in ordered]
        return markdown.table(["server", "case", "expected", "seen"], cells)


def _bold(row):
    return f"**{row.seen}**" if row.is_met is False else row.seen
