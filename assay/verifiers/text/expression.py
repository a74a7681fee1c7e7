"""`expression`: the answer is arithmetic that evaluates exactly to the target (Countdown, 24 game).

The numbers that may be used come from `task.metadata["numbers"]`. An answer may end in `= value`; then every side of
every `=` must have that value, so a false chain (3+5 = 8*2 = 16) is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.verifiers.text.arithmetic import Expression, evaluate
from assay.verifiers.text.base import AnswerVerifier, gold_texts
from assay.verifiers.text.extract import Source
from assay.verifiers.text.rational import read_number

Use = Literal["any", "at_most_once", "exactly_once"]
"""How often each of the given numbers may stand in the expression."""


@dataclass(frozen=True, slots=True)
class _Gold:
    value: Fraction
    numbers: Counter[Fraction]


class ExpressionVerifier(AnswerVerifier["Expression | _Gold"]):
    """Right when the expression has the target's value and keeps the rules for numbers and operators."""

    name = "expression"

    def __init__(
        self,
        *,
        source: Source = "answer",
        tag: str = "answer",
        use: Use = "any",
        operators: str = "+-*/",
        metadata_key: str = "numbers",
    ) -> None:
        super().__init__(source=source, tag=tag)
        if use not in ("any", "at_most_once", "exactly_once"):
            raise ConfigError(f"unknown rule use={use!r}; use 'any', 'at_most_once' or 'exactly_once'")
        if not operators or set(operators) - set("+-*/^"):
            raise ConfigError(f"operators is some of '+-*/^', not {operators!r}")
        self.use, self.operators, self.metadata_key = use, frozenset(operators), metadata_key

    def read_gold(self, task: Task) -> _Gold:
        """Return the target value and the numbers that may be used."""
        (text, *more) = gold_texts(task.target)
        if more:
            raise ValueError("the target is one number")
        numbers: Sequence[object] = ()
        if self.use != "any":
            numbers = task.metadata.get(self.metadata_key) or ()
            if not isinstance(numbers, list | tuple) or not numbers:
                raise ValueError(f"metadata[{self.metadata_key!r}] must list the numbers that may be used")
        return _Gold(read_number(text).value, Counter(read_number(str(number)).value for number in numbers))

    def read_answer(self, text: str, task: Task) -> Expression:
        """Evaluate the expression; a chain of equalities must be true."""
        sides = [evaluate(side) for side in text.split("=", 8)]
        if any(side.value != sides[0].value for side in sides):
            raise ValueError("the two sides of an equals sign differ")
        return next((side for side in sides if side.operators), sides[0])

    def agree(self, first: Expression | _Gold, second: Expression | _Gold) -> bool:
        """Two different expressions are two different answers only if their values differ."""
        return first.value == second.value

    def same(self, answer: Expression | _Gold, gold: Expression | _Gold) -> bool:
        """Whether the values are equal."""
        return answer.value == gold.value

    def compare(self, value: Expression | _Gold, gold: Expression | _Gold, extracted: str) -> Verdict:
        """Check the rules, then the value."""
        assert isinstance(value, Expression) and isinstance(gold, _Gold)
        if forbidden := value.operators - self.operators:
            return wrong(f"operator {min(forbidden)!r} is not allowed", extracted=extracted)
        used = Counter(value.numbers)
        if self.use != "any" and (extra := used - gold.numbers):
            return wrong(f"uses {next(iter(extra))}, which is not there (any more)", extracted=extracted)
        if self.use == "exactly_once" and (unused := gold.numbers - used):
            return wrong(f"does not use {next(iter(unused))}", extracted=extracted)
        if not self.same(value, gold):
            return wrong(f"evaluates to {_short(value.value)}, not {_short(gold.value)}", extracted=extracted)
        return right(extracted=extracted)


def _short(value: Fraction) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:20]}... ({len(text)} characters)"
