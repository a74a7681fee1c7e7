"""assay/Arithmetic-v0: evaluate `3+7*4-2=` with visible working: `3+8-2;1-2;9;#9` (arithmetic modulo 10).

Few facts and unlimited problems: a model of two million parameters can learn every step, and whether it gets the
answer right is a matter of *how* it works: with care, hastily, or by guessing. The demonstrators mix these ways as
a base model's data does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from assay.core.seeding import Split
from assay.core.task import Task
from assay.envs.base import SingleTurnEnv
from assay.envs.final_answer import FinalIntegerVerifier
from assay.envs.math.chain import Chain, ChainGenerator, chain_of
from assay.envs.procedural import task_source

ENV_ID = "assay/Arithmetic-v0"
_DEFAULT = ChainGenerator(terms=(4, 6), digits=1, operators="+-*", modulus=10)


class ArithmeticEnv(SingleTurnEnv):
    """Multi-step expressions with visible working; the answer after the last `#` is checked exactly.

    Options: `terms` (a number or [first, last]), `digits` of the largest operands, `operators` (some of `+-*`),
    `modulus` (None: plain integers), `instructions` (explain the task to a general model), `split`.

    Demonstrations: `careful` honours precedence, `hasty` works from left to right, `guess` does one right step and
    then answers at random.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("careful", "hasty", "guess")

    def __init__(
        self,
        *,
        terms: int | Sequence[int] = (4, 6),
        digits: int = 1,
        operators: str = "+-*",
        modulus: int | None = 10,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        self.modulus = modulus
        generator = ChainGenerator(terms, digits, operators, modulus, _instructions(modulus) if instructions else "")  # type: ignore[arg-type]
        super().__init__(
            task_source(ENV_ID, split, generator, _DEFAULT), FinalIntegerVerifier(), render_mode=render_mode
        )

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn: the working, then `#` and the answer."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        chain = chain_of(task.metadata)
        if style == "guess":
            first = chain.reduce(chain.tightest(), self.modulus)
            return [_write([first], int(rng.integers(self.modulus or 10 * max(chain.numbers) + 10)))]
        steps = chain.working(self.modulus, precedence=style == "careful")
        return [_write(steps, steps[-1].numbers[0])]


def _write(steps: Sequence[Chain], answer: int) -> str:
    return ";".join([*map(str, steps), f"#{answer}"])


def _instructions(modulus: int | None) -> str:
    example = Chain((3, 7, 4, 2), "+*-")
    steps = example.working(modulus)
    rule = "" if modulus is None else f" All arithmetic is modulo {modulus}: reduce every result to 0..{modulus - 1}."
    return (
        f"Evaluate the expression. Multiplication comes before addition and subtraction.{rule} Rewrite the expression "
        "one operation at a time, separated by semicolons, and end with # and the answer. "
        f"Example: {example}= is answered by {_write(steps, steps[-1].numbers[0])}"
    )
