"""Does an environment show the agent the answer? A statistical answer, since short answers occur by chance.

An observation that contains the digit `4` need not have leaked the target 4. So the share of tasks whose own target
occurs in what they show is compared with the share that would occur by chance: other tasks' targets in the same text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from assay.core.message import Observation, text_of

LONG = 16
"""A target of at least so many characters never occurs by chance: one occurrence is a leak."""
_MAX_CHANCE = 0.5
_ALPHA = 1e-3
_MARGIN = 0.2
"""Word problems do name their answer a little more often than chance."""


@dataclass(frozen=True, slots=True)
class Leaks:
    """How often targets occur in observations."""

    tasks: int
    found: int
    """Tasks whose own target occurs in what they show."""
    long: int
    """Those of them whose target is too long for chance."""
    chance: float
    """Share of the *other* tasks' targets that occur in a task's observations."""

    @property
    def leaked(self) -> bool:
        """Whether chance cannot explain the occurrences."""
        if self.undecidable:
            return False
        return self.long > 0 or (self.found / self.tasks > self.chance + _MARGIN and self.p_value < _ALPHA)

    @property
    def undecidable(self) -> bool:
        """Whether the targets are too short, too alike or too few to tell."""
        return self.long == 0 and (self.tasks < 5 or self.chance > _MAX_CHANCE)

    @property
    def p_value(self) -> float:
        """P(at least `found` of `tasks`) when each occurs by chance, with one pseudo-count against tiny samples."""
        p = (self.chance * self.tasks + 1) / (self.tasks + 1)
        return sum(
            math.comb(self.tasks, k) * p**k * (1 - p) ** (self.tasks - k) for k in range(self.found, self.tasks + 1)
        )

    def describe(self) -> str:
        """Return one line with the counts."""
        line = (
            f"the target occurs in the observations of {self.found} of {self.tasks} tasks, by chance {self.chance:.0%}"
        )
        if self.long:
            return f"{line}; {self.long} of these targets are too long for chance"
        return f"{line}: too short, too alike or too few to tell" if self.undecidable else line


def unshown(secret: Any, text: str) -> list[str]:
    """Return the texts and numbers inside `secret` (any JSON) that do not occur in `text`."""
    return [leaf for leaf in sorted(set(_leaves(secret))) if not _occurs(leaf, text)]


def count_leaks(targets: Sequence[Any], shown: Sequence[Sequence[Observation]]) -> Leaks:
    """Count over tasks: `targets[i]` is what a target keeps secret, `shown[i]` all observations of that task."""
    said = [[text_of(m) for observation in seen for m in observation] for seen in shown]
    # What every task says alike, such as instructions, tells nothing about any one target.
    common = set.intersection(*map(set, said)) if len(said) > 1 else set()
    texts = ["\n".join(line for line in lines if line not in common) for lines in said]
    leaves = [sorted(set(_leaves(target))) for target in targets]
    tasks = [i for i, own in enumerate(leaves) if own]
    found = [i for i in tasks if any(_occurs(leaf, texts[i]) for leaf in leaves[i])]
    long = [i for i in found if any(len(leaf) >= LONG and _occurs(leaf, texts[i]) for leaf in leaves[i])]
    others = [
        any(_occurs(leaf, texts[i]) for leaf in leaves[j])
        for i in tasks
        for j in tasks
        if i != j and leaves[i] != leaves[j]
    ]
    chance = sum(others) / len(others) if others else 1.0
    return Leaks(len(tasks), len(found), len(long), chance)


def _leaves(target: Any) -> Iterator[str]:
    """Yield the texts and numbers inside a target; truth values and nothing tell nothing."""
    if isinstance(target, dict):
        for value in target.values():
            yield from _leaves(value)
    elif isinstance(target, list | tuple):
        for value in target:
            yield from _leaves(value)
    elif isinstance(target, str | int | float) and not isinstance(target, bool) and str(target).strip():
        yield str(target).strip()


def _occurs(leaf: str, text: str) -> bool:
    """Whether `leaf` stands in the text as a whole: `4` does not occur in `14`."""
    return re.search(rf"(?<![\w.]){re.escape(leaf)}(?!\w)(?!\.\d)", text) is not None
