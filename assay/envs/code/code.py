"""assay/Code-v0: write a program that passes hidden tests, in one turn.

Without `data`, tasks come from a small grammar of list programs: `f(xs): keep even; add 3; sum`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from assay.core.task import Task
from assay.envs.base import SingleTurnEnv
from assay.envs.code.grammar import careless_program, program_of, random_program
from assay.envs.code.source import SplitName, code_tasks, fenced, hidden_values
from assay.verifiers.code.grade import GradingSandbox
from assay.verifiers.code.verifier import CodeVerifier, Credit

ENV_ID = "assay/Code-v0"


class CodeEnv(SingleTurnEnv):
    """Programs, judged by hidden tests in a sandbox.

    Options:
        data: `file.jsonl`, `file.parquet` or `hf://...`: HumanEval, MBPP, APPS, TACO, CodeContests, LiveCodeBench or
            plain rows, recognised by their fields. Without it tasks are generated.
        steps: Of a generated program: a number, or [first, last].
        tests: Hidden tests of a generated task.
        credit: `all`, `fraction` or `subtasks`.
        instructions: Explain generated tasks in a system message.
        split: `train` or `eval`; of data files also `all`, their default.
        limit: Read only the first rows.
        sandbox: Where programs run; by default the local sandbox that the process shares.

    Demonstrations: `solution`, where there is one; `guess` is a random program of the grammar. For small models, on one
    line and without a fence: `short` is the solution, `careless` has a step left out or mistaken for another,
    `short_guess` is a random program.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("solution", "guess", "short", "careless", "short_guess")

    def __init__(
        self,
        *,
        data: str | Path | None = None,
        steps: int | Sequence[int] = (1, 3),
        tests: int = 10,
        credit: Credit = "all",
        instructions: bool = False,
        split: SplitName | None = None,
        limit: int | None = None,
        sandbox: GradingSandbox | None = None,
        render_mode: str | None = None,
    ) -> None:
        tasks = code_tasks(
            ENV_ID, data=data, split=split, limit=limit, steps=steps, tests=tests, instructions=instructions
        )
        super().__init__(tasks, CodeVerifier(credit=credit, sandbox=sandbox), render_mode=render_mode)

    def secret(self, task: Task) -> list[str]:
        """Return the values of the hidden tests."""
        return hidden_values(task)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn with a program."""
        if style == "solution" and task.metadata.get("solution"):
            return [fenced(task.metadata["solution"])]
        if style in ("guess", "short_guess"):
            program = random_program(rng, int(rng.integers(1, 4)))
            return [program.short if style == "short_guess" else fenced(program.source)]
        if style in ("short", "careless") and task.metadata.get("words"):
            program = program_of(task.metadata["words"])
            return [(careless_program(rng, program) if style == "careless" else program).short]
        return super().demonstrate(task, style, rng)

    def demonstration(self, task: Task) -> list[str] | None:
        """Return the solution as an answer, if the task has one."""
        return super().demonstration(task) if task.metadata.get("solution") else None
