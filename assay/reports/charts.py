"""Charts as inline SVG: curves with bands, and intervals before and after.

Written by hand rather than by a plotting library: a chart is a few kilobytes, its colours are the page's own variables
(so that it is legible in light and dark), and a report needs nothing installed.

Invariant: a chart's size does not grow with the length of the run; longer curves are averaged in buckets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from assay.evals.summary import Estimate

WIDTH, HEIGHT = 520, 210
LEFT, RIGHT, TOP, BOTTOM = 50, 12, 10, 24
COLORS = 6
"""How many colours the page's style sheet names, as `.c0` and so on."""
MOST_POINTS = 300
SMOOTH_FROM = 40
"""Noisy curves of so many points are drawn faintly, with their moving average over them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One curve, with an optional band (`low`, `high`) of the same length."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def line_chart(lines: Sequence[Line], *, y_range: tuple[float, float] | None = None) -> Markup:
    """Return curves over steps. The n-th line has the class `c<n>`."""
    thin = [_thin(line) for line in lines]
    xs = [x for line in thin for x in line.x]
    ys = [y for line in thin for y in (*line.y, *(line.low or ()), *(line.high or ()))]
    x_ticks = ticks(min(xs), max(xs), whole=True)
    y_ticks = ticks(*(y_range or (min(ys), max(ys))))
    frame = _Frame(min(xs), max(xs), min(y_ticks[0], min(ys)), max(y_ticks[-1], max(ys)))
    parts = [*_grid(frame, x_ticks, y_ticks)]
    for number, line in enumerate(thin):
        parts += _draw(frame, line, number % COLORS)
    return Markup(f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">' + "".join(map(str, parts)) + "</svg>")


def interval_chart(before: Estimate | None, after: Estimate) -> Markup:
    """Return shares between 0 and 1 as dots with their intervals, one row each."""
    rows = [(estimate, css) for estimate, css in ((before, "was"), (after, "is")) if estimate is not None]
    height = 6 + 13 * len(rows)
    parts = [f'<line class="axis" x1="5" x2="215" y1="{height - 2}" y2="{height - 2}"/>']
    parts += [f'<line class="axis" x1="{x}" x2="{x}" y1="{height - 5}" y2="{height}"/>' for x in (5, 110, 215)]
    for row, (estimate, css) in enumerate(rows):
        if estimate.value is None:
            continue
        y, at = 6 + 12 * row, 5 + 210 * estimate.value
        if estimate.low is not None and estimate.high is not None:
            low, high = 5 + 210 * estimate.low, 5 + 210 * estimate.high
            parts.append(f'<line class="span {css}" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>')
        parts.append(f'<circle class="{css}" cx="{at:.1f}" cy="{y}" r="4"/>')
    return Markup(f'<svg class="interval" viewBox="0 0 220 {height}" role="img">' + "".join(parts) + "</svg>")


def ticks(low: float, high: float, *, most: int = 5, whole: bool = False) -> list[float]:
    """Return at most `most + 1` round numbers (1, 2 or 5 times a power of ten apart) that span `[low, high]`."""
    if high - low < 1e-12 * max(abs(high), 1.0):
        pad = abs(high) / 2 or 0.5
        low, high = low - pad, high + pad
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(m * power for m in (1, 2, 5, 10, 20) if (high - low) / (m * power) <= most)
    if whole:
        step = max(1.0, step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class _Frame:
    """The data's rectangle, and where it lies on the page."""

    left: float
    right: float
    bottom: float
    top: float

    def x(self, value: float) -> float:
        span = self.right - self.left
        share = (value - self.left) / span if span else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.bottom) / (self.top - self.bottom)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _grid(frame: _Frame, x_ticks: Sequence[float], y_ticks: Sequence[float]) -> Iterator[str]:
    for value in y_ticks:
        y = frame.y(value)
        yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{_number(value)}</text>'
    for value in x_ticks:
        if frame.left <= value <= frame.right:
            yield f'<text x="{frame.x(value):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{_number(value)}</text>'


def _draw(frame: _Frame, line: Line, color: int) -> Iterator[str]:
    points = list(zip(line.x, line.y, strict=True))
    if line.low is not None and line.high is not None:
        edge = [*zip(line.x, line.high, strict=True), *reversed(list(zip(line.x, line.low, strict=True)))]
        yield f'<polygon class="band c{color}" points="{_path(frame, edge)}"/>'
    noisy = _noisy(line.y)
    yield f'<polyline class="{"faint " if noisy else ""}c{color}" points="{_path(frame, points)}"/>'
    if noisy:
        smooth = zip(line.x, moving_average(line.y, max(3, len(points) // 15)), strict=True)
        yield f'<polyline class="c{color}" points="{_path(frame, list(smooth))}"/>'
    if len(points) >= SMOOTH_FROM:
        return
    for number, (x, y) in enumerate(points):
        band = ""
        if line.low is not None and line.high is not None:
            band = f" [{line.low[number]:.3f}, {line.high[number]:.3f}]"
        title = escape(f"{line.label}, step {x:g}: {y:.4g}{band}")
        at = f'cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}"'
        yield f'<circle class="c{color}" {at} r="3"><title>{title}</title></circle>'


def _noisy(values: Sequence[float]) -> bool:
    """Whether a curve goes up and down much more than from one end to the other."""
    travelled = sum(abs(y - x) for x, y in pairwise(values))
    return len(values) >= SMOOTH_FROM and travelled > 3 * (max(values) - min(values))


def moving_average(values: Sequence[float], window: int) -> list[float]:
    """Return the mean of the last `window` values at each point, of those there are at the beginning."""
    return [sum(part) / len(part) for end in range(1, len(values) + 1) if (part := values[max(0, end - window) : end])]


def _thin(line: Line) -> Line:
    """Average neighbours until the line has at most `MOST_POINTS` points."""
    size = math.ceil(len(line.x) / MOST_POINTS)
    if size <= 1:
        return line

    def mean(values: Sequence[float]) -> list[float]:
        return [sum(part) / len(part) for at in range(0, len(values), size) if (part := values[at : at + size])]

    bands = (None if band is None else mean(band) for band in (line.low, line.high))
    return Line(line.label, mean(line.x), mean(line.y), *bands)


def _path(frame: _Frame, points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in points)


def _number(value: float) -> str:
    """Return a tick's label; multiples of a step leave no rounding error behind."""
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.2g}".replace("e-0", "e-").replace("e+0", "e")
    return f"{round(value, 6):g}"
