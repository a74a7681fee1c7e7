"""`verifier_dominant`: a rule decides, a model orders within each class.

Source: Qwen2.5-Math (arXiv 2409.12122): r = σ(α · r_model) + (r_rule − 1). Correct answers score in (0, 1), wrong
ones in (−1, 0), whatever the model says. With α = 0.5: (r_model, r_rule) = (2, 1) gives 0.7311, (−2, 0) −0.7311.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from assay.core.errors import ConfigError
from assay.core.verdict import Verdict, no_verdict
from assay.verifiers.composed import ComposedVerifier, raw_parts, records
from assay.verifiers.registry import VerifierSpec


class VerifierDominant(ComposedVerifier):
    """Combines the verdict of `rule` with the raw score of `model`. Both must be there."""

    name = "verifier_dominant"
    score_range = (-1.0, 1.0)

    def __init__(self, rule: VerifierSpec, model: VerifierSpec, *, alpha: float = 0.5) -> None:
        super().__init__({"rule": rule, "model": model})
        if not (math.isfinite(alpha) and alpha > 0):
            raise ConfigError(f"alpha must be positive, not {alpha!r}")
        self.alpha = alpha

    def combine(self, verdicts: Mapping[str, Verdict]) -> Verdict:
        """Apply the formula."""
        rule, model = verdicts["rule"], verdicts["model"]
        common: dict[str, Any] = {
            "extracted": rule.extracted,
            "stage": rule.stage,
            "parts": raw_parts(verdicts),
            "details": {"members": records(verdicts)},
        }
        for name, verdict in verdicts.items():
            if verdict.score is None:
                return no_verdict(f"{name}: {verdict.reason}", status=verdict.status, **common)
        if rule.correct is None:
            return no_verdict("the rule does not say whether the answer is correct", status="abstained", **common)
        score = dominant_score(model.score or 0.0, rule.correct, self.alpha)
        return Verdict(score=score, correct=rule.correct, status=rule.status, reason=rule.reason, **common)


def dominant_score(model: float, correct: bool, alpha: float = 0.5) -> float:
    """Return σ(alpha · model) + (correct − 1)."""
    x = alpha * model
    sigmoid = 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
    return sigmoid + float(correct) - 1
