"""PAR and the shapings it is compared with, against references that the run collects itself (arXiv 2502.18770).

The paper centres a reward model's score by the scores of reference answers of the policy before training. Here the
references are the first scores of the run, made when the policy still is that policy; they are pooled over tasks, since
tasks that are generated never come again. Running forms (`mean_std`, `clip`, `min_max`) use all scores so far instead,
this batch's included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from assay.core.errors import ConfigError
from assay.core.trajectory import Group
from assay.trainers.advantages.base import FloatArray, outcome_rewards
from assay.trainers.advantages.parts import require_part, total_parts
from assay.trainers.shaping import par as forms
from assay.trainers.shaping.base import add_rewards

CENTRED: dict[str, Callable[[float, FloatArray], float]] = {
    "par": forms.par,
    "sgfc": forms.sgfc,
    "centred": forms.centred,
    "tanh": forms.tanh,
    "arctan": forms.arctan,
    "lsc": forms.lsc,
}
RUNNING = ("mean_std", "clip", "min_max")


class Par:
    """A shaper with state: the references, and the running statistics."""

    def __init__(self, *, form: str = "par", part: str | None = None, references: int = 256) -> None:
        """Shape the reward, or replace it by the shaped `part`, the part that holds a model's score.

        `references` is how many of the run's first scores are kept.
        """
        if form not in CENTRED and form not in RUNNING:
            raise ConfigError(f"shaper 'par': unknown form {form!r}; known: {', '.join([*CENTRED, *RUNNING])}")
        if references < 1:
            raise ConfigError(f"shaper 'par': it needs at least 1 reference, not {references}")
        self._form, self._part, self._size = form, part, references
        self.references: list[float] = []
        self._count, self._mean, self._squares = 0, 0.0, 0.0
        self._least, self._most = math.inf, -math.inf

    def __call__(self, groups: Sequence[Group], /) -> list[Group]:
        """Take note of the batch's scores, and then replace every reward by its shaped score."""
        if self._part is not None:
            require_part(groups, self._part)
        scores = [outcome_rewards(g) if self._part is None else total_parts(g, self._part) for g in groups]
        for score in (float(s) for column in scores for s in column[np.isfinite(column)]):
            self._note(score)
        known = np.array(self.references)
        return [
            add_rewards(group, np.array([self._shaped(s, known) for s in column]) - outcome_rewards(group), "par")
            for group, column in zip(groups, scores, strict=True)
        ]

    def _note(self, score: float) -> None:
        """Welford's update, and a place among the references while there is one."""
        if len(self.references) < self._size:
            self.references.append(score)
        self._count += 1
        before = score - self._mean
        self._mean += before / self._count
        self._squares += before * (score - self._mean)
        self._least, self._most = min(self._least, score), max(self._most, score)

    def _shaped(self, score: float, references: FloatArray) -> float:
        if not math.isfinite(score):
            return math.nan
        if self._form in CENTRED:
            return CENTRED[self._form](score, references)
        std = math.sqrt(self._squares / self._count)
        if self._form == "mean_std":
            return (score - self._mean) / (std or 1.0)
        if self._form == "clip":
            return min(max(score, self._mean - std), self._mean + std)
        return (score - self._least) / ((self._most - self._least) or 1.0)

    def metrics(self) -> dict[str, float]:
        """Return the mean of the references and the running mean."""
        return {
            "par/reference": float(np.mean(self.references)) if self.references else math.nan,
            "par/mean": self._mean,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        running = [self._count, self._mean, self._squares]
        return {"references": self.references, "running": running, "range": [self._least, self._most]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self.references = [float(value) for value in state["references"]]
        self._count, self._mean, self._squares = state["running"]
        self._least, self._most = state["range"]
