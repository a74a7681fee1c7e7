"""`length`: the final text keeps a length limit, with an optional soft margin."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.verifiers.base import Evidence, Verifier

Unit = Literal["words", "characters", "lines", "sentences", "paragraphs"]

_SENTENCE = re.compile(r"[^.!?。！？]+(?:[.!?。！？]+|$)")

COUNTERS: dict[str, Callable[[str], int]] = {
    "words": lambda text: len(text.split()),
    "characters": len,
    "lines": lambda text: sum(bool(line.strip()) for line in text.splitlines()),
    "sentences": lambda text: sum(bool(s.strip(" \n\t.!?。！？\"'")) for s in _SENTENCE.findall(text)),
    "paragraphs": lambda text: sum(bool(block.strip()) for block in re.split(r"\n[ \t]*\n", text)),
}
"""How each unit is counted. Words are separated by white space, paragraphs by blank lines."""


class LengthVerifier(Verifier):
    """Score 1 within `[minimum, maximum]`, falling linearly to 0 over `margin` units beyond; 0 for an empty text."""

    name = "length"

    def __init__(self, *, maximum: int | None = None, minimum: int = 1, unit: Unit = "words", margin: int = 0) -> None:
        if unit not in COUNTERS:
            raise ConfigError(f"unknown unit {unit!r}; use one of {', '.join(COUNTERS)}")
        if minimum < 0 or margin < 0 or (maximum is not None and maximum < max(minimum, 1)):
            raise ConfigError("length needs 0 <= minimum <= maximum and margin >= 0")
        self.maximum, self.minimum, self.unit, self.margin = maximum, minimum, unit, margin

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Count the final text."""
        count = COUNTERS[self.unit](evidence.text)
        if not evidence.text.strip():
            return wrong("the response is empty", status="no_answer", extracted="0")
        over = count - self.maximum if self.maximum is not None else 0
        excess = max(over, self.minimum - count, 0)
        if excess == 0:
            return right(extracted=str(count))
        score = max(0.0, 1 - excess / self.margin) if self.margin else 0.0
        return wrong(f"{count} {self.unit}", score=score, extracted=str(count))
