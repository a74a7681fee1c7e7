"""Count-decayed novelty: what the environment says for the first time pays most.

Source: ONI (arXiv 2410.23022): r = c * label(message) / N(message)^b, N being how often the message has come in the
episode. With label 1, N = 4 and b = 1 a message pays c / 4.

Counts are kept for one episode. Counts over the whole of training would pay the members of a group differently for
the same episode, by the order in which they happened to be played.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from gymnasium.utils import RecordConstructorArgs

from assay.core.errors import ConfigError
from assay.core.message import text_of
from assay.envs.wrappers.base import AnyEnv, Outcome, RewardWrapper, check_not_negative, function


class NoveltyBonus(RewardWrapper):
    """Pays scale * label(text) / N(text)^exponent for the environment's answer to a turn. Silence pays nothing."""

    name = "novelty"

    def __init__(
        self,
        env: AnyEnv,
        *,
        scale: float = 0.1,
        exponent: float = 1.0,
        label: Callable[[str], float] | str | None = None,
    ) -> None:
        """`label` says in [0, 1] how interesting a text is, a function or `"module:attribute"`; default: always 1."""
        check_not_negative(self.name, scale=scale, exponent=exponent)
        RecordConstructorArgs.__init__(self, scale=scale, exponent=exponent, label=label)
        super().__init__(env)
        self.scale, self.exponent = scale, exponent
        self._label = None if label is None else function(label)
        self.counts: Counter[str] = Counter()

    @property
    def bonus_range(self) -> tuple[float, float]:
        """From nothing to a first time of the highest label."""
        return 0.0, self.scale

    def begin(self) -> None:
        """Everything is new again."""
        self.counts = Counter()

    def bonus(self, outcome: Outcome) -> float:
        """Count the answer and pay for it."""
        text = "\n".join(text_of(message) for message in outcome.observation)
        if not text:
            return 0.0
        self.counts[text] += 1
        label = 1.0 if self._label is None else float(self._label(text))
        if not 0 <= label <= 1:
            raise ConfigError(f"wrapper {self.name!r}: a label of {label!r} is not in [0, 1]")
        return float(self.scale * label / self.counts[text] ** self.exponent)
