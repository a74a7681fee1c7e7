"""`ensemble`: several verifiers, one score: mean, median, worst case, or mean minus disagreement.

Sources: worst-case and uncertainty-weighted optimisation (arXiv 2310.02743), median and mean − std (2312.09244). The
published codes differ in the degrees of freedom of the spread, so `ddof` is an explicit argument.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

from assay.core.errors import ConfigError
from assay.core.verdict import Verdict, no_verdict, wrong
from assay.verifiers.composed import ComposedVerifier, raw_parts, records
from assay.verifiers.registry import VerifierSpec

Method = Literal["mean", "median", "worst", "mean_minus_std", "mean_minus_var"]
Disagreement = Literal["vote", "abstain"]


def aggregate(scores: Sequence[float], method: Method = "mean", *, lam: float = 1.0, ddof: int = 0) -> float:
    """Combine scores: [1, 2, 6] has mean 3, worst 1, mean − 0.1·var 2.5333 (ddof 0) or 2.3 (ddof 1)."""
    if method == "median":
        return float(statistics.median(scores))
    if method == "worst":
        return min(scores)
    mean = math.fsum(scores) / len(scores)
    if method == "mean":
        return mean
    variance = math.fsum((s - mean) ** 2 for s in scores) / max(1, len(scores) - ddof)
    return mean - lam * (variance if method == "mean_minus_var" else math.sqrt(variance))


class Ensemble(ComposedVerifier):
    """Score = aggregate of the members' scores; `correct` = more than half (for `worst`: all) say so."""

    name = "ensemble"

    def __init__(
        self,
        verifiers: Mapping[str, VerifierSpec],
        *,
        method: Method = "mean",
        lam: float = 1.0,
        ddof: int = 0,
        disagreement: Disagreement = "vote",
        minimum: int | None = None,
    ) -> None:
        """Compose.

        Args:
            verifiers: members by name.
            method: how scores are combined.
            lam: weight of the spread.
            ddof: 0 divides the squared deviations by n, 1 by n − 1.
            disagreement: `abstain` gives no verdict when members differ on `correct`.
            minimum: how many members must have a verdict; all when None.
        """
        super().__init__(verifiers)
        if method not in get_args(Method) or disagreement not in get_args(Disagreement):
            raise ConfigError(f"unknown method {method!r} or disagreement rule {disagreement!r}")
        if ddof not in (0, 1) or lam < 0 or not math.isfinite(lam):
            raise ConfigError("an ensemble needs ddof 0 or 1 and lam >= 0")
        self.minimum = len(self.members) if minimum is None else minimum
        if not 1 + ddof <= self.minimum <= len(self.members):
            raise ConfigError(f"minimum must be {1 + ddof} to {len(self.members)}, not {self.minimum}")
        self.method: Method = method
        self.lam, self.ddof, self.disagreement = lam, ddof, disagreement
        ranges = [member.score_range for member in self.members.values()]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        self.score_range = (low - self._largest_penalty(high - low), high)

    def combine(self, verdicts: Mapping[str, Verdict]) -> Verdict:
        """Aggregate what there is."""
        common: dict[str, Any] = {"parts": raw_parts(verdicts), "details": {"members": records(verdicts)}}
        scored = [verdict for verdict in verdicts.values() if verdict.scored]
        if len(scored) < self.minimum:
            missing = next((f"{n}: {v.reason}", v.status) for n, v in verdicts.items() if not v.scored)
            return no_verdict(missing[0], status=missing[1], **common)
        if any(verdict.status == "tampered" for verdict in scored):
            lowest = min(max(0.0, self.score_range[0]), self.score_range[1])
            return wrong("a member found tampering", score=lowest, status="tampered", **common)
        opinions = [verdict.correct for verdict in scored if verdict.correct is not None]
        if self.disagreement == "abstain" and len(set(opinions)) > 1:
            return no_verdict("the members disagree", status="abstained", **common)
        score = aggregate([v.score for v in scored if v.score is not None], self.method, lam=self.lam, ddof=self.ddof)
        most: Callable[[list[bool]], bool] = all if self.method == "worst" else (lambda o: 2 * sum(o) > len(o))
        correct = most(opinions) if opinions else None
        reason = "; ".join(f"{name}: {v.reason}" for name, v in verdicts.items() if v.reason)
        extracted = next((v.extracted for v in scored if v.extracted), None)
        return Verdict(score=score, correct=correct, reason=reason, extracted=extracted, **common)

    def _largest_penalty(self, width: float) -> float:
        """Bound of the spread of scores in an interval: variance width²/4, and width²/2 (at n = 2) for ddof 1."""
        variance = width**2 / (2 if self.ddof else 4)
        if self.method == "mean_minus_std":
            return self.lam * math.sqrt(variance)
        return self.lam * variance if self.method == "mean_minus_var" else 0.0
