"""Correct outcome rewards for a verifier's known error rates (Cai et al. 2025, arXiv 2510.00915). Off unless asked for.

The verifier is taken as a channel that answers 1 for a wrong answer with probability rho0, and 0 for a right one with
probability rho1; J = 1 - rho0 - rho1. An audit measures both rates (`training` in its JSON).

* `backward` replaces the reward r by (r - rho0) / J, whose expectation is the true one. Its advantages are unbiased
  for the clean ones where the estimator is linear in the reward (`dr_grpo`, `rloo`). In a z-score any such map
  cancels, so an estimator that normalises by the std is refused: the correction would do nothing.
* `forward` takes r + rho1 - 1 as the advantage: rho1 for an accepted answer, rho1 - 1 for a rejected one. The expected
  gradient is J times the clean one, and rho0 need not be known. It has no baseline, so its variance is larger, and it
  holds over all episodes only: no group may be dropped for its outcomes.

Invariants: the verdict stays as it is, so filters, curricula and pass@k read the raw outcome; the backward correction
is a part of the reward of its own, `shaping/noise_backward`. Both read the reward as the environment pays it, which
must be 0 or 1: anything else is a `ConfigError`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.audits.training import NoiseChannel
from assay.core.errors import ConfigError
from assay.core.trajectory import Group, Step, Trajectory, Turn
from assay.core.verdict import right, wrong
from assay.trainers.advantages.base import AdvantageFn, Advantages, FloatArray, outcome_rewards, spread
from assay.trainers.shaping.base import Shaper, add_rewards


def backward(rho0: float, rho1: float, advantage: AdvantageFn) -> Shaper:
    """Return the shaper of the backward correction, for use before `advantage`.

    Raises `ConfigError` for rates with J <= 0, and for an estimator in which the correction cancels.
    """
    channel = NoiseChannel(rho0, rho1)
    gain = channel.backward(1.0) - channel.backward(0.0)
    if gain > 1 and _blind_to_scale(advantage, gain):
        raise ConfigError(
            "the backward correction is linear in the reward and cancels in an advantage that normalises by the "
            "std; use algorithm.advantage=dr_grpo or rloo"
        )

    def noise_backward(groups: Sequence[Group], /) -> list[Group]:
        return [_add_bonus(group, channel) for group in groups]

    return noise_backward


def _add_bonus(group: Group, channel: NoiseChannel) -> Group:
    seen = binary_rewards(group)
    return add_rewards(group, (seen - channel.rho0) / channel.youden - seen, "noise_backward")


def forward(rho1: float) -> AdvantageFn:
    """Return the advantage function of the forward correction: r + rho1 - 1 on every turn."""
    channel = NoiseChannel(0.0, rho1)
    if channel.youden <= 0:
        raise ConfigError(f"the forward correction needs rho1 < 1, not {rho1:g}")

    def noise_forward(groups: Sequence[Group], /) -> Advantages:
        return [spread(group, binary_rewards(group) + rho1 - 1) for group in groups]

    return noise_forward


def binary_rewards(group: Group) -> FloatArray:
    """Return the members' rewards, NaN without a verdict; `ConfigError` for one that is neither 0 nor 1."""
    rewards = outcome_rewards(group)
    known = rewards[np.isfinite(rewards)]
    odd = known[~np.isin(known, (0.0, 1.0))]
    if odd.size:
        raise ConfigError(
            f"a noise correction needs outcome rewards of 0 and 1, and group {group.id!r} has one of {odd[0]:g}; "
            "leave reward wrappers and graded scores out"
        )
    return rewards


def _blind_to_scale(advantage: AdvantageFn, gain: float) -> bool:
    """Whether rewards that are `gain` times as far apart give the same advantages."""
    plain, scaled = (advantage([_probe((0.0, high, 0.0, high))]) for high in (1.0, gain))
    return np.allclose(_flat(plain), _flat(scaled), atol=1e-4)


def _flat(advantages: Advantages) -> FloatArray:
    return np.concatenate([values for group in advantages for values in group if values is not None])


def _probe(rewards: Sequence[float]) -> Group:
    turn = Turn(text="", prompt_ids=(0,), output_ids=(0,), logprobs=(0.0,))
    return Group(
        "probe",
        tuple(
            Trajectory(
                id=f"probe-{number}",
                group_id="probe",
                task_id="probe",
                env_id="",
                seed=0,
                steps=(Step(turn, reward, {"outcome": reward}),),
                verdict=right(reward) if reward else wrong(),
            )
            for number, reward in enumerate(rewards)
        ),
    )
