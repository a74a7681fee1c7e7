"""From a critic's values to advantages: GAE on the agent's own tokens, or on whole turns.

`token`: every sampled token is an action (PPO on language models as it is usual). `turn`: the critic is asked once a
turn, before its first token, and all tokens of the turn share one advantage (VL-DAC, arXiv 2508.04280: values of
single tokens are noise that the policy then follows).

Invariants:

* Observation tokens do not exist here: the recursion runs over trainable tokens, or turns, of the whole trajectory,
  over its forks too, so gamma and lambda cost nothing across what the environment said.
* A turn's reward belongs to its last token. A turn without tokens passes its reward to the turn before it.
* What a limit cut short ended with a reward that was earned, so nothing is bootstrapped beyond the last turn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.core.trajectory import Group, Sample, Trajectory
from assay.trainers.advantages.base import FloatArray, standardise, step_rewards
from assay.trainers.advantages.gae import gae
from assay.trainers.algorithm_config import CriticConfig


@dataclass(frozen=True, slots=True)
class ValueTargets:
    """What a critic learns from: for each sample float32 tensors [N_i] over its trainable tokens."""

    values: list[Tensor]
    """The critic's values before the update, which its clip compares with."""
    returns: list[Tensor]
    weights: list[Tensor]
    """Summing to 1 over all samples; 0 where no value is learned."""

    def beside(self, samples: Sequence[Sample]) -> ValueTargets:
        """Return the targets of the same samples and, after them, of `samples`, from which no value is learned."""
        nothing = [torch.zeros(int(sample.loss_mask.sum())) for sample in samples]
        return ValueTargets(self.values + nothing, self.returns + nothing, self.weights + nothing)


def assign_gae(
    groups: Iterable[Group], samples: Sequence[Sample], values: Sequence[Tensor], config: CriticConfig
) -> tuple[ValueTargets, dict[str, float]]:
    """Set the advantages of `samples` in place; return what the critic learns from, and metrics.

    `samples` are those of the groups' trajectories, the streams of each in order; `values` holds the critic's value
    at each trainable token of each sample. The metrics are the `explained_variance` of the returns by the values,
    1 - Var(R - V) / Var(R), and the means of both.
    """
    streams: defaultdict[str, list[int]] = defaultdict(list)
    for number, sample in enumerate(samples):
        streams[sample.trajectory_id].append(number)
    trajectories = {trajectory.id: trajectory for group in groups for trajectory in group}
    advantages: list[FloatArray] = [np.zeros(0)] * len(samples)
    returns: list[FloatArray] = [np.zeros(0)] * len(samples)
    weights: list[FloatArray] = [np.zeros(0)] * len(samples)
    for name, numbers in streams.items():
        turns = np.concatenate([samples[n].turn_index[samples[n].loss_mask] for n in numbers])
        known = np.concatenate([values[n].double().numpy() for n in numbers])
        columns = trajectory_gae(trajectories[name], turns, known, config)
        ends = np.cumsum([int(samples[n].loss_mask.sum()) for n in numbers])[:-1]
        for column, target in zip(columns, (advantages, returns, weights), strict=True):
            for n, part in zip(numbers, np.split(column, ends), strict=True):
                target[n] = part
    if not samples:
        return ValueTargets([], [], []), {}
    everything = np.concatenate(advantages)
    scaled = standardise(everything, ddof=0, eps=1e-6) if config.whiten else everything
    for sample, part in zip(samples, np.split(scaled, np.cumsum([len(a) for a in advantages])[:-1]), strict=True):
        sample.advantages[sample.loss_mask] = part
    learned = np.concatenate(weights)
    metrics = _metrics(np.concatenate(returns), torch.cat(list(values)).double().numpy(), learned > 0)
    total = learned.sum()
    return ValueTargets(list(values), _tensors(returns), _tensors([w / total for w in weights])), metrics


def trajectory_gae(
    trajectory: Trajectory, turns: NDArray[np.int32], values: FloatArray, config: CriticConfig
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (advantages, returns, weights) of one trajectory's trainable tokens, shape [N] each.

    `turns` [N] is the turn of each token, ascending, `values` [N] the critic's values. Weights are 1 where a value is
    learned and 0 elsewhere, where the return says nothing.
    """
    first = np.flatnonzero(np.diff(turns, prepend=-1))
    elements = turns if config.level == "token" else turns[first]
    owners = np.searchsorted(elements, np.arange(len(trajectory.steps)), side="right") - 1
    earned = np.zeros(len(elements))
    np.add.at(earned, owners[owners >= 0], step_rewards(trajectory)[owners >= 0])
    read = values if config.level == "token" else values[first]
    advantages, returns = gae(earned, read, gamma=config.gamma, lam=config.lam)
    if config.level == "token":
        return advantages, returns, np.ones(len(turns))
    spread, weights = np.zeros(len(turns)), np.zeros(len(turns))
    spread[first], weights[first] = returns, 1.0
    return np.repeat(advantages, np.diff(first, append=len(turns))), spread, weights


def explained_variance(returns: FloatArray, values: FloatArray) -> float:
    """Return 1 - Var(R - V) / Var(R): 1 for a perfect critic, 0 for a constant; NaN when all returns are equal."""
    spread = float(returns.var())
    return 1.0 - float((returns - values).var()) / spread if spread > 0 else float("nan")


def _metrics(returns: FloatArray, values: FloatArray, learned: NDArray[np.bool_]) -> dict[str, float]:
    returns, values = returns[learned], values[learned]
    return {
        "explained_variance": explained_variance(returns, values),
        "return": float(returns.mean()),
        "value": float(values.mean()),
    }


def _tensors(arrays: Iterable[FloatArray]) -> list[Tensor]:
    return [torch.from_numpy(array.astype(np.float32)) for array in arrays]
