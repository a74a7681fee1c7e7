"""assay/Countdown-v0: reach a value with given numbers: `2 3 5=16` is answered by `3+5=8;8*2=16;#(3+5)*2`.

The verifier `countdown` reads the expression after the last `#`. `Task.target` holds one solution; any other one is as
good. Numbers and the value to reach are part of the question, so they live in the task's metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import add, floordiv, mul, sub
from typing import Any, ClassVar, NamedTuple

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.base import SingleTurnEnv
from assay.envs.procedural import check_between, prompt, span, task_source
from assay.verifiers.puzzles.countdown import CountdownVerifier

ENV_ID = "assay/Countdown-v0"
_INSTRUCTIONS = (
    "You are given some numbers and, after the equals sign, a value to reach. Write an expression with that value. Use "
    "each number at most once and only the operations + - * / and parentheses. Think step by step, and end with # "
    "and the expression alone. Example: 3 5 2=16 is answered by 3+5=8;8*2=16;#(3+5)*2"
)


_OPERATIONS: dict[str, Callable[[int, int], int]] = {"+": add, "-": sub, "*": mul, "/": floordiv}


class Term(NamedTuple):
    """A positive integer and an expression that gives it; `binding` is the precedence of its outermost operator."""

    value: int
    text: str
    binding: int = 3


class Solution(NamedTuple):
    """A term made of all numbers, and the steps that lead there, such as `25-3=22`."""

    term: Term
    steps: tuple[str, ...]


def combine(numbers: Sequence[int], rng: np.random.Generator) -> Solution:
    """Return a random way to join all numbers, with positive integers all the way."""
    terms = [Term(number, str(number)) for number in numbers]
    steps: list[str] = []
    draws = iter(rng.random(3 * len(terms)).tolist())
    while len(terms) > 1:
        left = terms.pop(int(next(draws) * len(terms)))
        right = terms.pop(int(next(draws) * len(terms)))
        if left.value < right.value:
            left, right = right, left
        operators = "+*" if left.value == right.value else "+-*"
        if right.value > 1 and left.value % right.value == 0:
            operators += "/"
        operator = operators[int(next(draws) * len(operators))]
        joined = _join(left, operator, right)
        steps.append(f"{left.value}{operator}{right.value}={joined.value}")
        terms.append(joined)
    return Solution(terms[0], tuple(steps))


def _join(left: Term, operator: str, right: Term) -> Term:
    """Return the term `left operator right`, with parentheses only where they matter."""
    binding = 1 if operator in "+-" else 2
    value = _OPERATIONS[operator](left.value, right.value)
    first = left.text if left.binding >= binding else f"({left.text})"
    loose = right.binding < binding or (right.binding == binding and operator in "-/")
    return Term(value, f"{first}{operator}({right.text})" if loose else f"{first}{operator}{right.text}", binding)


@dataclass(frozen=True)
class CountdownGenerator:
    """Solvable problems: the value to reach is that of a random expression over all the numbers."""

    count: tuple[int, int] = (4, 4)
    max_number: int = 25
    max_target: int = 100
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", span("count", self.count, low=2, high=8))
        check_between("max_number", self.max_number, 2, 10**6)
        check_between("max_target", self.max_target, 2, 10**9)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one problem."""
        count = int(rng.integers(self.count[0], self.count[1] + 1))
        for _ in range(1000):
            numbers = tuple(sorted(rng.integers(1, self.max_number + 1, size=count).tolist()))
            solution = combine(numbers, rng)
            value = solution.term.value
            if value <= self.max_target and value not in numbers:
                break
        else:
            raise ConfigError(f"max_target={self.max_target} is too small for {count} numbers up to {self.max_number}")
        text = f"{' '.join(map(str, numbers))}={value}"
        return {
            "prompt": prompt(text, self.instructions),
            "key": text,
            "target": solution.term.text,
            "difficulty": float(count),
            "tags": (f"numbers-{count}",),
            "metadata": {"numbers": numbers, "value": value, "steps": solution.steps},
        }


class CountdownEnv(SingleTurnEnv):
    """Reach a value with given numbers and `+ - * /`; always solvable.

    Options: `count` of numbers (one, or [first, last]), `max_number`, `max_target`, `instructions`, `split`.

    Demonstrations: `solve` shows the steps of a solution; `guess` joins the numbers at random.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("solve", "guess")

    def __init__(
        self,
        *,
        count: int | Sequence[int] = 4,
        max_number: int = 25,
        max_target: int = 100,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        generator = CountdownGenerator(count, max_number, max_target, _INSTRUCTIONS if instructions else "")  # type: ignore[arg-type]
        tasks = task_source(ENV_ID, split, generator, CountdownGenerator())
        super().__init__(tasks, CountdownVerifier(), render_mode=render_mode)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn: the steps, then `#` and the expression."""
        if style == "solve":
            return [_write(task.metadata["steps"], task.target)]
        if style == "guess":
            guess = combine(task.metadata["numbers"], rng)
            return [_write(guess.steps, guess.term.text)]
        return super().demonstrate(task, style, rng)


def _write(steps: Sequence[str], expression: Any) -> str:
    return ";".join([*steps, f"#{expression}"])
