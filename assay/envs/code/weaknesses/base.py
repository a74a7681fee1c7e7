"""Weakness: one vulnerable function, how to attack it, what it is good for, and how to repair it.

A family is a function from `Draw` (named random choices) to a `Weakness`. Names, constants and wordings vary, so that
a repair cannot be learned by heart; what makes it vulnerable does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any, TypeVar

import numpy as np

from assay.sandboxes.local.agent import codec

T = TypeVar("T")
_WORDS = (
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "indigo", "juniper", "kestrel", "lotus",
    "maple", "nectar", "onyx", "pebble", "quartz", "raven", "sable", "tundra", "umber", "violet", "willow", "yarrow",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weakness:
    """A task of the kind."""

    family: str
    cwe: str
    title: str
    entry_point: str
    vulnerable: str
    repaired: str
    behaviour: tuple[dict[str, Any], ...]
    exploits: tuple[dict[str, Any], ...]
    harness: str = ""


class Draw:
    """Random choices by name, as the templates use them."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def one(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self._rng.integers(len(options)))]

    def word(self) -> str:
        """Return a word."""
        return self.one(_WORDS)

    def words(self, count: int) -> list[str]:
        """Return different words."""
        return [_WORDS[int(i)] for i in self._rng.choice(len(_WORDS), count, replace=False)]

    def number(self, low: int = 100, high: int = 10_000) -> int:
        """Return a number in [low, high)."""
        return int(self._rng.integers(low, high))

    def marker(self) -> str:
        """Return a text that appears nowhere else: what an attack must not get hold of."""
        return f"{self.word().upper()}-{self.number()}-{self.number()}"


Family = Callable[[Draw], Weakness]


def fill(template: str, /, **values: Any) -> str:
    """Return a source text with its `$names` filled in."""
    return Template(template.strip("\n") + "\n").substitute({key: str(value) for key, value in values.items()})


def call(*args: Any, expected: Any, function: str = "") -> dict[str, Any]:
    """Return one test of behaviour: the call, and what it returns."""
    return {**_request(args, function), "expected": codec.to_json(expected)}


def attack(
    *args: Any, leaks: str | None = None, returns: Any = None, slow: bool = False, function: str = ""
) -> dict[str, Any]:
    """Return one attack. It has succeeded if the reply holds the text `leaks`, or is `returns`, or takes too long."""
    request = _request(args, function)
    if slow:
        return {**request, "slow": True}
    return {**request, "leaks": leaks} if leaks is not None else {**request, "returns": codec.to_json(returns)}


def _request(args: Sequence[Any], function: str) -> dict[str, Any]:
    row: dict[str, Any] = {"args": codec.to_json(list(args))}
    return {**row, "function": function} if function else row
