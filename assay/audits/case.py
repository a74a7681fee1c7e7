"""Case and Trial: one thing to ask a verifier, and what it said.

Labelled rows, certified mutants and attacks are all cases; they differ in where they come from and in who says what
the right verdict is. Keeping them one noun keeps one runner, one table of disagreements and one kind of repro.

Invariants:

* `correct` is what is *known* about the response, never what some verifier said. None means that nobody knows.
* A verdict that does not exist is neither an acceptance nor a rejection (`Trial.accepted is None`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from assay.core.message import Message, user
from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.verifiers.base import Evidence

Origin = Literal["corpus", "certified", "attack", "probe"]
Relation = Literal["equal", "different"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """Why a generated response is right or wrong, in a form that a person or a program can check."""

    relation: Relation
    method: str
    """How it was shown: `rational`, `polynomial`, `irrational`, `set`, `digits`, `letters`, `layout`, ..."""
    argument: str
    """The argument itself, such as `7/2 != 9/2`."""
    convention: str = ""
    """Name of the convention that the claim rests on (`percent`, `units`); empty when it holds under all of them."""


@dataclass(frozen=True, slots=True)
class Case:
    """One response to judge against one target."""

    id: str
    target: Any
    response: str
    correct: bool | None
    """Ground truth; None for probes without a label."""
    origin: Origin = "corpus"
    cls: str = ""
    """Class of the problem or of the perturbation: the strata of the report."""
    family: str = ""
    """Attack family or mutator that made the response."""
    problem: str = ""
    """Question as the policy saw it; may be empty."""
    cluster: str = ""
    """Cases of one cluster are dependent: intervals resample clusters, not cases. The id when empty."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    certificate: Certificate | None = None
    answer: str = ""
    """The bare answer, where the audit framed it to make the response."""

    @property
    def group(self) -> str:
        """The cluster, or the case itself when it stands alone."""
        return self.cluster or self.id

    def task(self) -> Task:
        """Return the task that a verifier sees."""
        return Task(id=self.id, prompt=self.problem, target=self.target, metadata=self.metadata)

    def evidence(self) -> Evidence:
        """Return the evidence that a verifier sees."""
        transcript: tuple[Message, ...] = (user(self.problem), {"role": "assistant", "content": self.response})
        return Evidence(text=self.response, messages=transcript)


@dataclass(frozen=True, slots=True)
class Trial:
    """A case and what the verifier made of it."""

    case: Case
    verdict: Verdict
    accepted: bool | None
    """Whether the verifier called it correct; None when there is no verdict."""
    killed: bool = False
    """The verifier had to be killed: it hung, or its process died."""
    memory_mb: float = 0.0
    """Growth of the peak resident memory of the worker during this case."""

    @property
    def seconds(self) -> float:
        """Time that the verifier took, measured in the process where it ran."""
        return self.verdict.seconds

    @property
    def error(self) -> Literal["FN", "FP", ""]:
        """`FN` for a rejected right answer, `FP` for an accepted wrong one, empty otherwise."""
        if self.accepted is None or self.case.correct is None or self.accepted == self.case.correct:
            return ""
        return "FN" if self.case.correct else "FP"


def accepts(verdict: Verdict, threshold: float) -> bool | None:
    """Return whether a verdict says *correct*: its own word where it has one, else `score >= threshold`."""
    if verdict.score is None:
        return None
    return verdict.correct if verdict.correct is not None else verdict.score >= threshold


def default_threshold(score_range: tuple[float, float]) -> float:
    """Return the middle of a score range; 0.5 for an unbounded one, where the user should choose."""
    low, high = score_range
    return (low + high) / 2 if math.isfinite(low) and math.isfinite(high) else 0.5
