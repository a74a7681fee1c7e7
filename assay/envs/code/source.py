"""Where the code environments get their tasks: a data file, or the grammar."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from assay.core.errors import ConfigError
from assay.core.task import TaskSet, load_tasks, of_split
from assay.envs.code.grammar import INSTRUCTIONS, ProgramGenerator
from assay.envs.code.rows import code_task
from assay.envs.procedural import task_source

SplitName = Literal["all", "train", "eval"]


def code_tasks(
    env_id: str,
    *,
    data: str | Path | None,
    split: SplitName | None,
    limit: int | None,
    steps: int | Sequence[int],
    tests: int,
    instructions: bool,
) -> TaskSet:
    """Return rows of `data` (all of them unless a split is named), or generated tasks (of `train` by default)."""
    if split not in (None, "all", "train", "eval"):
        raise ConfigError(f"split must be 'all', 'train' or 'eval', not {split!r}")
    if data is None:
        if split == "all":
            raise ConfigError("generated tasks belong to split 'train' or 'eval'; 'all' is for data files")
        generator = ProgramGenerator(steps, tests, instructions=INSTRUCTIONS if instructions else "")  # type: ignore[arg-type]
        return task_source(env_id, split or "train", generator, ProgramGenerator())
    return of_split(load_tasks(data, code_task, limit=limit), split, data)


def fenced(code: str) -> str:
    """Return a program as an answer."""
    return f"```python\n{code.rstrip()}\n```"
