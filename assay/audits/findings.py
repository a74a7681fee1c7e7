"""Finding: one thing that is wrong with a verifier, with the smallest input that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assay.audits.case import Trial

Severity = Literal["critical", "high", "medium", "info"]
SEVERITIES: Sequence[Severity] = ("critical", "high", "medium", "info")


@dataclass(frozen=True, slots=True)
class Finding:
    """A defect, how often it showed, and how to see it again."""

    kind: str
    """Stable name, such as `false-accept/base` or `thread-dependent`; baselines compare by it."""
    severity: Severity
    title: str
    count: int
    total: int
    detail: str = ""
    repro: dict[str, Any] | None = None
    """`target`, `response`, what is right, what the verifier said; enough to call it again."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def repro(trial: Trial, **extra: Any) -> dict[str, Any]:
    """Return what is needed to see a trial again."""
    case = trial.case
    shown: dict[str, Any] = {
        "target": case.target,
        "response": case.response if len(case.response) <= 2000 else case.response[:2000] + "...",
        "expected": {True: "correct", False: "wrong", None: "unknown"}[case.correct],
        "verdict": {True: "correct", False: "wrong", None: f"no verdict ({trial.verdict.status})"}[trial.accepted],
        "reason": trial.verdict.reason,
        "stage": trial.verdict.stage,
        "ms": round(trial.seconds * 1e3, 2),
    }
    if case.problem:
        shown["problem"] = case.problem
    if case.metadata:
        shown["metadata"] = dict(case.metadata)
    if case.certificate is not None:
        shown["because"] = case.certificate.argument
    return shown | extra


def smallest(trials: Sequence[Trial]) -> Trial:
    """Return the trial with the shortest input: the one to show."""
    return min(trials, key=lambda t: (len(str(t.case.target)) + len(t.case.response), t.case.id))


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Sort findings by severity, then by how often they showed."""
    return sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), -f.count / max(f.total, 1), f.kind))
