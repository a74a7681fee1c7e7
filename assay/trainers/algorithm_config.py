"""AlgorithmConfig, the part of a training configuration that says what is optimised.

Invariant: settings that would cancel each other, or go unused, are refused where the configuration is read.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from assay.core.config import Config


class ShaperConfig(Config):
    """A reward shaper over groups, by name."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class NoiseConfig(Config):
    """Correction of the rewards for a verifier's error rates (`noise.py` says what each method can do)."""

    method: Literal["backward", "forward"]
    rho0: float = Field(0.0, ge=0.0, lt=1.0)
    """P(accepted | wrong): `training.rho0` of an audit."""
    rho1: float = Field(0.0, ge=0.0, lt=1.0)
    """P(rejected | right): `training.rho1` of an audit."""

    @model_validator(mode="after")
    def _informative(self) -> NoiseConfig:
        if self.rho0 + self.rho1 >= 1:
            raise ValueError("rho0 + rho1 must be below 1: such a verifier says nothing about the outcome")
        return self


class CriticConfig(Config):
    """The critic of `advantage: gae`, and how its values become advantages (PPO, arXiv 1707.06347)."""

    kind: Literal["shared", "separate"] = "shared"
    """`shared`: one linear head on the policy's trunk. `separate`: a trunk of its own, a copy of the policy."""
    stop_gradient: bool = True
    """`shared`: keep the value loss out of the trunk."""
    level: Literal["token", "turn"] = "token"
    """What one value stands for: a sampled token, or a whole turn (VL-DAC, arXiv 2508.04280)."""
    gamma: float = Field(1.0, gt=0.0, le=1.0)
    """Discount for each token or turn."""
    lam: float = Field(1.0, ge=0.0, le=1.0)
    """GAE's lambda: 1 trusts the episode's reward alone, 0 the critic."""
    whiten: bool = True
    """Standardise the advantages over the trainable tokens of a step."""
    learning_rate: PositiveFloat = 1e-5
    coef: PositiveFloat = 0.5
    """Weight of the value loss; matters where it shares a trunk with the policy's."""
    clip: PositiveFloat | None = 0.2
    """How far a value may move in one step before its gradient is cut; None: as far as it likes."""
    warmup_steps: int = Field(0, ge=0)
    """Optimiser steps at the beginning in which the critic learns and the policy stays as it is."""

    @model_validator(mode="after")
    def _stops_what_is_shared(self) -> CriticConfig:
        if self.kind == "separate" and not self.stop_gradient:
            raise ValueError("stop_gradient is about a shared trunk; a separate critic has one of its own")
        return self


class CorrectionConfig(Config):
    """Truncated importance sampling: weight tokens by trainer / engine, as both were before the update."""

    level: Literal["token", "sequence"] = "token"
    """`sequence`: the geometric mean over a sequence."""
    upper: PositiveFloat = 2.0
    lower: float = Field(0.0, ge=0.0)
    outside: Literal["truncate", "mask"] = "truncate"
    """What happens to a token whose weight is out of bounds: the bound becomes its weight, or 0."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> CorrectionConfig:
        if self.lower >= self.upper:
            raise ValueError(f"lower ({self.lower:g}) must be below upper ({self.upper:g})")
        return self


class ReplayConfig(Config):
    """Past successes that are trained on again (`replay.py` says which)."""

    ratio: float = Field(0.25, gt=0.0, le=2.0)
    """Replayed episodes, at most, for each new one that is trained on."""
    low: float = Field(0.5, ge=0.0, lt=1.0)
    """Bounds of the geometric-mean probability that the policy gives their tokens."""
    high: float = Field(0.95, gt=0.0, le=1.0)
    capacity: PositiveInt = 4096
    """Tasks whose last success is kept."""
    advantage: PositiveFloat = 1.0
    """Of every replayed token."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> ReplayConfig:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        return self


class AlgorithmConfig(Config):
    """What is optimised: a named advantage function and a named loss, with their options."""

    shaping: tuple[ShaperConfig, ...] = ()
    """Applied in this order to the groups that are trained on, after every filter."""
    noise: NoiseConfig | None = None
    """Correction for a verifier that errs; None takes its word."""
    advantage: str = "grpo"
    advantage_options: dict[str, Any] = Field(default_factory=dict)
    critic: CriticConfig | None = None
    """For `advantage: gae`, and only for it."""
    loss: str = "ppo_clip"
    loss_options: dict[str, Any] = Field(default_factory=dict)
    correction: CorrectionConfig | None = None
    """None: the loss compares with the engine that sampled. Otherwise it compares with the trainer's own policy before
    the update, and tokens are weighted by how far the engine was from that."""
    kl_coef: float = Field(0.0, ge=0.0)
    """Weight of the KL divergence to the policy as it was before the first step; 0: no reference model is kept."""
    entropy_coef: float = Field(0.0, ge=0.0)
    """Weight of an entropy bonus."""
    normalization: Literal["token-mean", "sequence-mean", "constant"] = "token-mean"
    """How a token's weight follows from the counts of the whole step."""
    dynamic_sampling: Literal["keep", "drop", "refill"] = "drop"
    """What to do with groups whose verdicts are all the same: keep, drop, or drop and sample until full."""
    epochs: PositiveInt = 1
    """Optimiser steps on each batch of episodes."""
    replay: ReplayConfig | None = None

    @model_validator(mode="after")
    def _critic_where_it_belongs(self) -> AlgorithmConfig:
        if self.advantage == "gae" and self.critic is None:
            raise ValueError("advantage 'gae' needs a critic; write critic: {} for the default one")
        if self.advantage != "gae" and self.critic is not None:
            raise ValueError(f"a critic is for advantage 'gae'; {self.advantage!r} would not use it")
        if self.advantage == "gae" and self.advantage_options:
            raise ValueError("advantage 'gae' takes its options from the critic: gamma, lam, level, whiten")
        return self

    @model_validator(mode="after")
    def _forward_sees_everything(self) -> AlgorithmConfig:
        if self.noise is not None and self.noise.method == "forward":
            if self.dynamic_sampling != "keep":
                raise ValueError("the forward correction holds over all groups only: set dynamic_sampling to keep")
            if self.shaping:
                raise ValueError("the forward correction takes the place of the advantage and sees no shaping")
            if self.critic is not None:
                raise ValueError("the forward correction takes the place of the advantage; with a critic use backward")
        if self.noise is not None and self.critic is not None and self.critic.whiten:
            raise ValueError("the backward correction cancels in whitened advantages; set critic.whiten to false")
        return self
