"""RewardWrapper: what every reward-shaping wrapper keeps.

Invariants:

* The verdict is never touched, so filters, curricula and pass@k go on reading the raw outcome.
* Every raw part of the reward stays in `info["reward_parts"]`; what the wrapper adds stands beside them as
  `shaping/<name>`, so the reward minus all `shaping/` parts is the raw reward again.
* An episode that ends without a verdict ends with the reward 0.0, whatever was wrapped around it.
* The same task, seed and actions give the same rewards: state is kept for one episode at most.

A limit that a runner sets (tokens, seconds) ends the episode outside the environment: the last payment of a wrapper
that pays at the end is then not made. Limits of turns are the environment's own.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
from gymnasium.utils import RecordConstructorArgs

from assay.core.errors import ConfigError
from assay.core.message import Observation
from assay.core.registry import load
from assay.core.verdict import Verdict

AnyEnv = gymnasium.Env[Observation, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one action led to, before this wrapper."""

    action: str
    observation: Observation
    over: bool
    """Whether the episode ended with this action."""
    verdict: Verdict | None
    """The verdict, on the last step of an environment that gives one."""


class RewardWrapper(gymnasium.Wrapper[Observation, str, Observation, str], RecordConstructorArgs):
    """Adds `bonus(outcome)` to the reward of each step. Subclasses name themselves and give the bonus.

    Their constructors call `RecordConstructorArgs.__init__` first, as Gymnasium's own wrappers do: `env.spec` then
    tells how to build the same stack again.
    """

    name: ClassVar[str]
    """Registered name; the part of the reward is `shaping/<name>`."""

    @abstractmethod
    def bonus(self, outcome: Outcome) -> float:
        """Return what to add to the reward of this step. Not asked at the end of an episode without a verdict."""

    @property
    @abstractmethod
    def bonus_range(self) -> tuple[float, float]:
        """Smallest and largest bonus of one step."""

    def begin(self) -> None:
        """Forget the last episode; `self.env` has just been reset."""

    @property
    def step_reward_range(self) -> tuple[float, float]:
        """Smallest and largest step reward, the verifier's score not counted."""
        low, high = self.env.get_wrapper_attr("step_reward_range")
        return low + self.bonus_range[0], high + self.bonus_range[1]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode."""
        started = self.env.reset(seed=seed, options=options)
        self.begin()
        return started

    def step(self, action: str) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take one turn and add the bonus to its reward."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        verdict = info.get("verdict")
        if isinstance(verdict, Verdict) and not verdict.scored:
            return observation, float(reward), terminated, truncated, info
        extra = float(self.bonus(Outcome(action, observation, terminated or truncated, verdict)))
        parts, part = dict(info.get("reward_parts", {})), f"shaping/{self.name}"
        parts[part] = extra + (parts.get(part) or 0.0)
        return observation, float(reward) + extra, terminated, truncated, {**info, "reward_parts": parts}


def function(what: Callable[..., Any] | str) -> Callable[..., Any]:
    """Return a function that is given as such or as `"module:attribute"`, the form that configurations hold."""
    found = load(what) if isinstance(what, str) else what
    if not callable(found):
        raise ConfigError(f"{what!r} is no function")
    return found  # type: ignore[no-any-return]


def check_not_negative(wrapper: str, **values: float) -> None:
    """Refuse options that are negative or not finite."""
    for name, value in values.items():
        if not 0 <= value < float("inf"):
            raise ConfigError(f"wrapper {wrapper!r}: {name} must be a number from 0 on, not {value!r}")
