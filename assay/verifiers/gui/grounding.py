"""`point_in_box`, `iou`, `gaussian_box`: where on the screen is it?

The target is a box [x1, y1, x2, y2]. `task.metadata["scale"]`, a pair of factors, takes the answer's coordinates to
the gold's.
"""

from __future__ import annotations

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.verifiers.gui.geometry import (
    Box,
    Point,
    contains,
    gaussian_cover,
    gaussian_point,
    iou,
    read_box,
    read_point,
    to_box,
    to_point,
)
from assay.verifiers.text.base import AnswerVerifier
from assay.verifiers.text.extract import Source


class PointInBoxVerifier(AnswerVerifier["Point | Box"]):
    """Right when the answer is a point inside the target box, edges included."""

    name = "point_in_box"

    def read_gold(self, task: Task) -> Point | Box:
        """Return the box."""
        scale_of(task)
        return to_box(task.target)

    def read_answer(self, text: str, task: Task) -> Point | Box:
        """Return the point in the gold's coordinates."""
        x, y = read_point(text)
        sx, sy = scale_of(task)
        return x * sx, y * sy

    def same(self, answer: Point | Box, gold: Point | Box) -> bool:
        """Whether the point lies in the box."""
        return contains(gold, answer)  # type: ignore[arg-type]


class BoxVerifier(AnswerVerifier[Box]):
    """Score = intersection over union; `correct` from `threshold` on."""

    name = "iou"

    def __init__(self, *, source: Source = "answer", tag: str = "answer", threshold: float = 0.5) -> None:
        super().__init__(source=source, tag=tag)
        if not 0 < threshold <= 1:
            raise ConfigError(f"threshold is in (0, 1], not {threshold!r}")
        self.threshold = threshold

    def read_gold(self, task: Task) -> Box:
        """Return the target box."""
        scale_of(task)
        return to_box(task.target)

    def read_answer(self, text: str, task: Task) -> Box:
        """Return the answer's box in the gold's coordinates."""
        box, (sx, sy) = read_box(text), scale_of(task)
        return box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sy

    def same(self, answer: Box, gold: Box) -> bool:
        """Whether the boxes overlap enough."""
        return iou(answer, gold) >= self.threshold

    def compare(self, value: Box, gold: Box, extracted: str) -> Verdict:
        """Return the overlap as score."""
        return Verdict(score=iou(value, gold), correct=self.same(value, gold), extracted=extracted)


class GaussianBoxVerifier(BoxVerifier):
    """Score = Gaussian point reward + Gaussian coverage reward, in [0, 2] (GUI-G², arXiv 2507.15846).

    The variances grow with the element: σ = α · (width, height). `correct` is the overlap rule of `iou`.
    """

    name = "gaussian_box"
    score_range = (0.0, 2.0)

    def __init__(
        self, *, source: Source = "answer", tag: str = "answer", threshold: float = 0.5, alpha: float = 0.5
    ) -> None:
        super().__init__(source=source, tag=tag, threshold=threshold)
        if alpha <= 0:
            raise ConfigError(f"alpha must be positive, not {alpha!r}")
        self.alpha = alpha

    def compare(self, value: Box, gold: Box, extracted: str) -> Verdict:
        """Return the sum of the two rewards, with both as parts."""
        point, cover = gaussian_point(value, gold, self.alpha), gaussian_cover(value, gold, self.alpha)
        parts = {"point": point, "cover": cover}
        return Verdict(score=point + cover, correct=self.same(value, gold), extracted=extracted, parts=parts)


def scale_of(task: Task) -> Point:
    """Return the factors of the task; ValueError when they are no pair of positive numbers."""
    sx, sy = to_point(task.metadata.get("scale", (1.0, 1.0)))
    if sx <= 0 or sy <= 0:
        raise ValueError("metadata['scale'] must be positive")
    return sx, sy
