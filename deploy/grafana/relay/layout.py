"""Checks of a dashboard's layout: no overlaps, no gaps, every panel with a description and a unit."""

WIDTH = 24


def faults(board: dict) -> list[str]:
    """Returns the faults of one dashboard."""
    wrong, taken, titles = [], {}, set()
    section = ""
    for panel in board["panels"]:
        title, at = panel["title"], panel["gridPos"]
        if at["x"] + at["w"] > WIDTH:
            wrong.append(f"{title}: wider than the dashboard")
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                if (other := taken.setdefault((x, y), title)) != title:
                    wrong.append(f"{title}: overlaps {other}")
        if panel["type"] == "row":
            section = title
            continue
        if (section, title, at["x"]) in titles:
            wrong.append(f"{title}: twice in one place")
        titles.add((section, title, at["x"]))
        references = [target["refId"] for target in panel["targets"]]
        if not panel.get("description") or not panel["fieldConfig"]["defaults"].get("unit"):
            wrong.append(f"{title}: without description or unit")
        if len(set(references)) != len(references):
            wrong.append(f"{title}: two queries with one reference")
    gaps = sorted(y for y in range(max(y for _, y in taken)) if any((x, y) not in taken for x in range(WIDTH)))
    return [f"{board['uid']}: {fault}" for fault in [*wrong, *(f"line {y} has a gap" for y in gaps)]]
