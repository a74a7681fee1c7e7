"""`number`: the answer is a number equal to the gold, exactly unless a tolerance is given."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.verifiers.base import Evidence
from assay.verifiers.text.base import AnswerVerifier, gold_texts
from assay.verifiers.text.extract import Source, after_reasoning
from assay.verifiers.text.rational import Number, read_number

Percent = Literal["value", "ignore", "same"]
"""`value`: 50% is 0.5. `ignore`: 50% is 50. `same`: the sign must be there on both sides or on neither."""

_UNIT = re.compile(r" ?(?:\\text\{)? ?[^\W\d_]\D{0,40}\Z")
_LAST_NUMBER = re.compile(r"(?<![\w.])[-−]?[$€£]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?%?(?![\w/]|[.,]\d)")


class NumberVerifier(AnswerVerifier[tuple[Number, ...]]):
    """Right when |answer − gold| ≤ max(abs_tol, rel_tol · |gold|), computed in exact fractions.

    A list of targets accepts any of its numbers.
    """

    name = "number"

    def __init__(
        self,
        *,
        source: Source = "answer",
        tag: str = "answer",
        rel_tol: float = 0.0,
        abs_tol: float = 0.0,
        percent: Percent = "value",
        ignore_unit: bool = False,
        last_number: bool = False,
    ) -> None:
        """`ignore_unit` drops words behind the number; `last_number` reads the last number of the whole response."""
        super().__init__(source=source, tag=tag)
        self.rel_tol, self.abs_tol = _tolerance("rel_tol", rel_tol), _tolerance("abs_tol", abs_tol)
        if percent not in ("value", "ignore", "same"):
            raise ConfigError(f"unknown percent rule {percent!r}; use 'value', 'ignore' or 'same'")
        self.percent, self.ignore_unit, self.last_number = percent, ignore_unit, last_number

    def answers(self, evidence: Evidence) -> tuple[str, ...]:
        """Return the final answers, or the last number when asked for."""
        if not self.last_number:
            return super().answers(evidence)
        found = _LAST_NUMBER.findall(after_reasoning(evidence.text))
        return (found[-1],) if found else ()

    def read_gold(self, task: Task) -> tuple[Number, ...]:
        """Return the accepted numbers."""
        return tuple(read_number(text) for text in gold_texts(task.target))

    def read_answer(self, text: str, task: Task) -> tuple[Number, ...]:
        """Return the number of the answer."""
        if self.ignore_unit:
            text = " ".join(text.split())
            text = _UNIT.sub("", text) or text
        return (read_number(text),)

    def agree(self, first: tuple[Number, ...], second: tuple[Number, ...]) -> bool:
        """Whether two answers are the same number."""
        return self._value(first[0]) == self._value(second[0])

    def same(self, answer: tuple[Number, ...], gold: tuple[Number, ...]) -> bool:
        """Whether the answer is within the tolerance of an accepted number."""
        return any(self._close(answer[0], accepted) for accepted in gold)

    def _close(self, answer: Number, gold: Number) -> bool:
        if self.percent == "same" and answer.percent != gold.percent:
            return False
        target = self._value(gold)
        return abs(self._value(answer) - target) <= max(self.abs_tol, self.rel_tol * abs(target))

    def _value(self, number: Number) -> Fraction:
        return number.value / 100 if number.percent and self.percent == "value" else number.value


def _tolerance(name: str, value: float) -> Fraction:
    # repr, so that 0.1 means a tenth and not the nearest binary number
    try:
        tolerance = Fraction(repr(value))
    except ValueError:
        tolerance = Fraction(-1)
    if tolerance < 0:
        raise ConfigError(f"{name} must be a finite number of at least 0, not {value!r}")
    return tolerance
