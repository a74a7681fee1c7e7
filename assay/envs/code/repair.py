"""assay/CodeRepair-v0: write a program, see how it does in the public tests, mend it; hidden tests judge.

A turn without a complete code block is told so and counts. A program that passes all public tests ends the episode;
when the turns run out, the last turn is judged as it stands. The feedback holds inputs and outputs of public tests
only: nothing of a hidden test, not even how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from assay.core.message import Observation, user
from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.envs.base import Progress, TaskEnv, play, say
from assay.envs.code.grammar import random_program
from assay.envs.code.source import SplitName, code_tasks, fenced, hidden_values
from assay.sandboxes import SandboxFault
from assay.verifiers.code.extract import extract_code
from assay.verifiers.code.grade import GradingSandbox, TestOutcome, run_test
from assay.verifiers.code.tests import CallTest, CheckTest, StdioTest, Suite, Test, read_suite
from assay.verifiers.code.verifier import CodeVerifier, Credit

ENV_ID = "assay/CodeRepair-v0"
_SHOWN = 500
"""Characters of any one text in the feedback."""


class CodeRepairEnv(TaskEnv):
    """Programs in several turns, with feedback from public tests.

    Options: as of `assay/Code-v0`, and `max_turns`. Rows without public tests end with their first program.

    Demonstrations: `solution` is right at once; `mend` hands in a random program first, then the solution.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("solution", "mend")

    def __init__(
        self,
        *,
        data: str | Path | None = None,
        steps: int | Sequence[int] = (1, 3),
        tests: int = 10,
        credit: Credit = "all",
        max_turns: int = 4,
        instructions: bool = False,
        split: SplitName | None = None,
        limit: int | None = None,
        sandbox: GradingSandbox | None = None,
        render_mode: str | None = None,
    ) -> None:
        tasks = code_tasks(
            ENV_ID, data=data, split=split, limit=limit, steps=steps, tests=tests, instructions=instructions
        )
        self._grader = CodeVerifier(credit=credit, sandbox=sandbox)
        super().__init__(tasks, self._grader, max_turns=max_turns, render_mode=render_mode)

    def begin(self, task: Task) -> Observation:
        """Show the task, and its public tests."""
        self._suite = _public_suite(task)
        opening = task.messages()
        if self._suite is None or not self._suite.tests:
            return opening
        lines = "\n".join(_describe(test, self._suite.entry_point) for test in self._suite.tests)
        return (*opening[:-1], user(f"{opening[-1]['content']}\nExamples:\n{lines}"))

    def advance(self, action: str) -> Progress:
        """Run the public tests; end when they pass."""
        language = self._suite.language if self._suite is not None else "python"
        code = self._suite.extract(action) if self._suite is not None else extract_code(action)
        if code is None:
            return Progress((user(f"There is no complete ```{language} code block in your answer."),))
        if self._suite is None:
            return Progress(done=True)
        program = self._suite.assemble(code)
        for test in self._suite.tests:
            outcome = run_test(self._grader.sandbox, program, self._suite, test)
            if not outcome.passed:
                return Progress((user(_feedback(test, outcome, self._suite.entry_point)),))
        return Progress(done=True)

    def out_of_turns(self) -> Verdict:
        """Judge the last program."""
        return self.judge()

    def secret(self, task: Task) -> list[str]:
        """Return the values of the hidden tests."""
        return hidden_values(task)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return the turns of a demonstration."""
        solution = task.metadata.get("solution")
        if style not in self.demonstration_styles or not solution:
            return super().demonstrate(task, style, rng)
        if style == "solution":
            return [fenced(solution)]
        first = fenced(random_program(rng, int(rng.integers(1, 4))).source)
        return play(self, task, say(first, fenced(solution)))

    def demonstration(self, task: Task) -> list[str] | None:
        """Return the solution as an answer, if the task has one."""
        return super().demonstration(task) if task.metadata.get("solution") else None


def _public_suite(task: Task) -> Suite | None:
    """Return the public tests as a suite, or None when the task has none."""
    public = task.metadata.get("public")
    if not public:
        return None
    target: dict[str, Any] = {**task.target, "tests": list(public)}
    try:
        return read_suite(target)
    except ValueError as error:
        raise SandboxFault(f"public tests of {task.id}: {error}") from None


def _describe(test: Test, entry_point: str) -> str:
    if isinstance(test, StdioTest):
        return f"input:\n{_cut(test.input)}\noutput:\n{_cut(test.output)}"
    if isinstance(test, CheckTest):
        return _cut(test.source.strip())
    return f"{_call(test, entry_point)} == {_cut(repr(test.expected))}"


def _call(test: CallTest, entry_point: str) -> str:
    arguments = [repr(value) for value in test.args] + [f"{key}={value!r}" for key, value in test.kwargs.items()]
    return _cut(f"{entry_point}({', '.join(arguments)})")


def _feedback(test: Test, outcome: TestOutcome, entry_point: str) -> str:
    """Say how a program failed in a public test: what it was to do, what it did, and the end of its errors."""
    lines = [
        "A public test failed:",
        _describe(test, entry_point),
        f"Result: {outcome.status}. {outcome.reason}".rstrip(),
    ]
    if outcome.result is not None:
        if isinstance(test, StdioTest) and outcome.status == "wrong":
            lines.append(f"Your output:\n{_cut(outcome.result.text)}")
        elif isinstance(test, CallTest) and outcome.status == "wrong":
            lines.append(f"Your value: {_cut(outcome.result.result.decode('utf-8', 'replace'))}")
        errors = outcome.result.stderr.decode("utf-8", "replace").strip()
        if errors:
            lines.append(f"Errors:\n{errors[-_SHOWN:]}")
    return "\n".join(lines)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
