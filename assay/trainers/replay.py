"""Past successes, trained on again while they can still teach something (WebRL, arXiv 2411.02337).

Kept is the last success of each task. A step may draw from those whose tokens the policy *of now* gives a
geometric-mean probability in (low, high]: below, the policy has moved on and the episode is far off its distribution;
above, it knows the episode by heart. The bounds 0.5 and 0.95 are the authors' code's.

Invariants:

* What counts as a success is the raw outcome, never a shaped reward.
* A replayed token's old log-probability is the policy's own, of before the update: its ratio begins at 1, so the
  loss bounds this step's movement and not that of all the steps since. Its advantage is a constant; replay imitates,
  and a critic learns nothing from it.
* Which episodes a step draws is a function of the seed, the step and what is kept, and a checkpoint holds that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from assay.core.seeding import derive_seed
from assay.core.trajectory import Group, Sample, Trajectory
from assay.trainers.algorithm_config import ReplayConfig
from assay.trainers.samples import trajectory_samples

CANDIDATES = 4
"""So many times the wanted episodes are scored at most: scoring costs a forward pass each."""


class SuccessReplay:
    """The successes of a run, one for each task, the latest last."""

    def __init__(self, config: ReplayConfig, *, seed: int) -> None:
        self._config, self._seed = config, seed
        self.kept: dict[str, Trajectory] = {}

    def add(self, groups: Sequence[Group]) -> None:
        """Keep the last success of each task; beyond the capacity the oldest ones leave."""
        for trajectory in (t for group in groups for t in group if t.correct):
            self.kept.pop(trajectory.task_id, None)
            self.kept[trajectory.task_id] = trajectory
        for task_id in list(self.kept)[: max(len(self.kept) - self._config.capacity, 0)]:
            del self.kept[task_id]

    def draw(
        self, step: int, episodes: int, score: Callable[[Sequence[Sample]], Sequence[Tensor]]
    ) -> tuple[list[Sample], dict[str, float]]:
        """Return samples to train on beside those of `episodes` new ones, and metrics.

        `score` returns the policy's log-probability of each trainable token of each sample.
        """
        config, wanted = self._config, int(self._config.ratio * episodes)
        known = list(self.kept.values())
        order = np.random.Generator(np.random.PCG64(derive_seed("replay", self._seed, step))).permutation(len(known))
        tried = [known[n] for n in order[: CANDIDATES * wanted].tolist()]
        streams = [trajectory_samples(t, np.full(len(t.steps), config.advantage)) for t in tried]
        scores = iter(score([sample for samples in streams for sample in samples]))
        drawn: list[Sample] = []
        used = 0
        for samples in streams:
            own = [next(scores).numpy() for _ in samples]
            tokens = np.concatenate(own) if own else np.zeros(0)
            if used == wanted or not tokens.size or not config.low < np.exp(tokens.mean()) <= config.high:
                continue
            for sample, logprobs in zip(samples, own, strict=True):
                sample.logprobs[sample.loss_mask] = logprobs
            drawn += samples
            used += 1
        return drawn, {"replay/kept": float(len(known)), "replay/used": float(used)}
