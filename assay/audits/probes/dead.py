"""Dead code in a grader that swallows its own failures: functions that always raise, or never say yes.

A comparison stage with a bug inside a broad `except` looks like a strict one. Here right answers are judged under a
tracer, and every Python function of the grader's own package is watched. One that raises at every call, or returns
False at every call although all answers are right and its name says that it compares, cannot have accepted anything.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from assay.audits.case import Case
from assay.audits.findings import Finding
from assay.audits.trials import RunLimits, VerifierSource, run_cases
from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.verifiers.base import Evidence, Verifier

LEAST_CALLS = 10
_COMPARES = re.compile(r"equal|equiv|same|compare|match|verify|grade|correct")
"""Names of functions that should say yes to right answers. Any other predicate may well be False each time."""


@dataclass(slots=True)
class _Counts:
    calls: int = 0
    yes: int = 0
    no: int = 0
    raised: Counter[str] = field(default_factory=Counter)


class Traced(Verifier):
    """A verifier under a tracer. The verdict's details hold, for each function, calls, yes, no, and exceptions."""

    def __init__(self, inner: Verifier, package: str) -> None:
        self._inner, self._package = inner, package
        self.score_range, self.isolation = inner.score_range, inner.isolation

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Judge under the tracer."""
        counts: dict[str, _Counts] = {}
        raising: dict[int, str] = {}

        def watch(frame: FrameType, event: str, value: Any) -> Any:
            if event == "exception":
                raising[id(frame)] = value[0].__name__
            elif event == "line":
                raising.pop(id(frame), None)  # handled in the function itself
            elif event == "return":
                row = counts.setdefault(f"{frame.f_globals['__name__']}:{frame.f_code.co_qualname}", _Counts())
                row.calls += 1
                error = raising.pop(id(frame), None)
                if error is not None and value is None:
                    row.raised[error] += 1
                row.yes += value is True
                row.no += value is False
            return watch

        def enter(frame: FrameType, event: str, value: Any) -> Any:
            name = frame.f_globals.get("__name__", "")
            return watch if name.partition(".")[0] == self._package else None

        before = sys.gettrace()
        sys.settrace(enter)
        try:
            verdict = self._inner.verify(task, evidence)
        finally:
            sys.settrace(before)
        rows = {name: (c.calls, c.yes, c.no, dict(c.raised)) for name, c in counts.items()}
        return verdict.with_(details={"functions": rows})

    def close(self) -> None:
        """Close the inner verifier."""
        self._inner.close()


def dead_function_probe(source: VerifierSource, right: Sequence[Case], limits: RunLimits) -> list[Finding]:
    """Judge right answers under a tracer; return a finding for each function that never works.

    `right` are cases whose answers are right though written otherwise than the gold, so that stages have work to do.
    """
    package = source.package
    if not package or package == "assay" or not right:  # our own declare their stages
        return []
    traced = VerifierSource(source.label, lambda: Traced(source.build(), package))
    totals: dict[str, _Counts] = {}
    for trial in run_cases(traced, right, limits):
        for name, (calls, yes, no, raised) in trial.verdict.details.get("functions", {}).items():
            row = totals.setdefault(name, _Counts())
            row.calls, row.yes, row.no = row.calls + calls, row.yes + yes, row.no + no
            row.raised.update(raised)
    return [finding for name, row in sorted(totals.items()) if (finding := _judge(name, row)) is not None]


def _judge(name: str, row: _Counts) -> Finding | None:
    raised = sum(row.raised.values())
    never_yes = row.no == row.calls and _COMPARES.search(name.rpartition(":")[2])
    if row.calls < LEAST_CALLS or (raised < row.calls and not never_yes):
        return None
    if raised == row.calls:
        errors = ", ".join(row.raised)
        title, detail = f"{name} raises at every call", f"{errors}; its callers swallow it."
    else:
        title, detail = f"{name} never says yes", "All the answers that it saw are right, if written otherwise."
    seen = {"function": name, "calls": row.calls, "returned True": row.yes, "returned False": row.no, "raised": raised}
    return Finding(f"dead-function/{name}", "medium", title, row.calls, row.calls, detail, seen)
