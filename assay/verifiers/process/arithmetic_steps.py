"""`arithmetic_steps`: every `a op b = c` in the working is checked exactly."""

from __future__ import annotations

from assay.core.task import Task
from assay.core.verdict import StepScore, Verdict, no_verdict, wrong
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.process.aggregate import Aggregator, aggregate_steps, check_aggregator
from assay.verifiers.process.claims import find_claims
from assay.verifiers.process.steps import Splitter, check_splitter, split_steps


class ArithmeticStepsVerifier(Verifier):
    """A step scores 1 when its claims are true, 0 when one is false; steps without a claim are not scored.

    `correct` means that no claim is false. A response without any claim has no verdict (`abstained`): name the
    component `optional` in a rubric.
    """

    name = "arithmetic_steps"

    def __init__(
        self, *, splitter: Splitter | str = "line", aggregator: Aggregator | str = "min", rounding: bool = False
    ) -> None:
        """`rounding` accepts 10/3 = 3.33."""
        self.splitter, self.aggregator = check_splitter(splitter), check_aggregator(aggregator)
        self.rounding = rounding

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Check the steps of the final text."""
        if not evidence.text.strip():
            return wrong("the response is empty", status="no_answer")
        scores, false, count = [], [], 0
        for step in split_steps(evidence.text, self.splitter):
            claims = find_claims(step.text, rounding=self.rounding)
            if claims:
                count += len(claims)
                false += [claim for claim in claims if not claim.true]
                scores.append(StepScore(step.start, step.end, float(all(claim.true for claim in claims))))
        if not scores:
            return no_verdict("no arithmetic to check", status="abstained")
        return Verdict(
            score=aggregate_steps([step.score for step in scores], self.aggregator),
            correct=not false,
            steps=tuple(scores),
            reason=f"{false[0].left} = {false[0].right} is false" if false else "",
            details={"claims": count, "false": len(false)},
        )
