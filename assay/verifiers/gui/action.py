"""`gui_action`: one step on a screen, judged by the type of the action and, for clicks, by where it goes.

Source: UI-R1 (arXiv 2503.21620): R_action + R_coordinate, each 0 or 1 (the format reward is the `format` verifier's).
Target: `{"action": "click", "box": [...]}` or `{"action": "scroll"}`; the answer is JSON such as
`{"action": "click", "point": [50, 30]}`. A click whose point cannot be read misses, also a box at the origin.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.verifiers.gui.geometry import Box, Point, contains, read_json_object, to_box, to_point
from assay.verifiers.gui.grounding import scale_of
from assay.verifiers.text.base import AnswerVerifier


@dataclass(frozen=True, slots=True)
class Action:
    """An action, and what it aims at: a point in an answer, a box in a gold."""

    kind: str
    point: Point | None = None
    box: Box | None = None


class GuiActionVerifier(AnswerVerifier[Action]):
    """Score 0 to 2; `correct` when both parts are 1."""

    name = "gui_action"
    score_range = (0.0, 2.0)

    def read_gold(self, task: Task) -> Action:
        """Return the gold action."""
        target = task.target
        if not isinstance(target, dict) or not isinstance(target.get("action"), str) or not target["action"]:
            raise ValueError('the target must be {"action": ..., "box": [...] for clicks}')
        scale_of(task)
        box = to_box(target.get("box")) if target["action"] == "click" else None
        return Action(target["action"], box=box)

    def read_answer(self, text: str, task: Task) -> Action:
        """Return the action of the answer."""
        answer = read_json_object(text)
        if not isinstance(answer.get("action"), str):
            raise ValueError('an answer is {"action": ..., "point": [x, y]}')
        try:
            (x, y), (sx, sy) = to_point(answer.get("point")), scale_of(task)
            return Action(answer["action"], (x * sx, y * sy))
        except ValueError:
            return Action(answer["action"])

    def same(self, answer: Action, gold: Action) -> bool:
        """Whether type and place are right."""
        return all(_parts(answer, gold).values())

    def compare(self, value: Action, gold: Action, extracted: str) -> Verdict:
        """Return the sum of the parts."""
        parts = _parts(value, gold)
        return Verdict(score=sum(parts.values()), correct=all(parts.values()), extracted=extracted, parts=parts)


def _parts(answer: Action, gold: Action) -> dict[str, float]:
    kind = answer.kind == gold.kind
    place = gold.box is None or (answer.point is not None and contains(gold.box, answer.point))
    return {"action": float(kind), "coordinate": float(kind and place)}
