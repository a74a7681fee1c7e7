"""Where the code environments get their tasks: a data file, or the grammar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from assay.core.errors import ConfigError
from assay.core.kept import kept
from assay.core.message import text_of
from assay.core.task import Task, TaskSet, load_tasks, of_split
from assay.envs.code.grammar import INSTRUCTIONS, ProgramGenerator
from assay.envs.code.rows import code_task
from assay.envs.leaks import unshown
from assay.envs.procedural import task_source
from assay.verifiers.code.tests import CallTest, StdioTest, Test, read_suite

SplitName = Literal["all", "train", "eval"]
_load = kept(load_tasks)


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
    return of_split(_load(data, code_task, limit=limit), split, data)


def hidden_values(task: Task) -> list[str]:
    """Return what is secret in a task's tests: inputs and results that are neither in the question nor public.

    Published questions repeat some of their tests as examples (HumanEval's doctests, the first assertion of MBPP).
    """
    told = [text_of(message) for message in task.messages()]
    if public := task.metadata.get("public"):
        told += map(str, _values({**task.target, "tests": public}))
    return unshown(_values(task.target), "\n".join(told))


def _values(target: Mapping[str, Any]) -> list[Any]:
    """Return the inputs and results of all tests, and test code as it is."""
    return [value for test in read_suite(target).tests for value in _parts(test)]


def _parts(test: Test) -> tuple[Any, ...]:
    if isinstance(test, StdioTest):
        return test.input, test.output
    if isinstance(test, CallTest):
        return *test.args, *test.kwargs.values(), test.expected
    return (test.source,)


def fenced(code: str) -> str:
    """Return a program as an answer."""
    return f"```python\n{code.rstrip()}\n```"
