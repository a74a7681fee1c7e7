"""Finding: one thing that is wrong with a verifier, with the smallest input that shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from assay.audits.case import Trial

if TYPE_CHECKING:
    from assay.audits.accuracy import Accuracy

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


_ODD_SCORE = "a score is no finite number in its range: no verdict here, a poisoned reward in a trainer"


def label_findings(labels: Accuracy) -> list[Finding]:
    """Return the findings in labelled rows: false accepts and rejects by class, stages that never decide."""
    found: list[Finding] = []
    for error, kind in (("FP", "false-accept"), ("FN", "false-reject")):
        wrong = [t for t in labels.disagreements if t.error == error]
        total = labels.fp.n if error == "FP" else labels.fn.n
        for cls in sorted({t.case.cls for t in wrong}):
            mine = [t for t in wrong if t.case.cls == cls]
            what = "wrong answers accepted" if error == "FP" else "right answers rejected"
            found.append(
                Finding(
                    kind=f"label/{kind}/{cls or 'all'}",
                    severity="high" if error == "FP" else "medium",
                    title=f"{what}{f' in class {cls!r}' if cls else ''}",
                    count=len(mine),
                    total=total,
                    repro=repro(smallest(mine)),
                )
            )
    return found + _dead_stages(labels)


def _dead_stages(labels: Accuracy) -> list[Finding]:
    return [
        Finding(
            kind=f"dead-stage/{row.stage}",
            severity="medium",
            title=f"stage {row.stage!r} decided 0 of {row.total}",
            count=row.total,
            total=row.total,
            detail="Either no case needs it, or it is broken and its failures are swallowed.",
        )
        for row in labels.stages
        if row.decided == 0 and row.total > 0
    ]


NO_VERDICT = "no-verdict"
"""Kind of the finding that a verifier never gave a verdict: such an audit measured nothing, and fails."""


def fault_findings(trials: Sequence[Trial]) -> list[Finding]:
    """Return the findings on calls that gave no verdict for no good reason: hangs, crashes, exceptions, odd scores."""
    return _silence_findings(trials) + _killed_findings(trials) + _error_findings(trials)


def _silence_findings(trials: Sequence[Trial]) -> list[Finding]:
    """Return a finding when not one call gave a verdict."""
    if not trials or any(trial.accepted is not None for trial in trials):
        return []
    (reason, _), *_ = Counter(trial.verdict.reason or trial.verdict.status for trial in trials).most_common()
    n, shown = len(trials), repro(smallest(trials))
    title = f"no verdict on any of {n} cases: {reason}"
    return [Finding(NO_VERDICT, "critical", title, n, n, detail="Nothing was measured.", repro=shown)]


def _killed_findings(trials: Sequence[Trial]) -> list[Finding]:
    """Return a finding for calls that hung or killed their process."""
    found: list[Finding] = []
    for status, kind, title in (("timeout", "hang", "hung until killed"), ("error", "crash", "killed its process")):
        mine = [t for t in trials if t.killed and t.verdict.status == status]
        if mine:
            shown = repro(smallest(mine))
            found.append(Finding(kind, "critical", f"the verifier {title}", len(mine), len(trials), repro=shown))
    return found


def _error_findings(trials: Sequence[Trial]) -> list[Finding]:
    """Return a finding for scores that are none (not finite, out of range), and one for each kind of exception."""
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.killed or trial.verdict.status != "error":
            continue
        groups.setdefault(_error_kind(trial.verdict.reason), []).append(trial)
    return [
        Finding(
            kind=kind,
            severity="high" if kind == "odd-score" else "medium",
            title=_ODD_SCORE if kind == "odd-score" else f"the verifier raises {kind.partition('/')[2]}",
            count=len(mine),
            total=len(trials),
            detail=mine[0].verdict.reason,
            repro=repro(smallest(mine)),
        )
        for kind, mine in groups.items()
    ]


def _error_kind(reason: str) -> str:
    odd = ("is no score", "finite number", "outside the declared range", "not a Verdict")
    return "odd-score" if any(mark in reason for mark in odd) else f"exception/{reason.partition(':')[0]}"
