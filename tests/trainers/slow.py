"""A wrapper that makes environments wait, as those with browsers or sandboxes do."""

from __future__ import annotations

import time
from typing import Any

import gymnasium

from assay.core.message import Observation


class Slow(gymnasium.Wrapper[Observation, str, Observation, str]):
    """Sleeps in every step, for a time that differs from episode to episode."""

    blocking = True

    def __init__(self, env: gymnasium.Env[Observation, str], seconds: float = 0.02) -> None:
        super().__init__(env)
        self._seconds = seconds

    def step(self, action: str) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        time.sleep(self._seconds * (1 + len(action) % 3))
        return self.env.step(action)
