"""Gymnasium spaces for language: `FreeText` for actions, `Messages` for observations.

`gymnasium.spaces.Text` rejects spaces, newlines and anything outside its charset, so it cannot hold what a model
writes. These two hold any Unicode text and any tuple of messages; both pass `gymnasium.utils.env_checker`.
"""

from __future__ import annotations

from typing import Any

from gymnasium import Space

from assay.core.message import Observation, is_message

_WORDS = ("the", "answer", "is", "42", "π", "<tool_call>", "\n", "maybe", "7*6", "#", "\\boxed{1}", "ok")


class FreeText(Space[str]):
    """All strings of at most `max_length` characters. Samples are short word salads, good enough for checkers."""

    def __init__(self, max_length: int = 1_000_000, seed: int | None = None) -> None:
        self.max_length = max_length
        super().__init__(shape=None, dtype=None, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Text has no array form."""
        return False

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Return a random short text."""
        n = int(self.np_random.integers(0, 8))
        return " ".join(str(self.np_random.choice(_WORDS)) for _ in range(n))[: self.max_length]

    def contains(self, x: Any) -> bool:
        """Whether `x` is a string that is not too long."""
        return isinstance(x, str) and len(x) <= self.max_length

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FreeText) and other.max_length == self.max_length

    def __repr__(self) -> str:
        return f"FreeText({self.max_length})"


class Messages(Space[Observation]):
    """All tuples of messages."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(shape=None, dtype=None, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Messages have no array form."""
        return False

    def sample(self, mask: Any = None, probability: Any = None) -> Observation:
        """Return one random user message."""
        return ({"role": "user", "content": str(self.np_random.choice(_WORDS))},)

    def contains(self, x: Any) -> bool:
        """Whether `x` is a tuple of messages."""
        return isinstance(x, tuple) and all(is_message(m) for m in x)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Messages)

    def __repr__(self) -> str:
        return "Messages()"
