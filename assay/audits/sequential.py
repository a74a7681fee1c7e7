"""SequentialRate: estimate an error rate while labels come in, and stop whenever you like without losing the level.

A confidence sequence by betting (Waudby-Smith & Ramdas 2024): for every candidate mean m a gambler bets against it,
and m leaves the interval once the capital reaches 1/alpha. Ville's inequality makes the interval valid at all times at
once, so looking after every label and stopping at a good moment is allowed, which it is not for Wilson's.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from assay.core.errors import ConfigError
from assay.core.stats import Interval

_GRID = 1001


class SequentialRate:
    """Confidence sequence for the mean of observations in [0, bound]. Not safe to share between threads."""

    def __init__(self, level: float = 0.95, bound: float = 1.0) -> None:
        """`bound` is the largest observation: 1 for plain error flags, the largest weight for weighted ones."""
        if not 0 < level < 1 or not bound > 0:
            raise ConfigError(f"a level between 0 and 1 and a positive bound are needed, not {level:g} and {bound:g}")
        self._alpha, self.bound = 1 - level, bound
        self._means = np.linspace(0, 1, _GRID)
        self._log_up = np.zeros(_GRID)
        self._log_down = np.zeros(_GRID)
        self._alive = np.ones(_GRID, bool)
        self.n, self._sum, self._squares = 0, 0.0, 0.0

    @property
    def mean(self) -> float | None:
        """The mean so far; None without observations."""
        return None if self.n == 0 else self.bound * self._sum / self.n

    def update(self, value: float) -> Interval:
        """Take one observation, and return the interval after it."""
        if not 0 <= value <= self.bound:
            raise ConfigError(f"an observation lies in [0, {self.bound:g}], not {value:g}")
        x, m = value / self.bound, self._means
        # Predictable plug-in bet: it may use the past, not x itself.
        mean = (0.5 + self._sum) / (self.n + 1)
        variance = (0.25 + self._squares) / (self.n + 1)
        bet = math.sqrt(2 * math.log(2 / self._alpha) / (variance * (self.n + 1) * math.log(self.n + 2)))
        # Half of the largest bet that cannot go broke: capital stays positive whatever x is.
        up = np.minimum(bet, 0.5 / np.maximum(m, 1e-9))
        down = np.minimum(bet, 0.5 / np.maximum(1 - m, 1e-9))
        self._log_up += np.log1p(up * (x - m))
        self._log_down += np.log1p(down * (m - x))
        self.n += 1
        self._sum += x
        self._squares += (x - mean) ** 2
        # Half of the capital bets on a larger mean, half on a smaller one.
        capital = np.maximum(self._log_up, self._log_down) + math.log(0.5)
        self._alive &= capital < math.log(1 / self._alpha)
        return self.interval

    @property
    def interval(self) -> Interval:
        """The interval that holds at all times together; it never grows."""
        if not self._alive.any():  # contradictory data: probability at most 1 - level
            return Interval(self.mean or 0.0, self.mean or 0.0)
        inside = np.flatnonzero(self._alive)
        step = 1 / (_GRID - 1)
        low = max(0.0, self._means[inside[0]] - (step if inside[0] else 0.0))
        high = min(1.0, self._means[inside[-1]] + (step if inside[-1] < _GRID - 1 else 0.0))
        return Interval(self.bound * float(low), self.bound * float(high))

    def decide(self, limit: float) -> Literal["below", "above"] | None:
        """Return whether the rate is shown to be below or above a limit; None while it is open."""
        low, high = self.interval
        return "below" if high < limit else "above" if low > limit else None

    def state_dict(self) -> dict[str, Any]:
        """Return the state as plain data."""
        return {
            "n": self.n,
            "sum": self._sum,
            "squares": self._squares,
            "log_up": self._log_up.tolist(),
            "log_down": self._log_down.tolist(),
            "alive": self._alive.tolist(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take a state back."""
        self.n, self._sum, self._squares = state["n"], state["sum"], state["squares"]
        self._log_up, self._log_down = np.array(state["log_up"]), np.array(state["log_down"])
        self._alive = np.array(state["alive"], bool)
