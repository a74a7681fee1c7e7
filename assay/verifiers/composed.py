"""The common part of verifiers made of verifiers.

Invariants: members run under the guard (`run_verifier_group`), so that one that raises is a missing verdict of that
member only; a whole group goes to each member at once, so that pairwise judges work inside; `close` closes all.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.verifiers.base import Evidence, Verifier, run_verifier_group
from assay.verifiers.registry import VerifierSpec, build_all


class ComposedVerifier(Verifier):
    """Runs named members and combines their verdicts."""

    def __init__(self, verifiers: Mapping[str, VerifierSpec]) -> None:
        self.members = build_all(verifiers, type(self).__name__)
        self.deterministic = all(member.deterministic for member in self.members.values())

    @abstractmethod
    def combine(self, verdicts: Mapping[str, Verdict]) -> Verdict:
        """Return the verdict that follows from the members'."""

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Judge one piece of evidence."""
        return self.verify_group(task, [evidence])[0]

    def verify_group(self, task: Task, evidences: Sequence[Evidence]) -> list[Verdict]:
        """Run every member on the whole group, then combine."""
        columns = {name: run_verifier_group(member, task, evidences) for name, member in self.members.items()}
        return [self.combine({name: column[i] for name, column in columns.items()}) for i in range(len(evidences))]

    def check_target(self, task: Task) -> str | None:
        """Return the first complaint of a member."""
        for name, member in self.members.items():
            if complaint := member.check_target(task):
                return f"{name}: {complaint}"
        return None

    def close(self) -> None:
        """Close all members."""
        for member in self.members.values():
            member.close()


def raw_parts(verdicts: Mapping[str, Verdict]) -> dict[str, float | None]:
    """Return the members' raw scores; None marks a missing verdict."""
    return {name: verdict.score for name, verdict in verdicts.items()}


def records(verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """Return what each member said, for `Verdict.details`."""
    return {
        name: {
            "verifier": verdict.verifier,
            "status": verdict.status,
            "correct": verdict.correct,
            "reason": verdict.reason,
            "seconds": verdict.seconds,
            **({"details": dict(verdict.details)} if verdict.details else {}),
        }
        for name, verdict in verdicts.items()
    }
