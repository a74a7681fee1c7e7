"""`detection`: several labelled boxes against the gold's.

Score (VLM-R1, arXiv 2504.07615, weighted sum): 0.7 · Σ IoU of pairs with the right label / n_gold
+ 0.3 · (1 − (miss rate + false-alarm rate)/2). Pairs are matched greedily by IoU from 0.5 on, whatever the label, so
spamming boxes costs false alarms. With two gold boxes: one missing scores .575, one extra .95, one wrong label .65.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.verifiers.gui.geometry import Box, iou, to_box
from assay.verifiers.text.base import AnswerVerifier
from assay.verifiers.text.schema import parse_json

MATCH = 0.5
MAX_BOXES = 500


@dataclass(frozen=True, slots=True)
class Found:
    """One labelled box."""

    label: str
    box: Box


class DetectionVerifier(AnswerVerifier[tuple[Found, ...]]):
    """The answer and the target are lists of `{"label": ..., "box": [x1, y1, x2, y2]}`, as JSON in the answer."""

    name = "detection"

    def read_gold(self, task: Task) -> tuple[Found, ...]:
        """Return the gold boxes."""
        found = _read(task.target)
        if not found:
            raise ValueError("the target lists no boxes")
        return found

    def read_answer(self, text: str, task: Task) -> tuple[Found, ...]:
        """Return the boxes of the answer."""
        return _read(parse_json(text.removeprefix("```json").removeprefix("```").removesuffix("```")))

    def same(self, answer: tuple[Found, ...], gold: tuple[Found, ...]) -> bool:
        """Whether every gold box is found with its label, and nothing else."""
        pairs = match(answer, gold)
        return len(pairs) == len(answer) == len(gold) and all(answer[a].label == gold[g].label for a, g, _ in pairs)

    def compare(self, value: tuple[Found, ...], gold: tuple[Found, ...], extracted: str) -> Verdict:
        """Return the weighted sum with its parts."""
        pairs = match(value, gold)
        overlap = sum(score for a, g, score in pairs if value[a].label == gold[g].label) / len(gold)
        miss = 1 - len(pairs) / len(gold)
        false_alarm = 1 - len(pairs) / len(value) if value else 0.0
        complete = 1 - (miss + false_alarm) / 2 if value else 0.0
        parts = {"overlap": overlap, "complete": complete}
        score = 0.7 * overlap + 0.3 * complete
        return Verdict(score=min(score, 1.0), correct=self.same(value, gold), extracted=extracted[:500], parts=parts)


def match(answer: tuple[Found, ...], gold: tuple[Found, ...]) -> list[tuple[int, int, float]]:
    """Pair boxes one to one, best overlap first; returns (index in answer, index in gold, IoU)."""
    candidates = [(iou(a.box, g.box), i, j) for i, a in enumerate(answer) for j, g in enumerate(gold)]
    pairs: list[tuple[int, int, float]] = []
    used_answers: set[int] = set()
    used_gold: set[int] = set()
    for score, i, j in sorted(candidates, key=lambda c: (-c[0], c[1], c[2])):
        if score >= MATCH and i not in used_answers and j not in used_gold:
            used_answers.add(i)
            used_gold.add(j)
            pairs.append((i, j, score))
    return pairs


def _read(value: Any) -> tuple[Found, ...]:
    if not isinstance(value, list) or len(value) > MAX_BOXES:
        raise ValueError(f"expected a list of at most {MAX_BOXES} boxes")
    found = []
    for item in value:
        if not isinstance(item, dict) or not isinstance(item.get("label"), str):
            raise ValueError('a box is {"label": ..., "box": [x1, y1, x2, y2]}')
        found.append(Found(item["label"].strip().casefold(), to_box(item.get("box"))))
    return tuple(found)
