"""What a second verifier found in the course of training: its disagreement by step, and the alarm."""

from __future__ import annotations

from collections.abc import Iterator

from assay.core.stats import wilson
from assay.reports.charts import Line, line_chart
from assay.reports.load import RunData
from assay.reports.sections import Chart

CHECKS = 40
"""Checks that one point of the curve pools: a rate of fewer says nothing."""


def alarm(run: RunData) -> str:
    """Return a sentence about the alarm of the monitor, empty when there was none."""
    rows = [row for row in run.metrics.get("train", []) if row.get("monitor/alarm")]
    if not rows:
        return ""
    step = int(rows[0]["step"])
    refuted, checked = _totals(run, since=step)
    low, high = wilson(refuted, checked)
    return (
        f"The monitor's alarm went on at step {step}: the second verifier rejects more of the rewarded episodes than "
        f"it used to, {refuted:.0f} of {checked:.0f} since then ({low:.0%} to {high:.0%})."
    )


def disagreement(run: RunData) -> Iterator[Chart]:
    """Yield the share of the rewarded episodes that the second verifier rejects, with Wilson intervals."""
    points = list(_pooled(run))
    if points:
        x, rates, low, high = (list(column) for column in zip(*points, strict=True))
        line = Line("refuted", x, rates, low, high)
        caption = f"share of rewarded episodes, in stretches of {CHECKS} checks or more, 95 % intervals"
        yield Chart("Rejected by the second verifier", caption, line_chart([line], y_range=(0.0, max(0.1, *high))))


def _pooled(run: RunData) -> Iterator[tuple[float, float, float, float]]:
    refuted = checked = 0.0
    rows = list(_checks(run))
    for step, wrong, n in rows:
        refuted, checked = refuted + wrong, checked + n
        if checked >= CHECKS or step == rows[-1][0]:
            yield step, refuted / checked, *wilson(refuted, checked)
            refuted = checked = 0.0


def _totals(run: RunData, since: int) -> tuple[float, float]:
    rows = [row for row in _checks(run) if row[0] >= since]
    return sum(wrong for _, wrong, _ in rows), sum(n for *_, n in rows)


def _checks(run: RunData) -> Iterator[tuple[float, float, float]]:
    """Yield step, refuted and checked episodes of each step with a check of a rewarded one."""
    for row in run.metrics.get("train", []):
        if n := row.get("monitor/accepted"):
            yield float(row["step"]), round(n * row["monitor/refuted"]), float(n)
