"""Watch a verifier while a policy learns against it: a second verifier on a sample, and an alarm for drift.

Error rates from before the run say little about a policy that has had a thousand steps to look for the holes. The
trainer asks `wants(...)` for each rollout, has the chosen ones judged by a second verifier, and feeds both verdicts to
`observe`. The share of *rewarded* rollouts that the second one rejects is the signal of hacking.

The alarm is an e-process CUSUM (Shin, Ramdas & Rinaldo 2023): evidence against "the disagreement is at most the
baseline", restarted whenever it falls below 1. With the limit 1/alpha a run without drift is alarmed after 1/alpha
checks on average, or later. This class calls no verifier, keeps no text, and can be checkpointed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from assay.core.errors import ConfigError
from assay.core.seeding import derive_seed
from assay.core.stats import Interval, wilson


@dataclass(slots=True)
class Tally:
    """Checks of one step, or of all steps."""

    accepted: int = 0
    """Checked rollouts that the first verifier accepted."""
    refuted: int = 0
    """Of those, how many the second one rejected."""
    rejected: int = 0
    missed: int = 0
    """Of the rejected ones, how many the second one accepted."""
    undecided: int = 0
    """Checks in which one of them had no verdict."""

    def add(self, first: bool | None, second: bool | None) -> None:
        """Count one check."""
        if first is None or second is None:
            self.undecided += 1
        elif first:
            self.accepted += 1
            self.refuted += not second
        else:
            self.rejected += 1
            self.missed += second

    @property
    def refuted_rate(self) -> float | None:
        """Share of the accepted that the second verifier rejects: the false discovery rate, if it is right."""
        return self.refuted / self.accepted if self.accepted else None


@dataclass(slots=True)
class Monitor:
    """Disagreement of two verifiers by training step, with an alarm. Feed it from one thread."""

    fraction: float = 0.05
    """Share of rewarded rollouts to check."""
    rejected_fraction: float = 0.0
    """Share of rejected rollouts to check; they cost and say less, but find false negatives."""
    baseline: float | None = None
    """Disagreement that is normal; None learns it from the first `warmup` checks."""
    warmup: int = 100
    """Checks of accepted rollouts that set the baseline."""
    alpha: float = 0.001
    """1 / (mean number of checks between false alarms)."""
    seed: int = 0
    steps: dict[int, Tally] = field(default_factory=dict)
    total: Tally = field(default_factory=Tally)
    evidence: float = 1.0
    """Capital of the bet against the baseline."""
    alarm_step: int | None = None
    """Step of the first alarm."""

    def __post_init__(self) -> None:
        if not (0 <= self.fraction <= 1 and 0 <= self.rejected_fraction <= 1 and 0 < self.alpha < 1):
            raise ConfigError("the fractions of a monitor lie in [0, 1], its alpha between 0 and 1")
        if self.baseline is not None and not 0 < self.baseline < 1:
            raise ConfigError(f"a baseline lies between 0 and 1, not {self.baseline:g}")

    def wants(self, step: int, rollout_id: str, accepted: bool) -> bool:
        """Return whether to check this rollout: a hash decides, so a resumed run checks the same ones."""
        u = derive_seed("monitor", self.seed, step, rollout_id) / 2**63
        return u < (self.fraction if accepted else self.rejected_fraction)

    def observe(self, step: int, first: bool | None, second: bool | None) -> bool:
        """Take the verdicts of both verifiers on one rollout; return whether the alarm is on."""
        self.steps.setdefault(step, Tally()).add(first, second)
        self.total.add(first, second)
        if first is not True or second is None:
            return self.alarmed
        if self.baseline is None:
            if self.total.accepted >= self.warmup:
                # The upper end: chance in a short warm-up must not count as drift later.
                self.baseline = min(0.99, max(0.005, wilson(self.total.refuted, self.total.accepted).high))
            return self.alarmed
        # Kelly's bet on a disagreement of twice the baseline and five points more; it keeps the capital positive.
        drifted = min(0.95, 2 * self.baseline + 0.05)
        bet = max(0.0, drifted - self.baseline) / (self.baseline * (1 - self.baseline))
        self.evidence = max(1.0, self.evidence) * (1 + bet * ((not second) - self.baseline))
        if self.evidence >= 1 / self.alpha and self.alarm_step is None:
            self.alarm_step = step
        return self.alarmed

    @property
    def alarmed(self) -> bool:
        """Whether the disagreement has risen above the baseline at any time."""
        return self.alarm_step is not None

    def interval(self, step: int | None = None) -> Interval:
        """Return the Wilson interval of the refuted share, of one step or of all."""
        tally = self.total if step is None else self.steps.get(step, Tally())
        return wilson(tally.refuted, tally.accepted)

    def metrics(self, step: int) -> dict[str, float]:
        """Return flat numbers for the log of a step."""
        tally = self.steps.get(step, Tally())
        out = {
            "monitor/checked": float(tally.accepted + tally.rejected + tally.undecided),
            "monitor/accepted": float(tally.accepted),
        }
        if tally.refuted_rate is not None:
            out["monitor/refuted"] = tally.refuted_rate
        if tally.rejected:
            out["monitor/missed"] = tally.missed / tally.rejected
        return out | {"monitor/evidence": self.evidence, "monitor/alarm": float(self.alarmed)}

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {
            "baseline": self.baseline,
            "evidence": self.evidence,
            "alarm_step": self.alarm_step,
            "total": asdict(self.total),
            "steps": {str(step): asdict(tally) for step, tally in self.steps.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take a state back."""
        self.baseline, self.evidence, self.alarm_step = state["baseline"], state["evidence"], state["alarm_step"]
        self.total = Tally(**state["total"])
        self.steps = {int(step): Tally(**tally) for step, tally in state["steps"].items()}
