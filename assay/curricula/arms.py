"""Arms: named sources of tasks, and three ways to divide a set of tasks into them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from assay.core.errors import ConfigError
from assay.core.task import Task, TaskList, TaskSet

Division = Literal["tag", "difficulty", "task"]


@dataclass(frozen=True, slots=True)
class Arm:
    """A source of tasks among which a policy chooses."""

    name: str
    tasks: TaskSet

    def __post_init__(self) -> None:
        if self.tasks.size == 0:
            raise ConfigError(f"arm {self.name!r} has no tasks")


def arms_by(division: Division, tasks: TaskSet) -> list[Arm]:
    """Divide a sized set of tasks, each task in one arm.

    `tag` goes by a task's first tag, `difficulty` by its difficulty, in ascending order, and `task` makes every task an
    arm of its own. `ConfigError` for an infinite set, and for a task without what divides them.
    """
    if tasks.size is None:
        raise ConfigError(f"a curriculum by {division} needs a finite set of tasks; give levels for an infinite one")
    if division not in _KEYS:
        raise ConfigError(f"a curriculum goes by {', '.join(_KEYS)}, not {division!r}")
    members: dict[str | float, list[Task]] = {}
    for task in tasks:
        members.setdefault(_KEYS[division](task), []).append(task)
    names = sorted(members) if division == "difficulty" else list(members)  # type: ignore[type-var]
    return [Arm(name if isinstance(name, str) else f"{name:g}", TaskList(members[name])) for name in names]


def _tag(task: Task) -> str:
    if not task.tags:
        raise ConfigError(f"a curriculum by tag: task {task.id!r} has no tags")
    return task.tags[0]


def _difficulty(task: Task) -> float:
    if task.difficulty is None:
        raise ConfigError(f"a curriculum by difficulty: task {task.id!r} has no difficulty")
    return task.difficulty


_KEYS: dict[Division, Callable[[Task], str | float]] = {
    "tag": _tag,
    "difficulty": _difficulty,
    "task": lambda task: task.id,
}
