"""Configuration templates in which `@NAME@` stands for a value."""

import re


def fill(source, target, **values):
    """Writes `source` to `target` with every name replaced; fails on an unknown name."""
    text = source.read_text()
    filled = re.sub(r"@([A-Z0-9_]+)@", lambda name: str(values[name[1]]), text)
    target.write_text(filled)
    return target
