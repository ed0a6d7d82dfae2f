"""Tables for people."""


def table(heads, rows):
    """A Markdown table; the first column is text, the others are figures."""
    lines = [_row(heads), _row(["---", *["---:"] * (len(heads) - 1)])]
    return "\n".join(lines + [_row(row) for row in rows])


def _row(cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def spread(value, scale=1.0, digits=2):
    """A median with its range."""
    return (
        f"{value.median * scale:.{digits}f} "
        f"({value.low * scale:.{digits}f}–{value.high * scale:.{digits}f})"
    )
