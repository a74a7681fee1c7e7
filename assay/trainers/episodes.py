"""Where the episodes of a run come from: its environments and tasks, and the agent that plays them.

Invariant: training step s takes the same tasks with the same seeds whenever it runs, so a resumed run repeats an
unbroken one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from assay.core.errors import ConfigError
from assay.core.message import Observation
from assay.core.registry import make
from assay.core.task import Limits, Task, TaskSet
from assay.core.tool import Tool
from assay.core.trajectory import Group
from assay.curricula import Arm, Curriculum, Pick, arms_by, make_policy
from assay.envs.wrappers import wrap
from assay.rollouts.pool import AnyEnv
from assay.trainers.config import EnvConfig, RolloutConfig, TrainConfig

Split = Literal["train", "eval"]
Opening = tuple[Observation, tuple[Tool, ...]]


def env_maker(config: EnvConfig, split: Split) -> Callable[[], AnyEnv]:
    """Return what makes environments of one split. Only those of training are shaped: evaluation reads raw rewards."""
    options: dict[str, Any] = {"split": split, **config.options}
    if split == "eval":
        options.update(config.eval_options)
    wrappers = config.wrappers if split == "train" else ()
    return lambda: wrap(make(config.id, **options), wrappers)


def tasks_of(make_env: Callable[[], AnyEnv], env_id: str) -> TaskSet:
    """Return the tasks of an environment. `ConfigError` when it has none to show."""
    env = make_env()
    try:
        tasks = getattr(env.unwrapped, "tasks", None)
    finally:
        env.close()
    if not isinstance(tasks, TaskSet):
        raise ConfigError(f"environment {env_id!r} has no `tasks`; training needs an environment with a TaskSet")
    return tasks


def openings(make_env: Callable[[], AnyEnv], sources: Sequence[TaskSet], count: int) -> Iterator[Opening]:
    """Yield what opens the first episodes of each source: the observation, and the tools that the agent is told of."""
    env = make_env()
    try:
        for task in (task for tasks in sources for task in tasks.head(count)):
            observation, _ = env.reset(seed=0, options={"task": task})
            yield tuple(observation), tuple(getattr(env.unwrapped, "tools", ()))
    finally:
        env.close()


def draw(tasks: TaskSet, start: int, count: int) -> Iterator[Task]:
    """Yield `count` tasks from number `start` on, from the beginning again after the last one."""
    for number in range(start, start + count):
        yield tasks[number if tasks.size is None else number % tasks.size]


def make_curriculum(config: TrainConfig, tasks: TaskSet) -> Curriculum | None:
    """Return the curriculum over the training tasks, or None when the configuration has none."""
    settings, env = config.curriculum, config.env
    if settings is None:
        return None
    if settings.by is not None:
        arms = arms_by(settings.by, tasks)
    else:
        levels = {", ".join(f"{key}={value}" for key, value in level.items()): level for level in settings.levels}
        if len(levels) != len(settings.levels):
            raise ConfigError("curriculum.levels: two levels are the same")
        arms = []
        for name, level in levels.items():
            options = {**env.options, **level}
            arms.append(Arm(name, tasks_of(env_maker(env.model_copy(update={"options": options}), "train"), env.id)))
    return Curriculum(arms, make_policy(settings.policy, len(arms), seed=config.seed, **settings.options))


def tasks_beyond(config: TrainConfig, curriculum: Curriculum | None) -> list[TaskSet]:
    """Return the task sets of a curriculum that are not parts of the environment's own: its levels."""
    if curriculum is None or config.curriculum is None or config.curriculum.by is not None:
        return []
    return [arm.tasks for arm in curriculum.arms]


def observe(curriculum: Curriculum, picks: Sequence[Pick], groups: Sequence[Group]) -> None:
    """Tell the curriculum the raw outcomes of the groups that were played, one for each pick, in order."""
    for pick, group in zip(picks, groups, strict=True):
        outcomes = [member.correct for member in group if member.correct is not None]
        curriculum.observe(pick.arm, sum(outcomes), len(outcomes))


def episode_limits(config: RolloutConfig) -> Limits:
    """Return the limits of an episode of training."""
    return Limits(tokens=config.episode_tokens, turn_tokens=config.max_tokens)
