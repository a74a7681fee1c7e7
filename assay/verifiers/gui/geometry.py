"""Points and boxes: reading them from text, overlap, containment.

A box is (x1, y1, x2, y2) with x1 < x2 and y1 < y2, in continuous coordinates on both sides of every formula, so a
box that is one pixel wide equals itself. A missing coordinate is an error and never the origin.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

Point = tuple[float, float]
Box = tuple[float, float, float, float]

_NUMBER = r"[-+]?\d{1,7}(?:\.\d{1,9})?"
_POINT = re.compile(rf"(?:\w{{1,20}})?\s?[(\[]\s?({_NUMBER})\s?,\s?({_NUMBER})\s?[)\]]")
_BOX = re.compile(rf"\[\s?({_NUMBER})\s?,\s?({_NUMBER})\s?,\s?({_NUMBER})\s?,\s?({_NUMBER})\s?\]")


def to_point(value: Any) -> Point:
    """Return a pair of finite numbers; ValueError otherwise."""
    x, y = _numbers(value, 2)
    return x, y


def to_box(value: Any) -> Box:
    """Return a box; ValueError when it is none or has no area."""
    x1, y1, x2, y2 = _numbers(value, 4)
    if x1 >= x2 or y1 >= y2:
        raise ValueError(f"a box is [x1, y1, x2, y2] with x1 < x2 and y1 < y2, not {list(value)}")
    return x1, y1, x2, y2


def read_point(text: str) -> Point:
    """Read `(x, y)`, `[x, y]` or `click(x, y)`, which must be all of the text."""
    found = _POINT.fullmatch(" ".join(text.split()))
    if found is None:
        raise ValueError(f"not a point: {text[:60]!r}")
    return to_point([float(number) for number in found.groups()])


def read_box(text: str) -> Box:
    """Read `[x1, y1, x2, y2]`, which must be all of the text."""
    found = _BOX.fullmatch(" ".join(text.split()))
    if found is None:
        raise ValueError(f"not a box: {text[:60]!r}")
    return to_box([float(number) for number in found.groups()])


def contains(box: Box, point: Point) -> bool:
    """Whether the point lies in the box, edges included."""
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def iou(a: Box, b: Box) -> float:
    """Return intersection over union: ([0,0,10,10], [5,0,15,10]) gives 1/3."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    overlap = width * height
    return overlap / (area(a) + area(b) - overlap)


def area(box: Box) -> float:
    """Return the area."""
    return (box[2] - box[0]) * (box[3] - box[1])


def gaussian_point(answer: Box, gold: Box, alpha: float = 0.5) -> float:
    """Return exp(−½[(dx/αw)² + (dy/αh)²]) of the centres, w and h of the gold (GUI-G², arXiv 2507.15846)."""
    dx, dy = (_centre(answer)[i] - _centre(gold)[i] for i in (0, 1))
    sx, sy = alpha * (gold[2] - gold[0]), alpha * (gold[3] - gold[1])
    return math.exp(-0.5 * ((dx / sx) ** 2 + (dy / sy) ** 2))


def gaussian_cover(answer: Box, gold: Box, alpha: float = 0.5) -> float:
    """Return the Bhattacharyya coefficient of the two boxes as Gaussians with σ = α·(w, h) (GUI-G²)."""
    distance = 0.0
    for axis in (0, 1):
        offset = _centre(answer)[axis] - _centre(gold)[axis]
        variances = [(alpha * (box[axis + 2] - box[axis])) ** 2 for box in (answer, gold)]
        mean = sum(variances) / 2
        distance += offset**2 / (8 * mean) + 0.5 * math.log(mean / math.sqrt(math.prod(variances)))
    return math.exp(-distance)


def _centre(box: Box) -> Point:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def read_json_object(text: str) -> Mapping[str, Any]:
    """Parse a JSON object; ValueError otherwise."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, Mapping):
        raise ValueError("not a JSON object")
    return value


def _numbers(value: Any, count: int) -> list[float]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != count:
        raise ValueError(f"expected {count} numbers, not {str(value)[:60]}")
    for number in value:
        if isinstance(number, bool) or not isinstance(number, int | float) or abs(number) > 1e9 or number != number:
            raise ValueError(f"not a coordinate: {str(number)[:30]}")
    return [float(number) for number in value]
