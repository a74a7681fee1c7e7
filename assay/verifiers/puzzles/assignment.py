"""`assignment`: things are put into places so that every clue holds (zebra puzzles, seatings, schedules).

`task.target` is the puzzle:

    {"categories": {"colour": ["red", "blue", "green"], "pet": ["cat", "dog", "fox"]},
     "clues": [["same", "red", "dog"], ["left_of", "dog", "fox"], ["at", "cat", 3]]}

Every category has each of its items once, in the places 1 to n. An answer is JSON that lists the items of each category
by place, `{"colour": ["blue", "red", "green"], "pet": [...]}`; letter case does not matter. Any arrangement in which
all clues hold is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.verifiers.text.base import AnswerVerifier
from assay.verifiers.text.schema import parse_json

RULES: dict[str, Callable[[int, int], bool]] = {
    "same": lambda a, b: a == b,
    "different": lambda a, b: a != b,
    "left_of": lambda a, b: a < b,
    "right_of": lambda a, b: a > b,
    "directly_left_of": lambda a, b: a + 1 == b,
    "directly_right_of": lambda a, b: a == b + 1,
    "next_to": lambda a, b: abs(a - b) == 1,
    "at": lambda a, place: a == place,
    "not_at": lambda a, place: a != place,
}
"""What a clue can say of the places of two items; `at` and `not_at` of an item and a place."""

Places: TypeAlias = Mapping[str, int]
"""Item, in lower case, to place, counted from 1."""


@dataclass(frozen=True, slots=True)
class Puzzle:
    """Categories and clues. Items of all categories have different names."""

    categories: Mapping[str, frozenset[str]]
    clues: tuple[tuple[str, str, str | int], ...]

    def broken(self, places: Places) -> str:
        """Return the first clue that does not hold, in words, or an empty string."""
        for rule, item, other in self.clues:
            if not RULES[rule](places[item], other if isinstance(other, int) else places[other]):
                return f"a clue does not hold: {item} {rule} {other}"
        return ""


class AssignmentVerifier(AnswerVerifier["Puzzle | Places"]):
    """Right when all clues hold."""

    name = "assignment"
    tidied = False

    def read_gold(self, task: Task) -> Puzzle:
        """Return the puzzle; ValueError says which part of it makes no sense."""
        return read_puzzle(task.target)

    def read_answer(self, text: str, task: Task) -> Places:
        """Return where every item is."""
        puzzle, value = read_puzzle(task.target), parse_json(text)
        if not isinstance(value, dict) or {_name(key) for key in value} != set(puzzle.categories):
            raise ValueError(f"the answer is JSON with exactly the keys {', '.join(puzzle.categories)}")
        places: dict[str, int] = {}
        for category, items in value.items():
            names = [_name(item) for item in items] if isinstance(items, list) else []
            if sorted(names) != sorted(puzzle.categories[_name(category)]):
                raise ValueError(f"{category} does not list each of its items once")
            places.update((name, place) for place, name in enumerate(names, 1))
        return places

    def same(self, answer: Puzzle | Places, gold: Puzzle | Places) -> bool:
        """Whether all clues hold."""
        assert isinstance(gold, Puzzle) and not isinstance(answer, Puzzle)
        return not gold.broken(answer)

    def compare(self, value: Puzzle | Places, gold: Puzzle | Places, extracted: str) -> Verdict:
        """Say which clue does not hold."""
        assert isinstance(gold, Puzzle) and not isinstance(value, Puzzle)
        broken = gold.broken(value)
        return wrong(broken, extracted=extracted[:500]) if broken else right(extracted=extracted[:500])


def read_puzzle(target: Any) -> Puzzle:
    """Return the puzzle of a target. ValueError says what is wrong with it."""
    categories = target.get("categories") if isinstance(target, Mapping) else None
    if not isinstance(categories, Mapping) or not categories:
        raise ValueError("the target is {categories: {name: items}, clues: [[rule, item, item or place]]}")
    named = {_name(key): [_name(item) for item in items] for key, items in categories.items()}
    everything = [item for items in named.values() for item in items]
    size = len(next(iter(named.values())))
    if not size or any(len(items) != size for items in named.values()):
        raise ValueError("all categories have the same number of items")
    if len(set(everything)) != len(everything) or len(named) != len(categories):
        raise ValueError("two items or categories have the same name")
    clues = tuple(_read_clue(clue, set(everything), size) for clue in target.get("clues", ()))
    return Puzzle({key: frozenset(items) for key, items in named.items()}, clues)


def _read_clue(clue: Any, items: set[str], size: int) -> tuple[str, str, str | int]:
    if not isinstance(clue, list | tuple) or len(clue) != 3 or clue[0] not in RULES:
        raise ValueError(f"no clue: {clue!r}; rules: {', '.join(RULES)}")
    rule, item, other = clue[0], _name(clue[1]), clue[2]
    if rule.endswith("at"):
        if type(other) is not int or not 1 <= other <= size:
            raise ValueError(f"{clue!r}: a place is a number from 1 to {size}")
    else:
        other = _name(other)
    if unknown := {item, other} - items - ({other} if isinstance(other, int) else set()):
        raise ValueError(f"{clue!r}: there is no item {min(map(str, unknown))!r}")
    return rule, item, other


def _name(value: Any) -> str:
    return " ".join(str(value).split()).casefold()
