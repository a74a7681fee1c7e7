"""What a configuration calls by name, found and bound: shapers, advantage function, loss.

Built before anything large is read, so that a misspelt name costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from assay.core.trajectory import Group
from assay.trainers import noise
from assay.trainers.advantages import AdvantageFn, Advantages, make_advantage
from assay.trainers.algorithm_config import AlgorithmConfig
from assay.trainers.losses import make_loss
from assay.trainers.shaping import StatefulShaper, make_shaper


class Algorithm:
    """The functions of an algorithm, in the order in which they are applied."""

    def __init__(self, config: AlgorithmConfig) -> None:
        """`ConfigError` for an unknown name or option."""
        self.shapers = [make_shaper(shaper.name, **shaper.options) for shaper in config.shaping]
        self.advantage: AdvantageFn = (
            make_advantage(config.advantage, **config.advantage_options) if config.critic is None else zeros
        )
        if config.noise is not None and config.noise.method == "forward":
            self.advantage = noise.forward(config.noise.rho1)
        elif config.noise is not None:  # first: it reads the reward as the environment pays it
            plain = self.advantage if config.critic is None else make_advantage("dr_grpo")
            self.shapers.insert(0, noise.backward(config.noise.rho0, config.noise.rho1, plain))
        self.loss = make_loss(config.loss, **config.loss_options)

    def shape(self, groups: Sequence[Group]) -> tuple[Sequence[Group], dict[str, float]]:
        """Return the shaped groups, and the metrics of the shapers that have a state."""
        numbers: dict[str, float] = {}
        for shaper in self.shapers:
            groups = shaper(groups)
            if isinstance(shaper, StatefulShaper):
                numbers |= shaper.metrics()
        return groups, numbers

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the shapers that have one, by their place in the configuration."""
        return {str(n): s.state_dict() for n, s in enumerate(self.shapers) if isinstance(s, StatefulShaper)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        for number, saved in state.items():
            shaper = self.shapers[int(number)]
            if isinstance(shaper, StatefulShaper):
                shaper.load_state_dict(saved)


def zeros(groups: Sequence[Group]) -> Advantages:
    """Return 0 for every turn of every member with a verdict: its critic's values are read first."""
    return [[np.zeros(len(t.steps)) if t.scored else None for t in group] for group in groups]
