"""assay/Calculator-v0: work out `12+7*4=` with a calculator that does one operation at a time.

The agent calls the tool with `7*4`, reads `28`, calls it with `12+28`, and answers `#40`. Success takes as many
calls as there are operations, in the order of precedence; guessing two-digit sums is hopeless.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import ClassVar

import numpy as np

from assay.core.errors import ConfigError, ToolError
from assay.core.message import Observation, text_of
from assay.core.seeding import Split
from assay.core.task import Task
from assay.core.tool import Tool, ToolCall
from assay.envs.base import play
from assay.envs.final_answer import FinalIntegerVerifier
from assay.envs.math.chain import ChainGenerator, chain_of
from assay.envs.procedural import task_source
from assay.envs.tools.base import ToolEnv
from assay.verifiers.puzzles.expression import ExpressionError, count_operations, evaluate, tokenize

ENV_ID = "assay/Calculator-v0"
_DEFAULT = ChainGenerator(terms=(3, 5), digits=2, operators="+-*", modulus=None)
_INSTRUCTIONS = (
    "Evaluate the expression; multiplication comes before addition and subtraction. Use the calculator tool for every "
    "operation. When you know the value, end a turn without a tool call with # and the value, such as #29."
)


class CalculatorEnv(ToolEnv):
    """Expressions of several terms and a calculator; the final answer is checked exactly.

    The final answer is a turn without a call that ends in `#` and an integer, or is just the integer.

    Options: `terms` (a number or [first, last]), `digits` of the largest operands, `operators` (some of `+-*`),
    `operations_per_call` (None: any number), `max_turns`, `instructions`, `split`.

    Demonstrations, played against the real tool: `careful` honours precedence, `hasty` works from left to right,
    `guess` does one right operation and then answers at random.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("careful", "hasty", "guess")

    def __init__(
        self,
        *,
        terms: int | Sequence[int] = (3, 5),
        digits: int = 2,
        operators: str = "+-*",
        operations_per_call: int | None = 1,
        max_turns: int = 6,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        if operations_per_call is not None and operations_per_call < 1:
            raise ConfigError(f"operations_per_call must be at least 1, or None, not {operations_per_call}")
        generator = ChainGenerator(terms, digits, operators, None, _INSTRUCTIONS if instructions else "")  # type: ignore[arg-type]
        super().__init__(
            task_source(ENV_ID, split, generator, _DEFAULT),
            FinalIntegerVerifier(plain=True),
            [calculator(operations_per_call)],
            max_turns=max_turns,
            render_mode=render_mode,
        )

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Play an episode in one of the styles."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        return play(self, task, _player(task, style, rng))


def calculator(operations_per_call: int | None = 1) -> Tool:
    """Return the tool; it refuses expressions with more operations than `operations_per_call`."""

    def calculate(expression: str) -> str:
        """Evaluate an arithmetic expression exactly.

        Args:
            expression: Numbers, + - * / and parentheses, such as 7*4.
        """
        try:
            tokens = tokenize(expression)
            value = evaluate(tokens)
        except ExpressionError as error:
            raise ToolError(str(error)) from None
        if operations_per_call is not None and count_operations(tokens) > operations_per_call:
            raise ToolError(f"at most {operations_per_call} operation(s) in a call, such as 7*4")
        return str(value)

    limit = {None: "", 1: " One operation in a call."}.get(operations_per_call, f" {operations_per_call} at a time.")
    return Tool(calculate, name="calculator", description=f"Evaluate an arithmetic expression exactly.{limit}")


def _player(task: Task, style: str, rng: np.random.Generator) -> Generator[str, Observation, None]:
    chain = chain_of(task.metadata)
    guess = int(rng.integers(max(chain.numbers) + 1)) if style == "guess" else None
    while chain.operators:
        at = 0 if style == "hasty" else chain.tightest()
        (answer,) = yield ToolCall("calculator", {"expression": chain.operation(at)}).render()
        chain = chain.replace(at, int(text_of(answer)))
        if guess is not None:
            yield f"#{guess}"
    yield f"#{chain.numbers[0]}"
