"""Verdict: what a verifier found, and the difference between *wrong* and *unknown*.

Invariants, enforced at construction:

* `score is None` if and only if the verifier has no opinion (`error`, `timeout`, `abstained`, or an `unparsable`
  gold). Such a sample leaves the group's statistics; evaluation counts it as unscored and bounds its effect.
  A fault is never a 0.
* A policy that gave no answer, or one that cannot be read, earned its 0: `no_answer` and `unparsable` carry a
  score unless the thing that could not be read is the gold (`no_verdict(...)`).
* A score is a finite number. `correct` is the raw binary outcome: filters, curricula and pass@k read it, never
  a shaped reward.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Status = Literal["ok", "no_answer", "unparsable", "timeout", "error", "tampered", "abstained"]
"""How the verifier ended: `tampered` means that the candidate tried to write its own verdict (score 0)."""


@dataclass(frozen=True, slots=True)
class StepScore:
    """Process score of one reasoning step, with the characters of the response that it covers."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one verifier on one piece of evidence. Equality ignores `seconds`."""

    score: float | None
    """The raw score, finite, or None for *no verdict*."""
    correct: bool | None = None
    """The binary outcome; None when unknown."""
    status: Status = "ok"
    extracted: str | None = None
    """What the verifier took for the answer."""
    parts: Mapping[str, float | None] = field(default_factory=dict)
    """Named components of the score; None marks a component that has no verdict."""
    steps: tuple[StepScore, ...] = ()
    """Process scores, in the order of the response."""
    reason: str = ""
    """One line for a person: why."""
    stage: str = ""
    """Which stage of the verifier decided (`exact`, `rational`, `symbolic`, ...)."""
    seconds: float = field(default=0.0, compare=False)
    verifier: str = ""
    """Name and version of the verifier, such as `math@1`."""
    details: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """JSON-serialisable extras for records and reports."""

    def __post_init__(self) -> None:
        if self.score is None:
            if self.correct is not None:
                raise ValueError("a verdict without a score cannot say whether the answer is correct")
            if self.status == "ok":
                raise ValueError("a verdict without a score needs a status that says why (error, timeout, ...)")
        elif isinstance(self.score, bool) or not math.isfinite(self.score):
            raise ValueError(f"a score must be a finite number, not {self.score!r}")
        else:
            object.__setattr__(self, "score", float(self.score))
        # Verifiers compute with numpy and take numbers for answers; records hold what every reader understands.
        if self.correct is not None:
            if self.correct not in (True, False):
                raise ValueError(f"correct must be True, False or None, not {self.correct!r}")
            object.__setattr__(self, "correct", bool(self.correct))
        if not isinstance(self.extracted, str | None):
            object.__setattr__(self, "extracted", str(self.extracted))
        if any(type(part) is not float for part in self.parts.values()):
            parts = {name: None if part is None else float(part) for name, part in self.parts.items()}
            object.__setattr__(self, "parts", parts)

    @property
    def scored(self) -> bool:
        """Whether there is a verdict at all."""
        return self.score is not None

    def with_(self, **changes: Any) -> Verdict:
        """Return a copy with some fields changed."""
        return replace(self, **changes)


def right(score: float = 1.0, **fields: Any) -> Verdict:
    """Return the verdict *correct*."""
    return Verdict(score=score, correct=True, **fields)


def wrong(reason: str = "", *, score: float = 0.0, status: Status = "ok", **fields: Any) -> Verdict:
    """Return the verdict *incorrect*, also for answers that are missing (`no_answer`) or unreadable."""
    return Verdict(score=score, correct=False, status=status, reason=reason, **fields)


def no_verdict(reason: str, *, status: Status = "error", **fields: Any) -> Verdict:
    """Return the absence of a verdict: the verifier cannot tell, and says why."""
    return Verdict(score=None, correct=None, status=status, reason=reason, **fields)
