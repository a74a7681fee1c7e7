"""`repetition`: the share of distinct n-grams, 1 for a text without repeats.

Source: the repetition term of VL-Cogito (arXiv 2507.22607), which pays −0.5·(1 − distinct/total) over 20-grams; the
sign and the weight are left to the rubric.
"""

from __future__ import annotations

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.verdict import Verdict, wrong
from assay.verifiers.base import Evidence, Verifier


class RepetitionVerifier(Verifier):
    """Score = distinct / total n-grams of words; `correct` when it is at least `threshold`."""

    name = "repetition"

    def __init__(self, *, n: int = 20, threshold: float = 0.5, characters: bool = False) -> None:
        """`characters` counts n-grams of characters, for text without spaces between words."""
        if n < 1 or not 0 <= threshold <= 1:
            raise ConfigError("repetition needs n >= 1 and a threshold in [0, 1]")
        self.n, self.threshold, self.characters = n, threshold, characters

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Score the final text."""
        units = list(evidence.text.strip()) if self.characters else evidence.text.split()
        if not units:
            return wrong("the response is empty", status="no_answer")
        score = distinct_share(units, self.n)
        return Verdict(score=score, correct=score >= self.threshold)


def distinct_share(units: list[str], n: int) -> float:
    """Return distinct / total n-grams; 1.0 for fewer than two of them."""
    total = len(units) - n + 1
    if total < 2:
        return 1.0
    return len({tuple(units[i : i + n]) for i in range(total)}) / total
