"""Does a verdict depend on what it must not depend on: the thread, the process, the order, the day?

The same cases are judged again on threads that are not the main one, in a fresh process in reverse order, and twice
in a row. Graders that arm SIGALRM fail the first of these, some loudly and some with a silent 0 for everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assay.audits.case import Case, Trial
from assay.audits.findings import Finding, Severity, repro
from assay.audits.trials import RunLimits, VerifierSource, run_cases


def pick(trials: Sequence[Trial], most: int = 48) -> list[Trial]:
    """Return quick trials with a verdict to repeat: accepted and rejected ones in equal parts."""
    quick = [t for t in trials if t.accepted is not None and not t.killed and t.seconds < 0.5]
    accepted = [t for t in quick if t.accepted]
    rejected = [t for t in quick if not t.accepted]
    half = most // 2
    return _spread(accepted, half) + _spread(rejected, half)


def _spread(trials: list[Trial], n: int) -> list[Trial]:
    return trials if len(trials) <= n else [trials[i * len(trials) // n] for i in range(n)]


def stability_probe(
    source: VerifierSource,
    baseline: Sequence[Trial],
    limits: RunLimits,
    *,
    deterministic: bool = True,
    threshold: float | None = None,
) -> list[Finding]:
    """Judge the cases of `baseline` again under other conditions; return a finding for each that changes a verdict."""
    cases = [t.case for t in baseline]
    if not cases:
        return []
    single = replace(limits, workers=1, threads=0)
    conditions = {
        "thread-dependent": (replace(single, threads=8), cases, "on threads that are not the main one"),
        "order-dependent": (single, cases[::-1], "in a fresh process and in reverse order"),
        "not-deterministic": (single, [c for c in cases for _ in (0, 1)], "asked twice in a row"),
    }
    found = []
    for kind, (condition, again, where) in conditions.items():
        if kind != "thread-dependent" and not deterministic:
            continue
        trials = run_cases(source, again, condition, threshold=threshold)
        before = {t.case.id: t for t in baseline}
        changed = [(before[c.id], t) for c, t in zip(again, trials, strict=True) if _differs(before[c.id], t)]
        if changed:
            found.append(_finding(kind, where, changed, len(again)))
    return found


def _differs(before: Trial, after: Trial) -> bool:
    return before.accepted != after.accepted or before.verdict.score != after.verdict.score


def _finding(kind: str, where: str, changed: list[tuple[Trial, Trial]], total: int) -> Finding:
    silent = sum(t.accepted is not None for _, t in changed)
    severity: Severity = "critical" if silent else "high"
    shown = min(changed, key=lambda pair: len(pair[0].case.response))
    verb = "changes its verdict" if silent else "has no verdict"
    return Finding(
        kind=kind,
        severity=severity,
        title=f"the verifier {verb} {where}",
        count=len(changed),
        total=total,
        detail=f"{silent} of {len(changed)} silently, as a score; the others as no verdict: {shown[1].verdict.reason}",
        repro=repro(shown[0], again=f"{shown[1].accepted} ({shown[1].verdict.status}) {where}"),
    )


def symmetry_probe(
    source: VerifierSource,
    trials: Sequence[Trial],
    limits: RunLimits,
    *,
    most: int = 60,
    threshold: float | None = None,
) -> list[Finding]:
    """Swap gold and response of certified cases: equal is equal in both directions.

    Graders need not be symmetric, since golds are trusted; the finding is for information.
    """
    usable = [t for t in trials if t.case.origin == "certified" and t.accepted is not None and not t.killed]
    usable = _spread([t for t in usable if t.case.certificate and not t.case.certificate.convention], most)
    if not usable:
        return []
    swapped = [_swap(t.case) for t in usable]
    again = run_cases(source, swapped, limits, threshold=threshold)
    changed = [
        (a, b) for a, b in zip(usable, again, strict=True) if b.accepted is not None and a.accepted != b.accepted
    ]
    if not changed:
        return []
    first, second = min(changed, key=lambda pair: len(pair[0].case.response))
    return [
        Finding(
            kind="not-symmetric",
            severity="info",
            title="the verdict changes when gold and answer are swapped",
            count=len(changed),
            total=len(usable),
            repro=repro(first, swapped="accepted" if second.accepted else "rejected"),
        )
    ]


def _swap(case: Case) -> Case:
    answer = case.answer or case.response
    response = case.response.replace(answer, str(case.target))
    return replace(case, id=f"{case.id}/swapped", target=answer, response=response, answer=str(case.target))
