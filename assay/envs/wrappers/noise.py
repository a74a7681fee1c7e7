"""A reward channel that errs at known rates: for studies of what a faulty verifier does to training.

The verdict stays true; only the reward errs, so the damage can be measured on the raw outcome of the same episodes.
"""

from __future__ import annotations

from gymnasium.utils import RecordConstructorArgs

from assay.core.errors import ConfigError
from assay.core.seeding import derive_seed
from assay.envs.wrappers.base import AnyEnv, Outcome, RewardWrapper


class NoisyReward(RewardWrapper):
    """Pays a wrong answer as right with probability `rho0`, and a right one as wrong with probability `rho1`.

    Right pays the upper end of `score_range` and wrong the lower one. Whether an episode is misjudged is a hash of
    `seed`, the task and everything the agent said: like a faulty but deterministic grader, it gives the same answer to
    the same task the same reward every time.
    """

    name = "noise"

    def __init__(
        self,
        env: AnyEnv,
        *,
        rho0: float = 0.0,
        rho1: float = 0.0,
        seed: int = 0,
        score_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        for rate, value in (("rho0", rho0), ("rho1", rho1)):
            if not 0 <= value <= 1:
                raise ConfigError(f"wrapper {self.name!r}: {rate} is a probability, not {value!r}")
        RecordConstructorArgs.__init__(self, rho0=rho0, rho1=rho1, seed=seed, score_range=score_range)
        super().__init__(env)
        self.rho0, self.rho1, self.seed = rho0, rho1, seed
        self.low, self.high = score_range
        self._said: list[str] = []

    @property
    def bonus_range(self) -> tuple[float, float]:
        """From a right answer that is not paid to a wrong one that is."""
        return self.low - self.high, self.high - self.low

    def begin(self) -> None:
        """Listen to a new episode."""
        self._said = []

    def bonus(self, outcome: Outcome) -> float:
        """Return the difference between the reward of the other outcome and the score, if the episode is misjudged."""
        self._said.append(outcome.action)
        verdict = outcome.verdict
        if verdict is None or verdict.score is None or verdict.correct is None:
            return 0.0
        task = getattr(self.env.unwrapped, "task", None)
        u = derive_seed("noise", self.seed, getattr(task, "id", ""), *self._said) / 2**63
        if u >= (self.rho1 if verdict.correct else self.rho0):
            return 0.0
        return (self.low if verdict.correct else self.high) - verdict.score
