"""A bar chart of the costs, in SVG."""

_COLOURS = {
    "nginx": "#8a8f98", "haproxy": "#b5bac2", "nginx-lua": "#d9822b",
    "gateway": "#2f6fdf", "gateway-redis": "#1f4a99",
}
_BAR, _GAP, _LEFT, _SCALE_WIDTH, _RIGHT = 18, 6, 130, 470, 150


def write(file, comparisons):
    """Writes one group of bars per comparison: the median, a line for the range, and the ratio to nginx."""
    longest = max(
        comparison.spread(relay, "cpu_seconds_per_call").high
        for comparison in comparisons
        for relay in comparison.slices
    )
    parts, y = [], 34
    for comparison in comparisons:
        parts.append(_text(10, y, comparison.title.replace("`", ""), "title"))
        y += 12
        for relay in comparison.slices:
            parts += _bar(comparison, relay, y, _SCALE_WIDTH / longest)
            y += _BAR + _GAP
        y += 26
    width = _LEFT + _SCALE_WIDTH + _RIGHT
    style = "text{font:12px sans-serif;fill:#222}.title{font-weight:bold}.head{font-size:13px}"
    head = _text(
        10, 16, "CPU time per relayed call, µs: median and range over the rounds; × is over nginx", "head"
    )
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" '
        f'viewBox="0 0 {width} {y}"><style>{style}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{head}{"".join(parts)}</svg>\n'
    )


def _bar(comparison, relay, y, scale):
    cost, ratio = comparison.spread(relay, "cpu_seconds_per_call"), comparison.ratio(relay, "nginx")
    middle = y + _BAR / 2
    return [
        _text(10, middle + 4, relay),
        f'<rect x="{_LEFT}" y="{y}" width="{cost.median * scale:.1f}" height="{_BAR}" '
        f'fill="{_COLOURS[relay]}"/>',
        f'<line x1="{_LEFT + cost.low * scale:.1f}" x2="{_LEFT + cost.high * scale:.1f}" '
        f'y1="{middle}" y2="{middle}" stroke="#111" stroke-width="1.5"/>',
        _text(_LEFT + cost.high * scale + 8, middle + 4, f"{cost.median * 1e6:.1f}  ×{ratio.median:.2f}"),
    ]


def _text(x, y, text, kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{text}</text>'
