"""Bonuses and penalties for the form of what the agent wrote: its format, its repetitions."""

from __future__ import annotations

from collections.abc import Sequence

from gymnasium.utils import RecordConstructorArgs

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.envs.wrappers.base import AnyEnv, Outcome, RewardWrapper, check_not_negative
from assay.verifiers.base import Evidence
from assay.verifiers.text.format import FormatVerifier
from assay.verifiers.text.repetition import distinct_share


class FormatBonus(RewardWrapper):
    """Pays `bonus` for a turn of the right shape and takes `penalty` for one of another shape.

    The shape is that of the verifier `format`: the whole turn, tags each exactly once and in order, or a pattern. Only
    the turn that ends the episode counts, or every turn with `every_turn`.

    A format that is paid for can be learnt without the task: keep the bonus small beside the outcome, or set
    `only_correct`, which pays it for right answers alone.
    """

    name = "format"

    def __init__(
        self,
        env: AnyEnv,
        *,
        tags: Sequence[str] = (),
        pattern: str | None = None,
        bonus: float = 0.1,
        penalty: float = 0.0,
        every_turn: bool = False,
        only_correct: bool = False,
    ) -> None:
        check_not_negative(self.name, bonus=bonus, penalty=penalty)
        if every_turn and only_correct:
            raise ConfigError(f"wrapper {self.name!r}: only_correct is known at the end; it excludes every_turn")
        RecordConstructorArgs.__init__(
            self,
            tags=tags,
            pattern=pattern,
            bonus=bonus,
            penalty=penalty,
            every_turn=every_turn,
            only_correct=only_correct,
        )
        super().__init__(env)
        self._verifier = FormatVerifier(tags=tags, pattern=pattern)
        self._bonus, self._penalty = bonus, penalty
        self.every_turn, self.only_correct = every_turn, only_correct

    @property
    def bonus_range(self) -> tuple[float, float]:
        """From the penalty to the bonus."""
        return -self._penalty, self._bonus

    def bonus(self, outcome: Outcome) -> float:
        """Return the bonus, the penalty, or 0 for a turn that does not count."""
        if not (outcome.over or self.every_turn):
            return 0.0
        if not self._verifier.verify(_NO_TASK, Evidence(outcome.action)).correct:
            return -self._penalty
        correct = outcome.verdict is not None and outcome.verdict.correct is True
        return self._bonus if correct or not self.only_correct else 0.0


class RepetitionPenalty(RewardWrapper):
    """Takes weight * (1 - distinct / total) over the n-grams of all turns of the episode, at its end.

    Source: the repetition term of VL-Cogito (arXiv 2507.22607), with n = 20 and weight 0.5.
    """

    name = "repetition"

    def __init__(self, env: AnyEnv, *, n: int = 20, weight: float = 0.5, characters: bool = False) -> None:
        """n-grams are of words, or of `characters`."""
        check_not_negative(self.name, weight=weight)
        if n < 1:
            raise ConfigError(f"wrapper {self.name!r}: n must be at least 1, not {n!r}")
        RecordConstructorArgs.__init__(self, n=n, weight=weight, characters=characters)
        super().__init__(env)
        self.n, self.weight, self.characters = n, weight, characters
        self._units: list[str] = []

    @property
    def bonus_range(self) -> tuple[float, float]:
        """From the whole weight to nothing."""
        return -self.weight, 0.0

    def begin(self) -> None:
        """Forget what was said."""
        self._units = []

    def bonus(self, outcome: Outcome) -> float:
        """Collect this turn; pay at the end."""
        self._units += list(outcome.action) if self.characters else outcome.action.split()
        return -self.weight * (1 - distinct_share(self._units, self.n)) if outcome.over else 0.0


_NO_TASK = Task(id="", prompt="")
