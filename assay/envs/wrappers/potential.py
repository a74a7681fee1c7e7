"""Potential-based shaping: denser rewards that leave the best policies the best ones.

Source: Ng, Harada and Russell, "Policy invariance under reward transformations" (ICML 1999):
F(s, s') = gamma * Phi(s') - Phi(s), with Phi = 0 once the episode is over. The discounted sum of F over an episode is
-Phi(s_0), the same for every way of acting. With gamma 0.99 and Phi = 0, 0.5, 1, end: F = 0.495, 0.49, -1, sum 0.

Episodes that a turn limit cuts off end at Phi = 0 too: trainers of episodes do not bootstrap behind the limit, so the
return ends there.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from gymnasium.utils import RecordConstructorArgs

from assay.core.errors import ConfigError
from assay.envs.wrappers.base import AnyEnv, Outcome, RewardWrapper, check_not_negative, function


class PotentialWrapper(RewardWrapper):
    """Pays gamma * Phi(s') - Phi(s); subclasses say what Phi is."""

    def __init__(self, env: AnyEnv, *, gamma: float, phi_range: Sequence[float]) -> None:
        super().__init__(env)
        if not 0 < gamma <= 1:
            raise ConfigError(f"wrapper {self.name!r}: gamma must be in (0, 1], not {gamma!r}")
        if len(phi_range) != 2 or not phi_range[0] <= phi_range[1]:
            raise ConfigError(f"wrapper {self.name!r}: phi_range must be [smallest, largest], not {phi_range!r}")
        self.gamma, self.phi_range = gamma, (float(phi_range[0]), float(phi_range[1]))
        self._before = 0.0

    @abstractmethod
    def potential(self) -> float:
        """Return Phi of the state that the environment is in."""

    @property
    def bonus_range(self) -> tuple[float, float]:
        """Between falling from the largest potential to the smallest, or to the end's 0, and the way back."""
        low, high = min(self.phi_range[0], 0.0), max(self.phi_range[1], 0.0)
        return self.gamma * low - high, self.gamma * high - low

    def begin(self) -> None:
        """Take the potential of the first state."""
        self._before = self._checked()

    def bonus(self, outcome: Outcome) -> float:
        """Return F(s, s')."""
        after = 0.0 if outcome.over else self._checked()
        before, self._before = self._before, after
        return self.gamma * after - before

    def _checked(self) -> float:
        value = float(self.potential())
        if not self.phi_range[0] <= value <= self.phi_range[1]:
            raise ConfigError(f"wrapper {self.name!r}: a potential of {value!r} is outside phi_range {self.phi_range}")
        return value


class PotentialShaping(PotentialWrapper):
    """Phi is a function of the environment (the innermost one, `env.unwrapped`)."""

    name = "potential"

    def __init__(
        self,
        env: AnyEnv,
        phi: Callable[[Any], float] | str,
        *,
        gamma: float = 1.0,
        phi_range: Sequence[float] = (0.0, 1.0),
    ) -> None:
        """`phi` is a function or `"module:attribute"`; a value outside `phi_range` is an error."""
        RecordConstructorArgs.__init__(self, phi=phi, gamma=gamma, phi_range=phi_range)
        super().__init__(env, gamma=gamma, phi_range=phi_range)
        self._phi = function(phi)

    def potential(self) -> float:
        """Return Phi of the environment."""
        return float(self._phi(self.env.unwrapped))


class SubgoalShaping(PotentialWrapper):
    """Phi = scale * reached / total: subgoals count once each and in their order, and stay reached.

    The idea is that of "Words as Beacons" (arXiv 2410.08632), which pays a bonus per subgoal; the potential form
    keeps a policy from living on subgoals alone.
    """

    name = "subgoal"

    def __init__(
        self, env: AnyEnv, subgoals: Callable[[Any], Sequence[bool]] | str, *, scale: float = 1.0, gamma: float = 1.0
    ) -> None:
        """`subgoals(env.unwrapped)` says of each subgoal, in order, whether it holds now."""
        check_not_negative(self.name, scale=scale)
        RecordConstructorArgs.__init__(self, subgoals=subgoals, scale=scale, gamma=gamma)
        super().__init__(env, gamma=gamma, phi_range=(0.0, scale))
        self._subgoals, self.scale = function(subgoals), scale
        self.reached = 0

    def begin(self) -> None:
        """Start with the subgoals that hold already."""
        self.reached = 0
        super().begin()

    def potential(self) -> float:
        """Return the share of subgoals reached so far, times the scale."""
        holds = list(self._subgoals(self.env.unwrapped))
        while self.reached < len(holds) and holds[self.reached]:
            self.reached += 1
        return self.scale * self.reached / len(holds) if holds else 0.0
