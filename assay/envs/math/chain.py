"""A chain of numbers joined by operators, such as `3+7*4-2`, and the two orders in which people work it out.

Problems hold no negative numbers, and in both orders only the leftmost number can become negative, so the text of a
chain is never ambiguous.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from assay.core.errors import ConfigError
from assay.core.task import Problem
from assay.envs.procedural import check_between, prompt, span

OPERATORS = "+-*"


class Chain(NamedTuple):
    """`len(operators)` is one less than `len(numbers)`."""

    numbers: tuple[int, ...]
    operators: str

    def __str__(self) -> str:
        return str(self.numbers[0]) + "".join(
            f"{op}{n}" for op, n in zip(self.operators, self.numbers[1:], strict=True)
        )

    def tightest(self) -> int:
        """Return which operation comes first by precedence: the leftmost `*`, else the leftmost one."""
        return max(self.operators.find("*"), 0)

    def operation(self, at: int) -> str:
        """Return operation number `at` as text, such as `7*4`."""
        return f"{self.numbers[at]}{self.operators[at]}{self.numbers[at + 1]}"

    def replace(self, at: int, value: int) -> Chain:
        """Return the chain with operation `at` replaced by its value."""
        return Chain(
            (*self.numbers[:at], value, *self.numbers[at + 2 :]), self.operators[:at] + self.operators[at + 1 :]
        )

    def reduce(self, at: int, modulus: int | None) -> Chain:
        """Return the chain with operation `at` carried out."""
        left, operator, right = self.numbers[at], self.operators[at], self.numbers[at + 1]
        value = left * right if operator == "*" else left + right if operator == "+" else left - right
        return self.replace(at, value if modulus is None else value % modulus)

    def working(self, modulus: int | None, *, precedence: bool = True) -> list[Chain]:
        """Return the chain after each operation, the last one a single number; left to right without precedence."""
        steps, chain = [], self
        while chain.operators:
            chain = chain.reduce(chain.tightest() if precedence else 0, modulus)
            steps.append(chain)
        return steps

    def value(self, modulus: int | None) -> int:
        """Return what the chain evaluates to."""
        chain = self
        while chain.operators:
            chain = chain.reduce(chain.tightest(), modulus)
        return chain.numbers[0]


@dataclass(frozen=True)
class ChainGenerator:
    """Problems `3+7*4-2=`: random chains, their value as the target, `terms` as the difficulty."""

    terms: tuple[int, int]
    digits: int
    operators: str
    modulus: int | None
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", span("terms", self.terms, low=2, high=100))
        check_between("digits", self.digits, 1, 9)
        if not self.operators or set(self.operators) - set(OPERATORS):
            raise ConfigError(f"operators must be some of {OPERATORS!r}, not {self.operators!r}")
        if self.modulus is not None:
            check_between("modulus", self.modulus, 2, 10**9)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one problem."""
        terms = int(rng.integers(self.terms[0], self.terms[1] + 1))
        numbers = tuple(rng.integers(10**self.digits, size=terms).tolist())
        picks = rng.integers(len(self.operators), size=terms - 1).tolist()
        chain = Chain(numbers, "".join([self.operators[pick] for pick in picks]))
        text = f"{chain}="
        # A `*` after a `+` or `-`: working from left to right goes astray.
        tag = "precedence" if "*" in chain.operators.lstrip("*") else "left-to-right"
        return {
            "prompt": prompt(text, self.instructions),
            "key": text,
            "target": chain.value(self.modulus),
            "difficulty": float(terms),
            "tags": (f"terms-{terms}", tag),
            "metadata": {"numbers": numbers, "operators": chain.operators},
        }


def chain_of(metadata: Mapping[str, Any]) -> Chain:
    """Return the chain of a task made by `ChainGenerator`, from the task's metadata."""
    return Chain(tuple(metadata["numbers"]), metadata["operators"])
