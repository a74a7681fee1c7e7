"""Success rates that forget: what an arm looked like a while ago says little about a policy that learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.core.errors import ConfigError

FloatArray = NDArray[np.float64]


class SuccessRates:
    """Correct and total episodes of each arm: plain counts up to `memory`, from then on the old ones fade."""

    def __init__(self, arms: int, *, memory: int) -> None:
        if memory < 1:
            raise ConfigError(f"a success rate remembers at least 1 episode, not {memory!r}")
        self.memory = memory
        self.correct: FloatArray = np.zeros(arms)
        self.total: FloatArray = np.zeros(arms)

    def add(self, arm: int, correct: float, total: float) -> None:
        """Count episodes of an arm."""
        if not 0 <= correct <= total:
            raise ValueError(f"{correct} correct of {total} episodes")
        room = max(0.0, self.memory - total)
        keep = min(1.0, room / self.total[arm]) if self.total[arm] else 0.0
        self.correct[arm] = keep * self.correct[arm] + correct
        self.total[arm] = keep * self.total[arm] + total

    def known(self) -> FloatArray:
        """Return the share of correct episodes of each arm, shape [arms]; NaN for arms that were never played."""
        return np.divide(self.correct, self.total, out=np.full_like(self.total, np.nan), where=self.total > 0)

    def smoothed(self) -> FloatArray:
        """Return (correct + 1) / (total + 2), shape [arms]: 0.5 for an unknown arm, never 0 or 1."""
        rates: FloatArray = (self.correct + 1) / (self.total + 2)
        return rates

    def state_dict(self) -> dict[str, Any]:
        """Return the counts."""
        return {"correct": self.correct.tolist(), "total": self.total.tolist()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the counts back. `ConfigError` when they are those of another number of arms."""
        if len(state["total"]) != len(self.total):
            raise ConfigError(f"the state of a curriculum is of {len(state['total'])} arms, not {len(self.total)}")
        self.correct, self.total = np.array(state["correct"], float), np.array(state["total"], float)
