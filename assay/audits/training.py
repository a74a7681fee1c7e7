"""What a verifier's error rates do to a GRPO run, in numbers that a trainer understands.

The verifier is taken as a noisy channel on the true reward: rho0 = P(accept | wrong) = FP rate, rho1 = P(reject |
right) = FN rate, J = 1 - rho0 - rho1 (Youden). With the true pass rate p the policy sees p~ = rho0 + J p.

* `mcc(p)` = J sqrt(p(1-p) / (p~(1-p~))): what is left of a group-normalised advantage; its square is the share of
  rollouts that still count (effective rollouts).
* `precision(p)` = (1 - rho1) p / p~: how many of the rewarded rollouts deserve it.
* `spurious(G)` = 1 - (1-rho0)^G - rho0^G: how often a group of G wrong answers gets a gradient all the same.

False negatives starve easy prompts, false positives poison hard ones; hence curves over p, never one number.
The caveat belongs to every use: real errors are systematic, and a policy can climb them. No correction stops that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.core.errors import ConfigError

CAVEAT = (
    "rho0 and rho1 describe random errors. Real errors are systematic: a policy can learn to hit the answers that the "
    "verifier gets wrong, and then these rates no longer hold. A correction removes bias, it does not stop hacking."
)
PASS_RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.98)


@dataclass(frozen=True, slots=True)
class NoiseChannel:
    """A verifier as a noisy channel."""

    rho0: float
    """P(accepted | wrong): the false-positive rate."""
    rho1: float
    """P(rejected | right): the false-negative rate."""

    def __post_init__(self) -> None:
        if not (0 <= self.rho0 <= 1 and 0 <= self.rho1 <= 1):
            raise ConfigError(f"error rates lie in [0, 1], not rho0={self.rho0:g}, rho1={self.rho1:g}")

    @property
    def youden(self) -> float:
        """J = 1 - rho0 - rho1: the factor on an un-normalised advantage. Not above 0 means that learning collapses."""
        return 1 - self.rho0 - self.rho1

    def observed(self, p: float) -> float:
        """Return p~, the pass rate that the policy sees at the true pass rate p."""
        return self.rho0 + self.youden * p

    def mcc(self, p: float) -> float:
        """Return the correlation of seen and true reward at pass rate p; 0 where one of them never varies."""
        q = self.observed(p)
        spread = q * (1 - q)
        return self.youden * math.sqrt(p * (1 - p) / spread) if spread > 0 else 0.0

    def effective_share(self, p: float) -> float:
        """Return the share of rollouts that still count: MCC squared."""
        return self.mcc(p) ** 2

    def precision(self, p: float) -> float:
        """Return the share of accepted rollouts that are right; 0 where none is accepted."""
        q = self.observed(p)
        return (1 - self.rho1) * p / q if q > 0 else 0.0

    def mixed_group(self, p: float, group: int) -> float:
        """Return the probability that a group has both rewards, so that it gives a gradient at all."""
        q = self.observed(p)
        return 1 - q**group - (1 - q) ** group

    def spurious_group(self, group: int) -> float:
        """Return the probability that a group of wrong answers only gets a non-zero advantage."""
        return 1 - (1 - self.rho0) ** group - self.rho0**group

    def prevalence(self, observed: float) -> float:
        """Return the true pass rate behind an observed one (Rogan & Gladen 1978), clipped to [0, 1]."""
        if self.youden <= 0:
            raise ConfigError("a verifier with J <= 0 carries no information about the pass rate")
        return min(1.0, max(0.0, (observed - self.rho0) / self.youden))

    def backward(self, reward: float) -> float:
        """Return the unbiased reward `(r - rho0) / J` (arXiv 2510.00915)."""
        if self.youden <= 0:
            raise ConfigError("the backward correction needs J = 1 - rho0 - rho1 > 0")
        return (reward - self.rho0) / self.youden

    def forward(self, reward: float) -> float:
        """Return the weight of the score function: rho1 for reward 1, rho1 - 1 for reward 0 (arXiv 2510.00915).

        Its expected gradient is J times the clean one, and it needs rho1 alone.
        """
        return self.rho1 if reward >= 0.5 else self.rho1 - 1


def training_terms(
    channel: NoiseChannel, *, group: int = 16, pass_rates: Sequence[float] = PASS_RATES
) -> dict[str, Any]:
    """Return the consequences for training as plain data: one row for each pass rate."""
    return {
        "rho0": channel.rho0,
        "rho1": channel.rho1,
        "youden_j": channel.youden,
        "group": group,
        "spurious_group": channel.spurious_group(group),
        "caveat": CAVEAT,
        "by_pass_rate": [
            {
                "pass_rate": p,
                "seen": channel.observed(p),
                "precision": channel.precision(p),
                "mcc": channel.mcc(p),
                "effective_rollouts": channel.effective_share(p),
                "mixed_group": channel.mixed_group(p, group),
                "mixed_group_clean": NoiseChannel(0.0, 0.0).mixed_group(p, group),
            }
            for p in pass_rates
        ],
    }
