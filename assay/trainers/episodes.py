"""Where the episodes of a run come from: its environments and tasks, and the agent that plays them.

Invariant: training step s takes the same tasks with the same seeds whenever it runs, so a resumed run repeats an
unbroken one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from assay.core.errors import ConfigError
from assay.core.message import text_of
from assay.core.registry import make
from assay.core.task import Limits, Task, TaskSet
from assay.rollouts.pool import AnyEnv
from assay.trainers.config import EnvConfig, RolloutConfig

Split = Literal["train", "eval"]


def env_maker(config: EnvConfig, split: Split) -> Callable[[], AnyEnv]:
    """Return what makes environments of one split."""
    options: dict[str, Any] = {"split": split, **config.options}
    if split == "eval":
        options.update(config.eval_options)
    return lambda: make(config.id, **options)


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


def openings(make_env: Callable[[], AnyEnv], tasks: TaskSet, count: int = 32) -> Iterator[str]:
    """Yield the text of the messages that open the first episodes."""
    env = make_env()
    try:
        for task in tasks.head(count):
            observation, _ = env.reset(seed=0, options={"task": task})
            yield from map(text_of, observation)
    finally:
        env.close()


def draw(tasks: TaskSet, start: int, count: int) -> Iterator[Task]:
    """Yield `count` tasks from number `start` on, from the beginning again after the last one."""
    for number in range(start, start + count):
        yield tasks[number if tasks.size is None else number % tasks.size]


def episode_limits(config: RolloutConfig) -> Limits:
    """Return the limits of an episode of training."""
    return Limits(tokens=config.episode_tokens, turn_tokens=config.max_tokens)
