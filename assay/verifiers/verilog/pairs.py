"""Preference pairs from verified designs, as VeriPrefer makes them (arXiv 2504.15804).

Chosen is what passes the testbench, or else passes more of it; rejected is what can be simulated and passes less. Ties
make no pair. (The authors' pair builder is not published; this is the rule that their text describes.)
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.core.verdict import Verdict


def preference_pair(verdicts: Sequence[Verdict]) -> tuple[int, int] | None:
    """Return the indices of (chosen, rejected) among the verdicts of `verilog` on one task, or None."""
    worth = [_worth(verdict) for verdict in verdicts]
    ranked = [index for index, value in enumerate(worth) if value is not None]
    if not ranked:
        return None
    chosen = max(ranked, key=lambda index: worth[index] or 0.0)
    rejected = min(ranked, key=lambda index: worth[index] or 0.0)
    return (chosen, rejected) if worth[chosen] != worth[rejected] else None


def _worth(verdict: Verdict) -> float | None:
    """Return the share of the testbench that is passed; None for what has no verdict or does not simulate."""
    if verdict.score is None or verdict.parts.get("synthesis") != 1.0:
        return None
    return 1.0 if verdict.correct else min(float(verdict.parts.get("function") or 0.0), 0.999)
