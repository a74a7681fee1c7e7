"""Line charts as inline SVG, drawn by matplotlib without a display."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from assay.core.errors import ConfigError

PALETTE = ("#2563eb", "#d97706", "#059669", "#9333ea", "#dc2626", "#0891b2", "#65a30d", "#db2777")


@dataclass(frozen=True, slots=True)
class Line:
    """One curve, with an optional band (`low`, `high`) of the same length."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def line_chart(
    title: str, lines: Sequence[Line], *, y_range: tuple[float, float] | None = None, x_label: str = "step"
) -> str:
    """Return one chart as an `<svg>` element with real text (small, selectable, follows the page's font)."""
    try:
        import matplotlib
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("reports need matplotlib: pip install 'assay-rl[reports]'") from None

    settings = {"svg.fonttype": "none", "font.family": "sans-serif", "svg.hashsalt": title}
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(5.4, 2.9), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        for number, line in enumerate(lines):
            color = PALETTE[number % len(PALETTE)]
            marker = "o" if len(line.x) <= 15 else None
            axes.plot(line.x, line.y, color=color, linewidth=1.6, marker=marker, markersize=3.5, label=line.label)
            if line.low is not None and line.high is not None:
                axes.fill_between(line.x, line.low, line.high, color=color, alpha=0.15, linewidth=0)
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xlabel(x_label, fontsize=8)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25, linewidth=0.6)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        if y_range is not None:
            axes.set_ylim(*y_range)
        if len(lines) > 1:
            axes.legend(fontsize=7.5, frameon=False)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]
