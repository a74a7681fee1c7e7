"""`math`: the rule-based verifier of mathematical answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.verifiers.answers.exact import read_rational
from assay.verifiers.answers.extract import extract
from assay.verifiers.answers.normalise import canonical, clean
from assay.verifiers.answers.policy import AnswerPolicy
from assay.verifiers.base import Evidence, Verifier


class MathVerifier(Verifier):
    """Judge the final answer of a response against a gold answer."""

    name: ClassVar[str] = "math"
    version: ClassVar[str] = "1"

    def __init__(self, policy: AnswerPolicy | Mapping[str, Any] | None = None, **options: Any) -> None:
        self.policy = policy if isinstance(policy, AnswerPolicy) else AnswerPolicy.of({**(policy or {}), **options})

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Return the verdict on one response."""
        gold = extract(str(task.target), gold=True).answer
        if gold is None:
            return no_verdict("the gold is empty", status="unparsable", stage="extract")
        found = extract(evidence.text, unmarked=self.policy.unmarked == "last")
        if found.answer is None:
            return wrong(found.reason, status="no_answer", stage="extract")
        left, right_ = clean(gold), clean(found.answer)
        if canonical(left) == canonical(right_):
            return right(extracted=found.answer, stage="string")
        one, two = read_rational(left), read_rational(right_)
        if one is not None and two is not None:
            if one.value == two.value:
                return right(extracted=found.answer, stage="rational")
            return wrong("a different number", extracted=found.answer, stage="rational")
        return wrong("not the same answer", extracted=found.answer, stage="string")
