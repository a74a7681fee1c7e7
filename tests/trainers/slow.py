"""A wrapper that makes environments wait, as those with browsers do, and an environment that waits for its verifier."""

from __future__ import annotations

import random
import time
from typing import Any

import gymnasium

from assay.core.message import Observation
from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.envs.base import SingleTurnEnv
from assay.envs.final_answer import FinalIntegerVerifier
from assay.envs.math.arithmetic import ArithmeticEnv
from assay.verifiers.base import Evidence


class Slow(gymnasium.Wrapper[Observation, str, Observation, str]):
    """Sleeps in every step, for a time that differs from episode to episode."""

    blocking = True

    def __init__(self, env: gymnasium.Env[Observation, str], seconds: float = 0.02) -> None:
        super().__init__(env)
        self._seconds = seconds

    def step(self, action: str) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        time.sleep(self._seconds * (1 + len(action) % 3))
        return self.env.step(action)


class AnyMinute(FinalIntegerVerifier):
    """Takes a time that no seed fixes."""

    isolation = "remote"

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        time.sleep(random.SystemRandom().random() / 50)
        return super().verify(task, evidence)


class SlowlyJudged(ArithmeticEnv):
    """Arithmetic, judged elsewhere."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        SingleTurnEnv.__init__(self, self.tasks, AnyMinute())


gymnasium.register(
    "test-trainers/SlowlyJudged-v0", entry_point="tests.trainers.slow:SlowlyJudged", disable_env_checker=True
)
