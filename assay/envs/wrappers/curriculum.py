"""A curriculum for plain Gymnasium users: it picks the task at `reset` and observes the outcome at the end.

The trainer has a seam of its own (`TrainConfig.curriculum`), since its many environments share one curriculum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
from gymnasium.utils import RecordConstructorArgs

from assay.core.errors import ConfigError
from assay.core.message import Observation
from assay.core.task import TaskSet
from assay.core.verdict import Verdict
from assay.curricula import Arm, Curriculum, arms_by, make_policy
from assay.curricula.arms import Division
from assay.envs.wrappers.base import AnyEnv


class CurriculumTasks(gymnasium.Wrapper[Observation, str, Observation, str], RecordConstructorArgs):
    """Chooses the task of each episode by the outcomes so far.

    `reset()` without a seed draws the next task. `reset(seed=...)` draws the one that the seed stands for, given what
    was observed so far. `reset(options={"task": ...})` plays that task, and the curriculum learns nothing from it; nor
    does it from an episode without a verdict. `info["arm"]` names the arm.
    """

    def __init__(
        self,
        env: AnyEnv,
        policy: str = "learnability",
        *,
        arms: Division | Sequence[Arm] = "tag",
        seed: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """`arms` divides the environment's own finite task set, or lists the arms; `options` are the policy's."""
        options = dict(options or {})
        RecordConstructorArgs.__init__(self, policy=policy, arms=arms, seed=seed, options=options)
        gymnasium.Wrapper.__init__(self, env)
        tasks = getattr(env.unwrapped, "tasks", None)
        if isinstance(arms, str):
            if not isinstance(tasks, TaskSet):
                raise ConfigError(f"{env.unwrapped} has no `tasks` to make a curriculum of; give `arms`")
            arms = arms_by(arms, tasks)
        self.curriculum = Curriculum(arms, make_policy(policy, len(arms), seed=seed, **options))
        self._arm: int | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode of the task that the curriculum, or the caller, chooses."""
        self._arm = None
        if options is not None and options.get("task") is not None:
            return self.env.reset(seed=seed, options=options)
        pick = self.curriculum.draw(1)[0] if seed is None else self.curriculum.draw_seeded(seed)
        observation, info = self.env.reset(seed=seed, options={**(options or {}), "task": pick.task})
        self._arm = pick.arm
        return observation, {**info, "arm": self.curriculum.arms[pick.arm].name}

    def step(self, action: str) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take one turn; at the end of the episode the curriculum sees the raw outcome."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        verdict = info.get("verdict")
        if (terminated or truncated) and self._arm is not None:
            if isinstance(verdict, Verdict) and verdict.correct is not None:
                self.curriculum.observe(self._arm, int(verdict.correct), 1)
            self._arm = None
        return observation, float(reward), terminated, truncated, info
