"""EvalConfig: what is evaluated, on which tasks, how often. Who is evaluated is the caller's business.

Everything here but `concurrency` and `retries` decides the result; a run can be resumed only with the same values.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from assay.core.config import Config
from assay.core.task import Limits


class Sampling(Config):
    """How answers are sampled; unlike in training the distribution may be cut."""

    temperature: float = Field(1.0, ge=0)
    """0 means greedy."""
    top_p: float = Field(1.0, gt=0, le=1)
    top_k: int = Field(0, ge=0)
    """0 means no limit."""
    min_p: float = Field(0.0, ge=0, lt=1)


class EpisodeLimits(Config):
    """Limits of every episode; the tighter of these and the task's own holds."""

    turns: int | None = Field(None, ge=1)
    tokens: int | None = Field(None, ge=1)
    seconds: float | None = Field(None, gt=0)
    """From the first turn on, what the agent's actions take included."""
    turn_tokens: int | None = Field(None, ge=1)
    turn_seconds: float | None = Field(None, gt=0)

    def limits(self) -> Limits:
        """Return the limits as the runner takes them."""
        return Limits(**self.model_dump())


class EvalConfig(Config):
    """One evaluation."""

    env: str
    """Id of the environment."""
    env_options: dict[str, Any] = {}
    split: str | None = None
    """Split of the tasks. None: `eval` for environments with endless tasks, and for files all of their rows."""
    tasks: int | None = Field(None, ge=1)
    """The first so many tasks; None: all, which endless tasks are not."""
    samples: int = Field(1, ge=1)
    """Episodes of each task."""
    ks: tuple[int, ...] = (1,)
    """For which k to estimate pass@k; none above `samples`."""
    sampling: Sampling = Sampling()
    limits: EpisodeLimits = EpisodeLimits()
    seed: int = 0
    level: float = Field(0.95, gt=0, lt=1)
    """Confidence level of the intervals."""
    concurrency: int = Field(256, ge=1)
    """Episodes in flight."""
    retries: int = Field(1, ge=0)
    """How often an episode that a fault ended is played again before it counts as unscored."""

    @model_validator(mode="after")
    def _enough_samples(self) -> Self:
        if any(k < 1 for k in self.ks):
            raise ValueError(f"ks: k must be at least 1, not {min(self.ks)}")
        if self.ks and max(self.ks) > self.samples:
            raise ValueError(
                f"pass@{max(self.ks)} needs at least {max(self.ks)} samples of every task, and samples is "
                f"{self.samples}: take more samples or a smaller k"
            )
        return self
