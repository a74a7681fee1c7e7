"""Answers of the procedural environments, after the last `#` (see `verifiers.puzzles.final`)."""

from __future__ import annotations

import re
from dataclasses import replace

from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.envs.base import SingleTurnEnv
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.puzzles.final import final_text

_INTEGER = re.compile(r"\s*([-\u2212]?[0-9]{1,60})\s*+[.;]?\s*")  # possessive: else quadratic in blanks


class MarkedAnswerEnv(SingleTurnEnv):
    """A problem whose verifier is shown only what follows the last `#`, or the whole turn without one."""

    def evidence(self) -> Evidence:
        """Return what follows the last `#`."""
        seen = super().evidence()
        return replace(seen, text=final_text(seen.text, plain=True) or "")


def read_integer(answer: str) -> int | None:
    """Return the integer that is all of `answer` (one closing `.` or `;` is forgiven), or None."""
    match = _INTEGER.fullmatch(answer)
    return int(match.group(1).replace("\u2212", "-")) if match else None


class FinalIntegerVerifier(Verifier):
    """Correct when the integer after the last `#` equals the integer `task.target`."""

    name = "final_integer"

    def __init__(self, *, plain: bool = False) -> None:
        """Accept a text that is only the integer, without `#`, when `plain`."""
        self.plain = plain

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Compare exactly; an answer that is missing or no integer earns a 0."""
        answer = final_text(evidence.text, plain=self.plain)
        if answer is None:
            return wrong("no '#' with an answer", status="no_answer")
        value = read_integer(answer)
        if value is None:
            return wrong("what follows '#' is not an integer", status="unparsable", extracted=answer[:100])
        if value == int(task.target):
            return right(extracted=str(value))
        return wrong(f"{value} is not {task.target}", extracted=str(value))

    def check_target(self, task: Task) -> str | None:
        """The gold must be an integer."""
        is_integer = isinstance(task.target, int) and not isinstance(task.target, bool)
        return None if is_integer else f"the gold must be an integer, not {task.target!r}"
