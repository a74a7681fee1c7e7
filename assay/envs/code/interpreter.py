"""assay/CodeInterpreter-v0: answer questions with a Python interpreter that keeps its variables between calls.

The tool runs in a sandboxed session of the episode's own; the final answer, a turn without a call, is judged like any
other answer. Without `data`, questions come from a generator of integer problems that are easy to compute and hard to
guess.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from math import gcd
from pathlib import Path
from typing import ClassVar

import numpy as np

from assay.core.errors import ConfigError
from assay.core.message import Observation, text_of
from assay.core.task import Problem, Task
from assay.core.tool import Tool, ToolCall
from assay.envs.base import play
from assay.envs.code.source import SplitName
from assay.envs.math.mathword import MathWordEnv
from assay.envs.procedural import prompt, task_source
from assay.envs.tools.base import ToolEnv
from assay.sandboxes import CellResult, Limits, Sandbox, Session, require_isolation
from assay.sandboxes.local.sandbox import default_sandbox
from assay.verifiers import make_verifier

ENV_ID = "assay/CodeInterpreter-v0"
_INSTRUCTIONS = (
    "Use the python tool to work the answer out; variables are kept from call to call, and what you print, and the "
    "value of a last expression, come back. When you know the answer, end with a turn without a call that puts it into "
    "\\boxed{}."
)
_LIMITS = Limits(cpu_seconds=10, wall_seconds=10, memory_bytes=512 * 2**20, output_bytes=2**16)


def _divisor_sum(n: int) -> int:
    return sum(d for d in range(1, n + 1) if n % d == 0)


def _coprime(n: int) -> int:
    return sum(gcd(k, n) == 1 for k in range(1, n + 1))


def _digit_sum(n: int) -> int:
    return sum(map(int, str(2**n)))


def _steps(n: int) -> int:
    count = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        count += 1
    return count


_QUESTIONS: tuple[tuple[str, str, Callable[[int], int]], ...] = (
    ("What is the sum of the divisors of {n}?", "sum(d for d in range(1, {n} + 1) if {n} % d == 0)", _divisor_sum),
    (
        "How many integers from 1 to {n} are coprime to {n}?",
        "from math import gcd\nsum(gcd(k, {n}) == 1 for k in range(1, {n} + 1))",
        _coprime,
    ),
    ("What is the sum of the decimal digits of 2**{n}?", "sum(map(int, str(2**{n})))", _digit_sum),
    (
        "Halve an even number, and replace an odd n by 3n+1. How many such steps lead from {n} to 1?",
        "n, c = {n}, 0\nwhile n != 1:\n    n = n // 2 if n % 2 == 0 else 3 * n + 1\n    c += 1\nc",
        _steps,
    ),
)


@dataclass(frozen=True)
class IntegerQuestions:
    """Questions whose answer is an integer."""

    largest: int = 2000
    instructions: str = field(default="", compare=False, repr=False)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one question."""
        text, code, answer = _QUESTIONS[int(rng.integers(len(_QUESTIONS)))]
        n = int(rng.integers(50, self.largest + 1))
        question = text.format(n=n)
        return {
            "prompt": prompt(question, self.instructions),
            "key": question,
            "target": str(answer(n)),
            "metadata": {"code": code.format(n=n)},
        }


class CodeInterpreterEnv(ToolEnv):
    """Questions, and a Python interpreter.

    Options:
        data: Math rows as of `assay/MathWord-v0`; without it questions are generated.
        verifier: Judges the final answer (a registered name).
        max_turns, instructions, split, limit: As elsewhere.
        limits: Of a session; the time holds for each call.
        sandbox: Where sessions run; by default the local sandbox that the process shares.

    Demonstrations, for generated questions: `compute` calls the tool once and answers with what it says.
    """

    blocking = True
    demonstration_styles: ClassVar[tuple[str, ...]] = ("compute",)

    def __init__(
        self,
        *,
        data: str | Path | None = None,
        verifier: str = "math",
        max_turns: int = 6,
        instructions: bool = True,
        split: SplitName | None = None,
        limit: int | None = None,
        limits: Limits = _LIMITS,
        sandbox: Sandbox | None = None,
        render_mode: str | None = None,
    ) -> None:
        if data is not None:
            tasks = MathWordEnv(data=data, split=split or "all", limit=limit, verifier=verifier).tasks
        elif split == "all":
            raise ConfigError("generated questions belong to split 'train' or 'eval'; 'all' is for data files")
        else:
            generator = IntegerQuestions(instructions=_INSTRUCTIONS if instructions else "")
            tasks = task_source(ENV_ID, split or "train", generator, IntegerQuestions())
        tool = Tool(self._python, name="python", description="Run Python code; variables are kept between calls.")
        super().__init__(tasks, make_verifier(verifier), [tool], max_turns=max_turns, render_mode=render_mode)
        self._sandbox, self._limits = sandbox, limits
        require_isolation(sandbox or default_sandbox())
        self._session: Session | None = None

    def begin(self, task: Task) -> Observation:
        """Start a fresh interpreter."""
        self._end_session()
        self._session = self._new_session()
        return task.messages()

    def _new_session(self) -> Session:
        return (self._sandbox or default_sandbox()).session(self._limits)

    def _python(self, code: str) -> str:
        """Run Python code.

        Args:
            code: The code.
        """
        if self._session is None:
            self._session = self._new_session()
        result = self._session.execute(code)
        if result.status == "dead":
            self._end_session()
        return _show(result)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Play an episode with one call."""
        if style not in self.demonstration_styles or "code" not in task.metadata:
            return super().demonstrate(task, style, rng)
        return play(self, task, _player(task.metadata["code"]))

    def demonstration(self, task: Task) -> list[str] | None:
        """Return turns that answer the question, if it was generated."""
        return super().demonstration(task) if "code" in task.metadata else None

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def close(self) -> None:
        """End the interpreter."""
        self._end_session()
        super().close()


def _player(code: str) -> Generator[str, Observation, None]:
    (answer,) = yield ToolCall("python", {"code": code}).render()
    yield f"The answer is \\boxed{{{text_of(answer).strip()}}}."


def _show(result: CellResult) -> str:
    """Return what a cell left, as the agent reads it."""
    parts: list[str] = [result.stdout.rstrip("\n"), result.value, result.stderr.rstrip("\n")]
    if result.status == "interrupted":
        parts.append("stopped: the time limit of a call was reached; variables are kept")
    elif result.status == "dead":
        parts.append("the interpreter ended; the next call starts a new one")
    if result.truncated:
        parts.append("(output cut off)")
    return "\n".join(filter(None, parts)) or "(no output)"
