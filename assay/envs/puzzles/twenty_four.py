"""assay/TwentyFour-v0: make 24 of four cards, each used once: `3 3 8 8` is answered by `#8/(3-8/3)`.

The verifier `countdown` reads the expression after the last `#` exactly, fractions on the way included, and wants every
card used. `task.target` is one solution; any other one is as good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

import numpy as np

from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.base import SingleTurnEnv
from assay.envs.procedural import check_between, prompt, task_source
from assay.verifiers.puzzles.countdown import CountdownVerifier

ENV_ID = "assay/TwentyFour-v0"
GOAL = 24
_INSTRUCTIONS = (
    "Make 24 of four numbers, using each exactly once, with + - * / and parentheses. Think step by step, and end with "
    "# and the expression alone, such as #8/(3-8/3)."
)


@lru_cache(maxsize=1 << 14)
def solve(cards: tuple[int, ...]) -> str | None:
    """Return an expression of all cards with the value 24, or None when there is none."""
    return next(_joined(tuple((Fraction(card), str(card)) for card in cards)), None)


def _joined(terms: tuple[tuple[Fraction, str], ...]) -> Iterator[str]:
    if len(terms) == 1:
        if terms[0][0] == GOAL:
            yield terms[0][1][1:-1]
        return
    for i, (a, left) in enumerate(terms):
        for j, (b, right) in enumerate(terms):
            if i == j:
                continue
            rest = tuple(term for k, term in enumerate(terms) if k not in (i, j))
            options = [(a - b, "-")]
            if i < j:
                options += [(a + b, "+"), (a * b, "*")]
            if b:
                options.append((a / b, "/"))
            for value, operator in options:
                yield from _joined((*rest, (value, f"({left}{operator}{right})")))


@dataclass(frozen=True)
class CardGenerator:
    """Four cards from 1 to `highest` of which 24 can be made."""

    highest: int = 13
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("highest", self.highest, 4, 100)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one hand."""
        while True:
            cards = tuple(sorted(rng.integers(1, self.highest + 1, size=4).tolist()))
            if (solution := solve(cards)) is not None:
                break
        text = " ".join(map(str, cards))
        return {
            "prompt": prompt(text, self.instructions),
            "key": text,
            "target": solution,
            "metadata": {"numbers": cards, "value": GOAL},
        }


class TwentyFourEnv(SingleTurnEnv):
    """Make 24 of four cards.

    Options: `highest` (the highest card), `instructions`, `split`.

    Demonstrations: `solve` says a solution, `guess` joins the cards in any way.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("solve", "guess")

    def __init__(
        self,
        *,
        highest: int = 13,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        generator = CardGenerator(highest, _INSTRUCTIONS if instructions else "")
        tasks = task_source(ENV_ID, split, generator, CardGenerator())
        super().__init__(tasks, CountdownVerifier(use_all=True), render_mode=render_mode)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn."""
        if style == "solve":
            return [f"#{task.target}"]
        if style == "guess":
            return [f"#{_any(task.metadata['numbers'], rng)}"]
        return super().demonstrate(task, style, rng)


def _any(cards: Sequence[int], rng: np.random.Generator) -> str:
    a, b, c, d = (cards[i] for i in rng.permutation(4).tolist())
    first, second, third = ("+-*/"[i] for i in rng.integers(0, 4, size=3).tolist())
    return (
        f"({a}{first}{b}){second}({c}{third}{d})" if rng.random() < 0.3 else f"(({a}{first}{b}){second}{c}){third}{d}"
    )
