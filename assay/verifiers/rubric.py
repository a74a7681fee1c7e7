"""`rubric`: named verifiers with weights and gates, one score and its raw parts.

    Rubric(
        {"answer": "math", "format": {"name": "format", "tags": ["think", "answer"]}, "brevity": ...},
        outcome="answer", weights={"format": 0.1, "brevity": 0.2}, always=["format"],
    )

Invariants:

* `correct` is the outcome's, and nothing else's: no bonus makes a wrong answer right.
* A component counts only when the outcome is correct, unless it is named in `always`: quality never pays for a wrong
  answer.
* A component that would count but has no verdict leaves the whole without one, unless it is `optional`; then it
  counts for nothing. A gated bonus that would not count anyway is not missed.
* `parts` holds the raw, unweighted scores.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from assay.core.errors import ConfigError, UnknownNameError
from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, wrong
from assay.verifiers.base import Evidence, run_verifier_group
from assay.verifiers.composed import ComposedVerifier, raw_parts, records
from assay.verifiers.registry import VerifierSpec


class Rubric(ComposedVerifier):
    """Score = Σ weight · score over the components that count; 0 when a gate is not passed."""

    name = "rubric"

    def __init__(
        self,
        verifiers: Mapping[str, VerifierSpec],
        *,
        outcome: str,
        weights: Mapping[str, float] | None = None,
        always: Collection[str] = (),
        gates: Collection[str] = (),
        optional: Collection[str] = (),
        lazy: bool = False,
    ) -> None:
        """Compose.

        Args:
            verifiers: components by name.
            outcome: the component that decides `correct`.
            weights: weight by name; 1 where nothing is said.
            always: components that count whatever the outcome.
            gates: components that must be correct, or the score is 0.
            optional: components that may be missing.
            lazy: run bonuses only for correct outcomes; saves judge calls, leaves their parts None elsewhere.
        """
        super().__init__(verifiers)
        for names in ([outcome], weights or (), always, gates, optional):
            for name in names:
                if name not in self.members:
                    raise UnknownNameError("component", name, self.members)
        if outcome in optional:
            raise ConfigError("the outcome of a rubric cannot be optional")
        self.outcome, self.optional, self.gates, self.lazy = outcome, frozenset(optional), frozenset(gates), lazy
        self.weights = {name: float((weights or {}).get(name, 1.0)) for name in self.members}
        self.always = frozenset(always) | {outcome}
        ends = [
            sorted(weight * bound for bound in self.members[name].score_range) for name, weight in self.weights.items()
        ]
        self.score_range = (sum(min(low, 0.0) for low, _ in ends), sum(max(high, 0.0) for _, high in ends))

    def verify_group(self, task: Task, evidences: Sequence[Evidence]) -> list[Verdict]:
        """Run the components on the whole group, with `lazy` the bonuses on its correct members only."""
        if not self.lazy:
            return super().verify_group(task, evidences)
        rows: list[dict[str, Verdict]] = [{} for _ in evidences]
        needed = self.always | self.gates
        for name in sorted(self.members, key=lambda name: name not in needed):  # bonuses last
            chosen = [i for i, row in enumerate(rows) if name in needed or row[self.outcome].correct]
            verdicts = run_verifier_group(self.members[name], task, [evidences[i] for i in chosen]) if chosen else []
            for i, verdict in zip(chosen, verdicts, strict=True):
                rows[i][name] = verdict
        skipped = no_verdict("not run: the outcome is not correct", status="abstained")
        return [self.combine({name: row.get(name, skipped) for name in self.members}) for row in rows]

    def combine(self, verdicts: Mapping[str, Verdict]) -> Verdict:
        """Weigh the components."""
        outcome = verdicts[self.outcome]
        common: dict[str, Any] = {
            "extracted": outcome.extracted,
            "parts": raw_parts(verdicts),
            "steps": next((verdict.steps for verdict in verdicts.values() if verdict.steps), ()),
            "details": {"components": records(verdicts)},
        }
        for name, verdict in verdicts.items():
            if verdict.status == "tampered":
                return wrong(f"{name}: {verdict.reason}", status="tampered", **common)
        if not outcome.scored:
            return no_verdict(f"{self.outcome}: {outcome.reason}", status=outcome.status, **common)
        counted = self.always | (frozenset(self.members) if outcome.correct else frozenset())
        total = 0.0
        for name in self.members:
            verdict = verdicts[name]
            if name not in counted and name not in self.gates:
                continue
            if not verdict.scored:
                if name in self.optional:
                    continue
                return no_verdict(f"{name}: {verdict.reason}", status=verdict.status, **common)
            if name in self.gates and not verdict.correct:
                return Verdict(score=0.0, correct=outcome.correct, reason=f"gate {name}: {verdict.reason}", **common)
            if name in counted:
                total += self.weights[name] * (verdict.score or 0.0)
        return Verdict(
            score=total,
            correct=outcome.correct,
            status=outcome.status,
            reason=outcome.reason,
            stage=outcome.stage,
            **common,
        )
