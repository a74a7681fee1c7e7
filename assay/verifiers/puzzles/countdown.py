"""`countdown`: an expression that reaches a value with given numbers (Countdown, the 24 game).

The expression after the last `#` is evaluated exactly with a parser of our own; each number may be used at most as
often as it is given. `metadata["numbers"]` and `metadata["value"]` are the puzzle; all solutions are equally good.
(`expression` is the same for answers of other forms: boxed, tagged, decimals, powers.)
"""

from __future__ import annotations

from collections import Counter

from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.puzzles.expression import ExpressionError, evaluate, tokenize
from assay.verifiers.puzzles.final import final_text


class CountdownVerifier(Verifier):
    """Correct when the expression after the last `#` has the wanted value and uses only the given numbers."""

    name = "countdown"

    def __init__(self, *, use_all: bool = False) -> None:
        """Want every given number used when `use_all`."""
        self.use_all = use_all

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Read, count the numbers, evaluate: in this order, so that only small expressions are ever computed."""
        answer = final_text(evidence.text)
        if answer is None:
            return wrong("no '#' with an expression", status="no_answer")
        extracted = answer[:200]
        try:
            tokens = tokenize(answer)
            used, given = Counter(t for t in tokens if isinstance(t, int)), Counter(task.metadata["numbers"])
            if surplus := used - given:
                return wrong(f"{next(iter(surplus))} is used more often than given", extracted=extracted)
            if self.use_all and (unused := given - used):
                return wrong(f"{next(iter(unused))} is not used", extracted=extracted)
            value = evaluate(tokens, signs=False)
        except ExpressionError as error:
            return wrong(f"not an expression: {error}", status="unparsable", extracted=extracted)
        if value == task.metadata["value"]:
            return right(extracted=extracted)
        return wrong(f"the value is {value}, not {task.metadata['value']}", extracted=extracted)

    def check_target(self, task: Task) -> str | None:
        """The metadata must hold the numbers and the value."""
        missing = {"numbers", "value"} - set(task.metadata)
        return f"metadata lacks {sorted(missing)}" if missing else None
