"""A stimulus that gets somewhere: of a few proposals for each cycle, the one whose next state was seen least.

Random inputs hardly ever open a lock, fill a queue or carry into a third digit; a golden model can be asked beforehand
where each proposal leads. Every so often the first proposal is taken as it is, so that nothing is ruled out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from assay.envs.verilog.designs.base import CLOCK, Design
from assay.verifiers.verilog.stimulus import Words, random_stimulus
from assay.verifiers.verilog.trace import Stimulus

_PROPOSALS = 4
_AS_IT_COMES = 0.2


def exploring_stimulus(design: Design, rng: np.random.Generator, cycles: int) -> Stimulus:
    """Return a stimulus for a design with a golden model."""
    if design.step is None:
        return random_stimulus(design.interface, rng, cycles, design.roles)
    return random_stimulus(design.interface, rng, cycles, design.roles, _Explorer(design, rng).pick)


class _Explorer:
    """Follows the golden model from cycle to cycle."""

    def __init__(self, design: Design, rng: np.random.Generator) -> None:
        self._design, self._rng = design, rng
        self._state: Any = None
        self._known = False
        self._seen: Counter[Any] = Counter()
        self._tried: Counter[Any] = Counter()

    def pick(self, draw: Callable[[], Words]) -> Words:
        """Return the words of the next cycle."""
        chosen = draw()
        if self._known and not self._resets(chosen) and self._rng.random() > _AS_IT_COMES:
            others = [words for words in (draw() for _ in range(_PROPOSALS - 1)) if not self._resets(words)]
            chosen = min([chosen, *others], key=self._familiarity)
        self._state, self._known = self._after(chosen), self._known or self._resets(chosen)
        self._seen[self._state] += 1
        self._tried[self._state, *chosen.values()] += 1
        return chosen

    def _familiarity(self, words: Words) -> tuple[int, int]:
        after = self._after(words)
        return self._seen[after], self._tried[after, *words.values()]

    def _resets(self, words: Words) -> bool:
        reset = self._design.reset
        return reset is not None and words[reset.name] == reset.active

    def _after(self, words: Words) -> Any:
        if self._resets(words):
            return self._design.start
        assert self._design.step is not None
        return self._design.step(self._state, {**words, CLOCK: 1}) if self._known else None
