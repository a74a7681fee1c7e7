"""assay/TestWriting-v0: write tests for a described function; they are worth what they catch.

The agent sees a description, never the reference. Its suite has to accept the reference and to kill mutants of it, each
of which is known to differ on some input. Without `data`, functions come from the grammar of list programs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from assay.core.errors import DataError
from assay.core.task import Task, TaskList, TaskSet
from assay.envs.base import SingleTurnEnv
from assay.envs.code.grammar import INSTRUCTIONS
from assay.envs.code.source import SplitName, code_tasks, fenced
from assay.sandboxes.local.agent import codec
from assay.verifiers.code.grade import GradingSandbox
from assay.verifiers.code.test_suite import TestSuiteVerifier
from assay.verifiers.code.tests import CallTest, read_suite

ENV_ID = "assay/TestWriting-v0"
_ASK = (
    "Write tests for the function that is described below. It is defined already as `{name}`: do not define or import "
    "it. Write functions whose names begin with `test_` and that use `assert`, in one ```python code block. The tests "
    "must pass for a correct implementation and fail for incorrect ones.\n\n{question}"
)


class TestWritingEnv(SingleTurnEnv):
    """Test suites, judged by the mutants that they kill.

    Options: as of `assay/Code-v0`; rows need a solution and tests that are plain calls, others are left out.
        mutants: How many mutants to use at most.
        smell_weight: Share of the score that static quality decides.

    Demonstrations: `thorough` asserts the results of all inputs that certify the mutants; `single` asserts one;
    `mistaken` asserts a wrong result among right ones.
    """

    __test__ = False  # not a test class of pytest's
    demonstration_styles: ClassVar[tuple[str, ...]] = ("thorough", "single", "mistaken")

    def __init__(
        self,
        *,
        data: str | Path | None = None,
        steps: int | Sequence[int] = (1, 3),
        tests: int = 10,
        mutants: int = 12,
        smell_weight: float = 0.1,
        split: SplitName | None = None,
        limit: int | None = None,
        sandbox: GradingSandbox | None = None,
        render_mode: str | None = None,
    ) -> None:
        tasks = code_tasks(ENV_ID, data=data, split=split, limit=limit, steps=steps, tests=tests, instructions=False)
        verifier = TestSuiteVerifier(mutants=mutants, smell_weight=smell_weight, sandbox=sandbox)
        super().__init__(_usable(tasks, str(data)), verifier, render_mode=render_mode)

    def secret(self, task: Task) -> str:
        """Return the reference; the inputs that its tests are tried on may be examples of the question."""
        return str(task.target["reference"])

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn with a test suite."""
        name, examples = task.target["entry_point"], task.metadata["examples"]
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        if style == "single":
            examples = [examples[int(rng.integers(len(examples)))]]
        lines = [_assertion(name, example) for example in examples]
        if style == "mistaken":
            wrong = {**examples[0], "expected": "no such result"}
            lines[int(rng.integers(len(lines)))] = _assertion(name, wrong)
        tests = [
            f'def test_{name}_on_input_{number}():\n    """A known result."""\n    {line}'
            for number, line in enumerate(dict.fromkeys(lines))
        ]
        return [fenced("\n\n\n".join(tests))]


class _Converted(TaskSet):
    """An infinite set of programming tasks as tasks of writing tests."""

    def __init__(self, tasks: TaskSet) -> None:
        self._tasks = tasks

    def __getitem__(self, index: int) -> Task:
        return suite_task(self._tasks[index])

    def get(self, task_id: str) -> Task:
        """Return the task with this id."""
        return suite_task(self._tasks.get(task_id))


def _usable(tasks: TaskSet, path: str) -> TaskSet:
    if tasks.size is None:
        return _Converted(tasks)
    converted = []
    for task in tasks:
        try:
            converted.append(suite_task(task))
        except ValueError:
            continue
    if not converted:
        raise DataError("no row has a solution and tests that are plain calls of a function", path=path)
    return TaskList(converted)


def suite_task(task: Task) -> Task:
    """Return the task of testing what a programming task asks for. ValueError when it has too little for that."""
    solution, suite = task.metadata.get("solution"), read_suite(task.target)
    calls = [test for test in suite.tests if isinstance(test, CallTest)]
    known = [call for call in calls if call.rule in ("value", "python", "is")]
    if not solution or not known or len(calls) < len(suite.tests):
        raise ValueError(f"task {task.id} has no solution, or tests that are not plain calls")
    question = task.metadata.get("question") or f"{task.prompt}\n\n{INSTRUCTIONS.partition('Answer with')[0].strip()}"
    inputs = [_arguments(call) for call in calls]
    examples = [{**_arguments(call), "expected": codec.to_json(call.expected)} for call in known]
    return Task(
        id=task.id,
        prompt=_ASK.format(name=suite.entry_point, question=question),
        target={"reference": suite.assemble(solution), "entry_point": suite.entry_point, "inputs": inputs},
        split=task.split,
        seed=task.seed,
        tags=task.tags,
        difficulty=task.difficulty,
        metadata={"examples": examples},
    )


def _arguments(call: CallTest) -> dict[str, Any]:
    row: dict[str, Any] = {"args": codec.to_json(list(call.args))}
    return {**row, "kwargs": codec.to_json(dict(call.kwargs))} if call.kwargs else row


def _assertion(name: str, example: Mapping[str, Any]) -> str:
    args = codec.from_json(example["args"])
    kwargs = codec.from_json(example.get("kwargs", {"d": []}))
    arguments = [repr(value) for value in args] + [f"{key}={value!r}" for key, value in kwargs.items()]
    return f"assert {name}({', '.join(arguments)}) == {codec.from_json(example['expected'])!r}"
