"""Constraints on several rewards: each named part must reach its threshold, and a multiplier says how dear that is.

Source: constrained RLHF (arXiv 2310.04373). For each constraint i, with J_i the mean of its part over the batch and
theta_i the threshold, the raw multiplier mu_i descends sum_i lambda_i (J_i - theta_i), lambda_i = squash(mu_i), by SGD
with momentum: it rises while J_i is below theta_i and falls above.

* `max0` (lambda = max(mu, 0)): a classical inequality; a part that does better than asked costs nothing.
* `tanh`: an equality; the multiplier becomes negative where a part is overdone, which is what holds a proxy reward at
  the point from which on more of it is worse. `sigmoid`: an inequality, bounded.

The paper mixes advantages of which each is standardised by itself, (n - sum lambda) A + sum lambda_i A_i. Here the
rewards of a batch are standardised and mixed so, and whatever estimator follows compares them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from assay.core.errors import ConfigError
from assay.core.trajectory import Group
from assay.trainers.advantages.base import FloatArray, outcome_rewards
from assay.trainers.advantages.parts import require_part, total_parts
from assay.trainers.shaping.base import add_rewards

Squash = Literal["max0", "tanh", "sigmoid"]
SQUASHES = ("max0", "tanh", "sigmoid")


class Lagrangian:
    """A shaper with state: the multipliers, which move once with every batch."""

    def __init__(
        self,
        *,
        at_least: Mapping[str, float],
        squash: Squash = "max0",
        start: float | None = None,
        learning_rate: float = 0.1,
        momentum: float = 0.1,
        clip: float = 1.0,
    ) -> None:
        """Constrain each part of `at_least` to its threshold; write a cost that must stay below as a negative part.

        `start` is the raw multiplier to begin with: 0.5 with `max0` (the paper's), else 0. `clip` bounds the norm of
        the multipliers' gradient.
        """
        if not at_least:
            raise ConfigError("shaper 'lagrangian': at_least names the parts and their thresholds")
        if squash not in SQUASHES:
            raise ConfigError(f"shaper 'lagrangian': unknown squash {squash!r}; known: {', '.join(SQUASHES)}")
        self._parts = list(at_least)
        self._thresholds = np.array([float(value) for value in at_least.values()])
        self._squash, self._rate, self._momentum, self._clip = squash, learning_rate, momentum, clip
        first = (0.5 if squash == "max0" else 0.0) if start is None else start
        self.raw: FloatArray = np.full(len(self._parts), float(first))
        self._velocity: FloatArray = np.zeros(len(self._parts))

    @property
    def multipliers(self) -> FloatArray:
        """Return lambda, shape [constraints]."""
        if self._squash == "max0":
            return np.maximum(self.raw, 0.0)
        return np.tanh(self.raw) if self._squash == "tanh" else 1 / (1 + np.exp(-self.raw))

    def __call__(self, groups: Sequence[Group], /) -> list[Group]:
        """Replace every reward by the mix, and then move the multipliers."""
        for part in self._parts:
            require_part(groups, part)
        if not groups:
            return []
        main = [outcome_rewards(group) for group in groups]
        parts = [[total_parts(group, part) for group in groups] for part in self._parts]
        scaled = [_standardised(column) for column in parts]
        own = _standardised(main)
        shaped = [
            add_rewards(group, mix(own[n], [column[n] for column in scaled], self.multipliers) - main[n], "lagrangian")
            for n, group in enumerate(groups)
        ]
        means = [np.concatenate(column)[np.isfinite(np.concatenate(main))] for column in parts]
        self.move(np.array([float(np.nanmean(m)) if np.isfinite(m).any() else math.nan for m in means]))
        return shaped

    def move(self, means: FloatArray) -> None:
        """Take one step of the multipliers, given the mean of each part; a part without a mean (NaN) stays."""
        short = np.where(np.isfinite(means), self._thresholds - means, 0.0)
        if self._squash == "max0":
            slope = np.ones_like(self.raw)
        else:
            lam = self.multipliers
            slope = 1 - lam**2 if self._squash == "tanh" else lam * (1 - lam)
        gradient = slope * short
        gradient *= min(1.0, self._clip / max(float(np.linalg.norm(gradient)), 1e-12))
        self._velocity = self._momentum * self._velocity + gradient
        self.raw = self.raw + self._rate * self._velocity
        if self._squash == "max0":
            self.raw = np.maximum(self.raw, 0.0)

    def metrics(self) -> dict[str, float]:
        """Return each multiplier under the name of its part."""
        return {f"lagrangian/{part}": float(lam) for part, lam in zip(self._parts, self.multipliers, strict=True)}

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {"parts": self._parts, "raw": self.raw.tolist(), "velocity": self._velocity.tolist()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self.raw, self._velocity = np.array(state["raw"], np.float64), np.array(state["velocity"], np.float64)


def mix(main: FloatArray, parts: Sequence[FloatArray], multipliers: FloatArray) -> FloatArray:
    """Return (n - sum lambda) main + sum lambda_i parts_i; a part without a value counts as its mean, 0."""
    out: FloatArray = (len(parts) - multipliers.sum()) * main
    for lam, part in zip(multipliers, parts, strict=True):
        out = out + lam * np.where(np.isnan(part), 0.0, part)
    return out


def _standardised(columns: Sequence[FloatArray]) -> list[FloatArray]:
    """Return the columns standardised over all groups; without a spread they are all 0."""
    values = np.concatenate(columns)
    known = values[np.isfinite(values)]
    mean, std = (float(known.mean()), float(known.std())) if known.size else (0.0, 0.0)
    return [(column - mean) / std if std > 0 else column * 0.0 for column in columns]
