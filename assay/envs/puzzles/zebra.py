"""assay/Zebra-v0: who lives where? Things of several kinds are put into places so that every clue holds.

    places 1 to 3; colour: blue, green, red; pet: cat, dog, fox
    red and dog are in the same place
    dog is left of fox
    cat is in place 3

is answered by the items of each kind by place, as JSON: `#{"colour": ["red", "blue", "green"], "pet": ["dog", "fox",
"cat"]}`. The verifier `assignment` checks the clues; every puzzle has exactly one solution and no clue that could be
left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations, product
from typing import Any, ClassVar

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.final_answer import MarkedAnswerEnv
from assay.envs.procedural import check_between, prompt, task_source
from assay.verifiers.puzzles.assignment import RULES, AssignmentVerifier, read_puzzle

ENV_ID = "assay/Zebra-v0"
_KINDS = {
    "colour": ("red", "blue", "green", "white"),
    "pet": ("cat", "dog", "fox", "zebra"),
    "drink": ("tea", "milk", "juice", "water"),
    "job": ("baker", "nurse", "pilot", "clerk"),
}
_WORDS = {
    "same": "{0} and {1} are in the same place",
    "different": "{0} and {1} are not in the same place",
    "left_of": "{0} is left of {1}",
    "right_of": "{0} is right of {1}",
    "directly_left_of": "{0} is directly left of {1}",
    "directly_right_of": "{0} is directly right of {1}",
    "next_to": "{0} is next to {1}",
    "at": "{0} is in place {1}",
    "not_at": "{0} is not in place {1}",
}
_MOST = 20_000
"""Arrangements that are gone through to see that a puzzle has one solution."""
Arrangement = dict[str, list[str]]


def arrangements(kinds: dict[str, list[str]]) -> Iterator[Arrangement]:
    """Yield every way to put the items of each kind into places."""
    for orders in product(*(permutations(items) for items in kinds.values())):
        yield dict(zip(kinds, map(list, orders), strict=True))


def _places(arrangement: Arrangement) -> dict[str, int]:
    return {item: place for items in arrangement.values() for place, item in enumerate(items, 1)}


@dataclass(frozen=True)
class ZebraGenerator:
    """Puzzles with `places` places and `kinds` kinds of things."""

    places: int = 3
    kinds: int = 2
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("places", self.places, 2, 4)
        check_between("kinds", self.kinds, 2, len(_KINDS))
        if (2, 6, 24)[self.places - 2] ** self.kinds > _MOST:
            raise ConfigError(f"{self.kinds} kinds are too many for {self.places} places; take 3 or fewer")

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one puzzle: true clues until one arrangement is left, without those that are not needed."""
        chosen = [list(_KINDS)[i] for i in sorted(rng.permutation(len(_KINDS))[: self.kinds].tolist())]
        kinds = {kind: sorted(_KINDS[kind][: self.places]) for kind in chosen}
        worlds = [_places(arrangement) for arrangement in arrangements(kinds)]
        truth = worlds[int(rng.integers(len(worlds)))]
        clues = self._true_clues(kinds, truth)
        order = [clues[i] for i in rng.permutation(len(clues)).tolist()]
        kept: list[tuple[str, str, str | int]] = []
        left = worlds
        for clue in order:
            after = [world for world in left if _holds(clue, world)]
            if len(after) < len(left):
                kept, left = [*kept, clue], after
            if len(left) == 1:
                break
        for clue in list(kept):
            others = [other for other in kept if other != clue]
            if sum(all(_holds(other, world) for other in others) for world in worlds) == 1:
                kept = others
        lines = [f"places 1 to {self.places}; " + "; ".join(f"{k}: {', '.join(v)}" for k, v in kinds.items())]
        lines += [_WORDS[rule].format(item, other) for rule, item, other in kept]
        text = "\n".join(lines)
        return {
            "prompt": prompt(text, self.instructions),
            "key": text,
            "target": {"categories": kinds, "clues": [list(clue) for clue in kept]},
            "difficulty": float(len(kept)),
        }

    def _true_clues(self, kinds: dict[str, list[str]], truth: dict[str, int]) -> list[tuple[str, str, str | int]]:
        items = [(kind, item) for kind, all_of in kinds.items() for item in all_of]
        pairs: list[tuple[str, str, str | int]] = [
            (rule, first, second)
            for rule in _WORDS
            if not rule.endswith("at")
            for kind, first in items
            for other, second in items
            # Within a kind nothing shares a place, so to say so is no clue.
            if first != second and not (kind == other and rule in ("same", "different"))
        ]
        single: list[tuple[str, str, str | int]] = [
            (rule, item, place) for rule in ("at", "not_at") for _, item in items for place in range(1, self.places + 1)
        ]
        return [clue for clue in pairs + single if _holds(clue, truth)]


def _holds(clue: tuple[str, str, str | int], world: dict[str, int]) -> bool:
    rule, item, other = clue
    return RULES[rule](world[item], other if isinstance(other, int) else world[other])


class ZebraEnv(MarkedAnswerEnv):
    """Solve a zebra puzzle.

    Options: `places` (2 to 4), `kinds` (2 to 4; with 4 places at most 3), `instructions`, `split`.

    Demonstrations: `solve` says the solution, `guess` puts everything anywhere.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("solve", "guess")

    def __init__(
        self,
        *,
        places: int = 3,
        kinds: int = 2,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        told = (
            "Find out what is in which place; of each kind there is one in every place. Think step by step, and end "
            'with # and, as JSON, the items of each kind in the order of the places, such as #{"pet": ["dog", "cat"]}.'
        )
        generator = ZebraGenerator(places, kinds, told if instructions else "")
        tasks = task_source(ENV_ID, split, generator, ZebraGenerator())
        super().__init__(tasks, AssignmentVerifier(source="whole"), render_mode=render_mode)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn."""
        kinds: dict[str, list[str]] = task.target["categories"]
        found: Any
        if style == "solve":
            puzzle = read_puzzle(task.target)
            found = next(a for a in arrangements(kinds) if not puzzle.broken(_places(a)))
        elif style == "guess":
            found = {kind: _shuffled(items, rng) for kind, items in kinds.items()}
        else:
            return super().demonstrate(task, style, rng)
        return [f"#{json.dumps(found)}"]


def _shuffled(items: Sequence[str], rng: np.random.Generator) -> list[str]:
    return [items[i] for i in rng.permutation(len(items)).tolist()]
