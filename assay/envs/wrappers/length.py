"""Prices on length. An environment sees text and no tokens, so lengths are characters unless `count` says otherwise.

What is counted are all the agent's turns of the episode, and it is paid for at the end.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from gymnasium.utils import RecordConstructorArgs

from assay.core.errors import ConfigError
from assay.envs.wrappers.base import AnyEnv, Outcome, RewardWrapper, check_not_negative, function

Count = Callable[[str], int]


class LengthWrapper(RewardWrapper):
    """Counts the agent's turns and pays `price(length)` at the end of the episode."""

    def __init__(self, env: AnyEnv, count: Count | str | None) -> None:
        super().__init__(env)
        self._count: Count = len if count is None else function(count)
        self.length = 0

    @abstractmethod
    def price(self, length: int) -> float:
        """Return the (negative) payment for an episode of this length."""

    def begin(self) -> None:
        """Count from 0."""
        self.length = 0

    def bonus(self, outcome: Outcome) -> float:
        """Count this turn; pay at the end."""
        self.length += self._count(outcome.action)
        return self.price(self.length) if outcome.over else 0.0


class LengthPenalty(LengthWrapper):
    """Takes `cost` for every unit beyond `free`, at most `most`.

    With cost 0.01 and 300 free tokens, and no bound, it is the penalty that the released code of PAR
    (arXiv 2502.18770) takes before any shaping.
    """

    name = "length"

    def __init__(
        self, env: AnyEnv, *, free: int = 300, cost: float = 0.001, most: float = 1.0, count: Count | str | None = None
    ) -> None:
        check_not_negative(self.name, free=free, cost=cost, most=most)
        RecordConstructorArgs.__init__(self, free=free, cost=cost, most=most, count=count)
        super().__init__(env, count)
        self.free, self.cost, self.most = free, cost, most

    @property
    def bonus_range(self) -> tuple[float, float]:
        """From the bound to nothing."""
        return -self.most, 0.0

    def price(self, length: int) -> float:
        """Return -cost * (length - free), within [-most, 0]."""
        return -min(self.cost * max(length - self.free, 0), self.most)


class SoftOverlong(LengthWrapper):
    """Takes nothing up to `limit - buffer`, then linearly more, and `penalty` from `limit` on.

    Source: soft overlong punishment of DAPO (arXiv 2503.14476), which has limit 20480, buffer 4096 and penalty 1, in
    tokens. The group shaper of the same name counts tokens.
    """

    name = "soft_overlong"

    def __init__(
        self, env: AnyEnv, *, limit: int, buffer: int, penalty: float = 1.0, count: Count | str | None = None
    ) -> None:
        if not 0 < buffer <= limit:
            raise ConfigError(f"wrapper {self.name!r}: buffer must be in 1..limit ({limit}), not {buffer}")
        check_not_negative(self.name, penalty=penalty)
        RecordConstructorArgs.__init__(self, limit=limit, buffer=buffer, penalty=penalty, count=count)
        super().__init__(env, count)
        self.limit, self.buffer, self.penalty = limit, buffer, penalty

    @property
    def bonus_range(self) -> tuple[float, float]:
        """From the whole penalty to nothing."""
        return -self.penalty, 0.0

    def price(self, length: int) -> float:
        """Return the punishment."""
        return -self.penalty * min(max(length - self.limit + self.buffer, 0) / self.buffer, 1.0)
