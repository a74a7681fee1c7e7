"""Curriculum: arms and the policy that chooses among them, as one thing that hands out tasks.

Invariants: each arm gives its tasks in order, from the beginning again after the last one; which task is drawn next is
a function of the policy's seed and of what was observed; and `state_dict` holds all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.curricula.arms import Arm
from assay.curricula.base import Policy, generator

SHOWN = 16
"""Arms whose numbers are metrics; with more, curves would be unreadable."""


class Pick(NamedTuple):
    """A task and the arm it came from: what `observe` wants back."""

    arm: int
    task: Task
    number: int
    """Which of the arm's tasks it is, counted without end: `find` gets it again."""


class Curriculum:
    """Draws tasks from arms as a policy chooses."""

    def __init__(self, arms: Sequence[Arm], policy: Policy) -> None:
        names = [arm.name for arm in arms]
        if len(set(names)) != len(names):
            raise ConfigError(f"arms need different names, not {names}")
        if policy.arms != len(arms):
            raise ConfigError(f"a policy over {policy.arms} arms cannot choose among {len(arms)}")
        self.arms, self.policy = tuple(arms), policy
        self._next = [0] * len(arms)

    def draw(self, n: int) -> list[Pick]:
        """Return the next `n` tasks with their arms."""
        return [self._advance(arm) for arm in self.policy.choose(n)]

    def find(self, arm: int, number: int) -> Pick:
        """Return an earlier pick again."""
        tasks = self.arms[arm].tasks
        return Pick(arm, tasks[number if tasks.size is None else number % tasks.size], number)

    def draw_seeded(self, seed: int) -> Pick:
        """Return the task that a seed stands for at this moment. Nothing moves on."""
        rng = generator("draw", seed)
        arm = self.policy.pick(rng)
        tasks = self.arms[arm].tasks
        return self.find(arm, int(rng.integers(tasks.size if tasks.size is not None else 2**31)))

    def observe(self, arm: int, correct: int, total: int) -> None:
        """Tell the policy that `correct` of `total` scored episodes of one task were right; 0 of 0 say nothing."""
        if total:
            self.policy.observe(arm, correct, total)

    def metrics(self) -> dict[str, float]:
        """Return the policy's numbers under the arms' names."""
        numbers = {}
        for name, value in self.policy.metrics().items():
            what, _, arm = name.partition("/")
            if not arm:
                numbers[f"curriculum/{what}"] = value
            elif len(self.arms) <= SHOWN:
                numbers[f"curriculum/{what}/{self.arms[int(arm)].name}"] = value
        return numbers

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes, as JSON."""
        return {"policy": self.policy.state_dict(), "next": list(self._next)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` returned. `ConfigError` when it was another number of arms."""
        if len(state["next"]) != len(self.arms):
            raise ConfigError(f"the state of a curriculum is of {len(state['next'])} arms, not {len(self.arms)}")
        self.policy.load_state_dict(state["policy"])
        self._next = [int(number) for number in state["next"]]

    def _advance(self, arm: int) -> Pick:
        number = self._next[arm]
        self._next[arm] += 1
        return self.find(arm, number)
