"""Markdown tables and their figures."""


def table(heads, rows):
    """Returns a Markdown table; its first column is text, the others are figures."""
    lines = [_row(heads), _row(["---", *["---:"] * (len(heads) - 1)])]
    return "\n".join(lines + [_row(row) for row in rows])


def _row(cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def spread(value, scale=1.0, digits=2):
    """Returns a median with its range."""
    return (
        f"{value.median * scale:.{digits}f} "
        f"({value.low * scale:.{digits}f}–{value.high * scale:.{digits}f})"
    )
