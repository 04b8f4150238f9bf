# SPDX-License-Identifier: MIT
"""Charts as SVG, readable on light and on dark grounds, without anything but text and rectangles."""

import math
from xml.sax.saxutils import escape

WIDTH = 860
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 16px; font-weight: 600 }
  .row { font-weight: 600 }
  .quiet { fill: #57606a; font-size: 12px }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .spread { stroke: #24292f; stroke-width: 1.5 }
  .ours { fill: #0969da; stroke: #0969da }
  .limit { fill: #afb8c1; stroke: #afb8c1 }
  .c0 { fill: #bf8700; stroke: #bf8700 }
  .c1 { fill: #8250df; stroke: #8250df }
  .c2 { fill: #1a7f37; stroke: #1a7f37 }
  .c3 { fill: #bc4c00; stroke: #bc4c00 }
  .c4 { fill: #bf3989; stroke: #bf3989 }
  .line { fill: none; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .grid { stroke: #3d444d }
    .spread { stroke: #e6edf3 }
    .ours { fill: #4493f8; stroke: #4493f8 }
    .limit { fill: #656c76; stroke: #656c76 }
    .c0 { fill: #d29922; stroke: #d29922 }
    .c1 { fill: #ab7df8; stroke: #ab7df8 }
    .c2 { fill: #3fb950; stroke: #3fb950 }
    .c3 { fill: #db6d28; stroke: #db6d28 }
    .c4 { fill: #db61a2; stroke: #db61a2 }
  }
"""
COLOURS = {"lightning": "ours", "limit": "limit", "lmdb": "c0", "rocksdb": "c1", "leveldb": "c2",
           "sqlite": "c3", "wiredtiger": "c4", "c": "ours", "python": "c1", "gjs": "c2"}


def colour(name):
    return COLOURS.get(name, "c4")


class Drawing:
    """SVG elements, gathered."""

    def __init__(self):
        self.parts = []

    def text(self, x, y, text, kind="", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
                          f"{escape(text)}</text>")

    def bar(self, x, y, width, height, kind, title):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" '
                          f'height="{height}" rx="2" class="{kind}"><title>{escape(title)}</title>'
                          "</rect>")

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'class="{kind}"/>')

    def path(self, points, kind):
        steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{steps}" class="{kind} line" style="fill:none"/>')
        for x, y in points:
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{kind}"/>')

    def finish(self, height, title):
        body = "\n".join(self.parts)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
                f'width="{WIDTH}" height="{height:.0f}" role="img">\n'
                f"<!-- SPDX-License-Identifier: MIT -->\n"
                f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n{body}\n</svg>\n")


def bars(title, rows):
    """rows: [(heading, remark, [(name, median, least, greatest, text)])]; each row has a scale of
    its own."""
    drawing = Drawing()
    drawing.text(0, 20, title, "title")
    y, left, most = 34, 96, WIDTH - 96 - 190
    for heading, remark, figures in rows:
        y += 18
        drawing.text(0, y, heading, "row")
        if remark:
            drawing.text(WIDTH, y, remark, "quiet", "end")
        y += 8
        top = max((greatest for _, _, _, greatest, _ in figures), default=1) or 1
        for name, median, least, greatest, text in figures:
            drawing.text(left - 8, y + 12, name, "quiet", "end")
            drawing.bar(left, y, median / top * most, 14, colour(name), f"{name}: {text}")
            if greatest > least:
                drawing.line(left + least / top * most, y + 7, left + greatest / top * most, y + 7,
                             "spread")
            drawing.text(left + max(median, greatest) / top * most + 8, y + 12, text, "quiet")
            y += 18
        y += 8
    return drawing.finish(y + 8, title)


def _ticks(least, greatest):
    """Powers of ten around the values, at least two."""
    low = math.floor(math.log10(least))
    high = math.ceil(math.log10(greatest))
    return [10.0 ** power for power in range(low, max(high, low + 1) + 1)]


def lines(title, unit, series, form):
    """series: {name: [(x, y)]}, both axes logarithmic; `form` writes a y value."""
    drawing = Drawing()
    drawing.text(0, 20, title, "title")
    drawing.text(WIDTH, 20, unit, "quiet", "end")
    left, right, top, bottom = 70, WIDTH - 150, 44, 330
    points = [point for its in series.values() for point in its if point[1] > 0]
    if not points:
        return drawing.finish(60, title)
    x_ticks = sorted({x for x, _ in points})
    y_ticks = _ticks(min(y for _, y in points), max(y for _, y in points))
    x_span = math.log10(x_ticks[-1] / x_ticks[0]) or 1
    y_span = math.log10(y_ticks[-1] / y_ticks[0])

    def place(x, y):
        return (left + math.log10(x / x_ticks[0]) / x_span * (right - left),
                bottom - math.log10(y / y_ticks[0]) / y_span * (bottom - top))

    for tick in y_ticks:
        _, y = place(x_ticks[0], tick)
        drawing.line(left, y, right, y, "grid")
        drawing.text(left - 8, y + 4, form(tick), "quiet", "end")
    for tick in x_ticks:
        x, _ = place(tick, y_ticks[0])
        drawing.text(x, bottom + 18, f"{tick:,}", "quiet", "middle")
    labels = []
    for name, its in series.items():
        its = sorted(point for point in its if point[1] > 0)
        if its:
            drawing.path([place(*point) for point in its], colour(name))
            labels.append([place(*its[-1])[1] + 4, f"{name} {form(its[-1][1])}"])
    labels.sort()
    for at in range(1, len(labels)):
        labels[at][0] = max(labels[at][0], labels[at - 1][0] + 15)
    for y, text in labels:
        drawing.text(right + 10, y, text, "quiet")
    return drawing.finish(max(bottom + 32, labels[-1][0] + 12), title)
