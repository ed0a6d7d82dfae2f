"""Configurations with names in them: `@NAME@` becomes its value."""

import re


def fill(source, target, **values):
    """Writes `source` to `target` with every name replaced; an unknown name is a mistake."""
    text = source.read_text()
    filled = re.sub(r"@([A-Z0-9_]+)@", lambda name: str(values[name[1]]), text)
    target.write_text(filled)
    return target
