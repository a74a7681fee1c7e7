"""What procedural environments share: option checks, prompts in two lengths, and names that tell variants apart.

Every generator is a frozen dataclass of its options, callable with a random generator. `task_source` names its
tasks after the environment; with options other than the default ones a hash of them joins the name, so that the
same task id never means two different problems.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from assay.core.errors import ConfigError
from assay.core.message import Message, system, user
from assay.core.seeding import Split, short_hash
from assay.core.task import Problem, ProceduralTaskSet

Generate = Callable[[np.random.Generator], Problem]


def task_source(env_id: str, split: Split, generator: Generate, default: Generate) -> ProceduralTaskSet:
    """Return the tasks of one split; `default` is the generator with the environment's default options."""
    name = env_id if generator == default else f"{env_id}@{short_hash(repr(generator), 6)}"
    return ProceduralTaskSet(name, split, generator)


def span(name: str, value: int | Sequence[int], *, low: int, high: int) -> tuple[int, int]:
    """Return a range option as (first, last): one number, or two in order; all within [low, high]."""
    ends = (value, value) if isinstance(value, int) else tuple(value)
    if len(ends) != 2 or not all(isinstance(end, int) for end in ends) or not low <= ends[0] <= ends[1] <= high:
        raise ConfigError(f"{name} must be a number or [first, last] between {low} and {high}, not {value!r}")
    return ends[0], ends[1]


def check_between(name: str, value: int, low: int, high: int) -> None:
    """Refuse an option that is no integer in [low, high]."""
    if not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{name} must be a whole number between {low} and {high}, not {value!r}")


def prompt(question: str, instructions: str) -> str | tuple[Message, ...]:
    """Return the bare question, or with instructions a system message that explains the task and the question."""
    return (system(instructions), user(question)) if instructions else question
