"""Bars and lines as SVG, with nothing but text: the pictures of docs/PERFORMANCE.md."""

import math
from html import escape

COLOURS = {
    "bare": "#9aa0a6",
    "plain": "#9aa0a6",
    "tracing::instrument(err)": "#b07aa1",
    "by hand": "#4e79a7",
    "by hand, moka": "#76b7b2",
    "by hand, moka get_with": "#76b7b2",
    "the limit": "#59a14f",
    "graceful": "#e15759",
}
WIDTH = 860
FONT = 'font-family="Helvetica, Arial, sans-serif"'


def _text(x, y, text, size=12, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="#222">{escape(text)}</text>'


def _legend(names, y):
    x = 20
    for name in names:
        yield f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{COLOURS[name]}"/>'
        yield _text(x + 17, y, name)
        x += 40 + 6.5 * len(name)


def _svg(height, title, parts):
    # A background of its own, since the page may be dark.
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {FONT}>'
    background = f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    return "\n".join([head, background, _text(20, 26, title, 16), *parts, "</svg>"]) + "\n"


def bars(title, groups):
    """`groups`: a label, and a value per name, for each group of bars."""
    left, right, bar = 230, 60, 15
    largest = max(value for _, values in groups for value in values.values())
    names = list(dict.fromkeys(name for _, values in groups for name in values))
    parts, y = list(_legend(names, 50)), 70
    for label, values in groups:
        parts.append(_text(left - 10, y + bar * len(values) / 2 + 4, label, anchor="end"))
        for name, value in values.items():
            width = (WIDTH - left - right) * value / largest
            parts.append(f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{bar - 2}" fill="{COLOURS[name]}"/>')
            parts.append(_text(left + width + 5, y + bar - 4, f"{value:,.0f}", 11))
            y += bar
        y += 10
    return _svg(y + 5, title, parts)


def lines(title, across, series):
    """`series`: a list of points per name."""
    left, top, width, height = 60, 80, WIDTH - 100, 300
    furthest = max(x for points in series.values() for x, _ in points)
    highest = max(y for points in series.values() for _, y in points)
    power = 10 ** math.floor(math.log10(highest / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * 5 >= highest)
    highest = step * math.ceil(highest / step)

    def at(point):
        return left + width * point[0] / furthest, top + height * (1 - point[1] / highest)

    parts = list(_legend(series, 50))
    for part in range(round(highest / step) + 1):
        y = top + height * (1 - part * step / highest)
        parts.append(f'<line x1="{left}" y1="{y}" x2="{left + width}" y2="{y}" stroke="#ddd"/>')
        parts.append(_text(left - 8, y + 4, f"{part * step:g}", 11, "end"))
    for name, points in series.items():
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, points))
        parts.append(f'<polyline points="{corners}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[name]}"/>' for x, y in map(at, points)]
    for x in dict.fromkeys(x for points in series.values() for x, _ in points):
        parts.append(_text(at((x, 0))[0], top + height + 18, f"{x:,}", 11, "middle"))
    parts.append(_text(left + width / 2, top + height + 36, across, 12, "middle"))
    return _svg(top + height + 50, title, parts)
