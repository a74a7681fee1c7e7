"""AuditPlan: what an audit does, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

from assay.audits.frames import check_frame
from assay.audits.trials import RunLimits
from assay.core.errors import ConfigError

HOSTILE_LIMITS = RunLimits(seconds=1.0, memory_mb=2048, kills=1000)


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """What an audit does beyond judging the labelled rows."""

    certified: bool = False
    """Generate certified right and wrong answers from the golds and from the bank."""
    attack: bool = False
    """Attack with keys, hedges, injections, hostile inputs, constants, and answers to other questions."""
    probes: bool = False
    """Probe threads, order, determinism, symmetry, and code execution."""
    frame: str | None = None
    r"""How generated answers are written, such as `\boxed{{answer}}`; None finds out."""
    cases: int = 1500
    """At most so many certified cases."""
    bank: int = 6
    """Golds of assay's own for each class; 0 uses the user's golds alone."""
    gold_frame: str | None = None
    """How the golds of the bank are written, such as `${answer}$`; None writes them as most of the user's are."""
    attacks: int = 600
    seed: int = 0
    limits: RunLimits = RunLimits()  # noqa: RUF009 - frozen
    hostile: RunLimits = HOSTILE_LIMITS
    threshold: float | None = None
    """Smallest score that counts as *correct*, for verdicts that do not say; None is the middle of the range."""
    level: float = 0.95
    group: int = 16
    """Group size G of the training terms."""
    target_fp: float = 0.01
    """False-positive rate that the threshold of a scoring verifier is to keep."""
    process: bool = True
    """Audit step scores where a verifier gives them, unless there is nothing but labelled rows to do."""

    def __post_init__(self) -> None:
        for frame in (self.frame, self.gold_frame):
            if frame is not None:
                check_frame(frame)
        for name in ("level", "target_fp"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"{name} lies between 0 and 1, not {getattr(self, name):g}")


LABELS_ONLY = AuditPlan()
FULL = AuditPlan(certified=True, attack=True, probes=True)
