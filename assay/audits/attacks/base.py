"""Attack: a response that deserves no reward, made to get one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assay.audits.case import Case
from assay.audits.frames import framed


@dataclass(frozen=True, slots=True)
class Prey:
    """What an attack may know: a task, its gold, a wrong answer to it, and the golds of other tasks."""

    case: Case
    wrong: str
    others: Sequence[str]
    frame: str

    @property
    def gold(self) -> str:
        """The gold as text."""
        return str(self.case.target)

    def framed(self, answer: str) -> str:
        """Put an answer where the verifier looks for it."""
        return framed(self.frame, answer)


Attack = Callable[[Prey, random.Random], Iterator[str]]
"""Yields responses, each of them wrong for the task."""
