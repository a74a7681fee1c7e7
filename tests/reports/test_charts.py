from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.evals.summary import Estimate
from assay.reports.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Line, interval_chart, line_chart, ticks

finite = st.floats(-1e9, 1e9, allow_nan=False)


@given(finite, finite)
def test_ticks_are_round_and_span_the_values(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    marks = ticks(low, high)
    assert 2 <= len(marks) <= 8
    steps = {round((y - x) / (marks[1] - marks[0]), 6) for x, y in pairwise(marks)}
    assert steps == {1.0}
    margin = 1e-6 * max(abs(low), abs(high), 1e-3)
    assert marks[0] <= low + margin
    assert marks[-1] >= high - margin


def test_ticks_of_shares_and_steps() -> None:
    assert ticks(0.0, 1.0) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(1, 3, whole=True) == [1, 2, 3]


def points(svg: str, tag: str) -> list[tuple[float, float]]:
    found = re.findall(rf'<{tag} class="[^"]*c0" points="([^"]*)"', svg)[-1]
    return [tuple(map(float, pair.split(","))) for pair in found.split()]  # type: ignore[misc]


def test_points_are_where_the_values_say() -> None:
    svg = line_chart([Line("pass@1", [0, 50, 100], [0.0, 0.5, 1.0], [0.0, 0.4, 0.9], [0.1, 0.6, 1.0])], y_range=(0, 1))
    ET.fromstring(svg)
    left, middle, right = points(svg, "polyline")
    assert left == (LEFT, HEIGHT - BOTTOM)
    assert right == (WIDTH - RIGHT, TOP)
    assert middle == pytest.approx(((left[0] + right[0]) / 2, (left[1] + right[1]) / 2))
    assert len(points(svg, "polygon")) == 6
    assert "<title>pass@1, step 50: 0.5 [0.400, 0.600]</title>" in svg


@given(st.lists(finite, min_size=1, max_size=80))
def test_any_curve_stays_in_its_frame(values: list[float]) -> None:
    svg = line_chart([Line("x", list(range(len(values))), values)])
    ET.fromstring(svg)
    for x, y in points(svg, "polyline"):
        assert LEFT - 0.1 <= x <= WIDTH - RIGHT + 0.1
        assert TOP - 0.1 <= y <= HEIGHT - BOTTOM + 0.1


def test_a_long_run_makes_no_larger_chart() -> None:
    sizes = [len(line_chart([Line("x", list(range(n)), [0.5 + i / n for i in range(n)])])) for n in (300, 30_000)]
    assert sizes[1] < 1.5 * sizes[0]


def test_labels_are_escaped() -> None:
    svg = line_chart([Line("<script>alert(1)</script>", [1], [2.0])])
    assert "<script" not in svg
    ET.fromstring(svg)


def test_intervals_before_and_after() -> None:
    before = Estimate(value=0.25, low=0.2, high=0.3, tasks=9)
    svg = interval_chart(before, Estimate(value=0.75, low=0.5, high=1.0, tasks=9))
    ET.fromstring(svg)
    dots = re.findall(r'<circle class="(\w+)" cx="([\d.]+)"', svg)
    assert dots == [("was", "57.5"), ("is", "162.5")]
    assert '<line class="span is" x1="110.0" x2="215.0"' in svg
    assert "circle" not in interval_chart(None, Estimate(value=None))
