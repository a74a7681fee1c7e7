"""What a curriculum policy is: it chooses arms, sees how the episodes went, and can be put back as it was.

Invariants:

* Choice number n of a policy with the same seed and the same observations is the same arm, in every process: the
  randomness of a choice is a hash of the seed and its number.
* Only raw outcomes come in: how many episodes of an arm had a verdict, and how many were correct.
* `state_dict` is plain JSON, and `load_state_dict` gives a policy that goes on exactly as the first one would have.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from assay.core.errors import ConfigError
from assay.core.seeding import derive_seed
from assay.curricula.rates import SuccessRates

FloatArray = NDArray[np.float64]


class Policy(ABC):
    """Chooses among arms number 0 to `arms` - 1."""

    name: ClassVar[str]
    """Registered name."""

    def __init__(self, arms: int, *, seed: int = 0) -> None:
        if arms < 1:
            raise ConfigError(f"curriculum {self.name!r} needs at least one arm")
        self.arms, self.seed = arms, seed
        self.choices = 0
        """How many choices were made."""

    @abstractmethod
    def pick(self, rng: np.random.Generator) -> int:
        """Return an arm. Everything random comes from `rng`; the state stays as it is."""

    @abstractmethod
    def observe(self, arm: int, correct: int, total: int) -> None:
        """Take in the outcomes of the episodes of one task of an arm (one group): `correct` of `total` scored ones."""

    def choose(self, n: int) -> list[int]:
        """Return the arms of the next `n` tasks."""
        start, self.choices = self.choices, self.choices + n
        return [self.pick(generator(self.seed, number)) for number in range(start, start + n)]

    def metrics(self) -> dict[str, float]:
        """Return numbers worth a curve. What belongs to one arm is named `<what>/<arm number>`."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes, as JSON."""
        return {"choices": self.choices}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` returned. `ConfigError` when it was another number of arms."""
        self.choices = int(state["choices"])


class RatedPolicy(Policy):
    """A policy that goes by each arm's recent success rate."""

    def __init__(self, arms: int, *, seed: int = 0, memory: int = 256) -> None:
        """`memory` is the number of an arm's episodes that its rate remembers."""
        super().__init__(arms, seed=seed)
        self.rates = SuccessRates(arms, memory=memory)

    def observe(self, arm: int, correct: int, total: int) -> None:
        """Update the arm's rate."""
        self.rates.add(arm, correct, total)

    def metrics(self) -> dict[str, float]:
        """Return the rates of the arms that were played."""
        known = self.rates.known()
        return {f"rate/{arm}": float(rate) for arm, rate in enumerate(known) if np.isfinite(rate)}

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes, as JSON."""
        return {**super().state_dict(), "rates": self.rates.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` returned."""
        super().load_state_dict(state)
        self.rates.load_state_dict(state["rates"])


class WeightedPolicy(RatedPolicy):
    """Chooses arms in proportion to a weight, and now and then any arm at all.

    An arm whose weight has fallen to 0 would never be looked at again, though the policy goes on learning: `explore`
    is the share of choices that are uniform.
    """

    def __init__(self, arms: int, *, seed: int = 0, memory: int = 256, explore: float = 0.1) -> None:
        super().__init__(arms, seed=seed, memory=memory)
        if not 0 <= explore <= 1:
            raise ConfigError(f"curriculum {self.name!r}: explore is a share, not {explore!r}")
        self.explore = explore

    @abstractmethod
    def weights(self) -> FloatArray:
        """Return the weight of each arm, shape [arms], none negative."""

    def probabilities(self) -> FloatArray:
        """Return the probability of each arm, shape [arms]. Without any weight all are the same."""
        weights, uniform = self.weights(), np.full(self.arms, 1 / self.arms)
        total = float(weights.sum())
        return (1 - self.explore) * weights / total + self.explore * uniform if total > 0 else uniform

    def pick(self, rng: np.random.Generator) -> int:
        """Draw an arm."""
        edges = np.cumsum(self.probabilities())
        return min(int(np.searchsorted(edges, rng.random() * edges[-1], side="right")), self.arms - 1)

    def metrics(self) -> dict[str, float]:
        """Return rates and probabilities."""
        shares = {f"probability/{arm}": float(p) for arm, p in enumerate(self.probabilities())}
        return {**super().metrics(), **shares}


def generator(*parts: str | int) -> np.random.Generator:
    """Return the random generator of a choice that these parts name."""
    return np.random.Generator(np.random.PCG64(derive_seed("curriculum", *parts)))
