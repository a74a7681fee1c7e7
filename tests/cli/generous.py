"""An environment whose verifier pays for everything, registered when this module is imported."""

from __future__ import annotations

from typing import Any

import gymnasium

from assay.core.task import Task
from assay.core.verdict import Verdict, right
from assay.envs.base import SingleTurnEnv
from assay.envs.math.arithmetic import ArithmeticEnv
from assay.verifiers.base import Evidence, Verifier


class AlwaysRight(Verifier):
    """Pays for everything."""

    name = "always-right"

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Say that it is right."""
        return right()


class GenerousEnv(SingleTurnEnv):
    """Arithmetic, judged by it."""

    def __init__(self, *, split: Any = "train", render_mode: str | None = None) -> None:
        super().__init__(ArithmeticEnv(split=split).tasks, AlwaysRight(), render_mode=render_mode)


gymnasium.register(id="test/Generous-v0", entry_point=GenerousEnv, disable_env_checker=True)
