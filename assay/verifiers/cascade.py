"""`cascade`: cheap verifiers first, dear ones only for what the cheap ones cannot tell.

A missing verdict (abstained, unreadable gold, fault) goes on to the next stage; a verdict ends the cascade. With
`escalate_wrong` a rule's *wrong* also goes on, as TinyV and the hybrid of "Pitfalls of Rule- and Model-based
Verifiers" (arXiv 2505.22203) do: this buys recall with the judge's false positives, so it must be asked for, and it
skips answers that are missing, unreadable or tampered, and pairs in which both sides are plain numbers, where a rule
is never wrong. When the later stage has no verdict, the rule's stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict
from assay.verifiers.base import Evidence, run_verifier_group
from assay.verifiers.composed import ComposedVerifier, records
from assay.verifiers.registry import VerifierSpec
from assay.verifiers.text.rational import read_number


class Cascade(ComposedVerifier):
    """The first verdict counts. Members are asked in the order in which they are given."""

    name = "cascade"

    def __init__(self, verifiers: Mapping[str, VerifierSpec], *, escalate_wrong: bool = False) -> None:
        super().__init__(verifiers)
        self.escalate_wrong = escalate_wrong
        ranges = [member.score_range for member in self.members.values()]
        self.score_range = (min(low for low, _ in ranges), max(high for _, high in ranges))

    def check_target(self, task: Task) -> str | None:
        """A gold that one member can read is readable."""
        complaints = [member.check_target(task) for member in self.members.values()]
        return "; ".join(c for c in complaints if c) if all(complaints) else None

    def verify_group(self, task: Task, evidences: Sequence[Evidence]) -> list[Verdict]:
        """Ask stage by stage; each stage sees only the members of the group that are still open."""
        rows: list[dict[str, Verdict]] = [{} for _ in evidences]
        pending = list(range(len(evidences)))
        for name, member in self.members.items():
            if not pending:
                break
            verdicts = run_verifier_group(member, task, [evidences[i] for i in pending])
            for i, verdict in zip(pending, verdicts, strict=True):
                rows[i][name] = verdict
            pending = [i for i in pending if self._goes_on(task, rows[i][name])]
        return [self.combine(row) for row in rows]

    def combine(self, verdicts: Mapping[str, Verdict]) -> Verdict:
        """Return the last verdict that there is, with the path that led to it."""
        details = {"stages": records(verdicts)}
        for name, verdict in reversed(list(verdicts.items())):
            if verdict.scored:
                return verdict.with_(stage=_stage(name, verdict), details={**verdict.details, **details}, verifier="")
        reasons = "; ".join(f"{name}: {verdict.reason}" for name, verdict in verdicts.items())
        last = list(verdicts.values())[-1]
        return no_verdict(reasons, status=last.status, extracted=last.extracted, details=details)

    def _goes_on(self, task: Task, verdict: Verdict) -> bool:
        if not verdict.scored:
            return True
        if not self.escalate_wrong or verdict.correct or verdict.status != "ok" or not verdict.extracted:
            return False
        return not (_is_number(verdict.extracted) and _is_number(task.target))


def _stage(name: str, verdict: Verdict) -> str:
    return f"{name}/{verdict.stage}" if verdict.stage else name


def _is_number(value: object) -> bool:
    try:
        read_number(str(value))
    except ValueError:
        return False
    return True
