"""Game: the rules of one game in progress, apart from who plays it and how it is rewarded.

Invariants:

* A move is text. One that the rules forbid raises `IllegalMove` with a reason and changes nothing.
* What a player may know is in `observe` and nowhere else: the cards of others, mines and secrets are not.
* All chance comes from the generator that a game is made with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from assay.verifiers.puzzles.final import final_text

LONGEST_MOVE = 10_000
"""Characters; games may look at a move as often as they like."""
_LONGEST_REFUSAL = 500


class IllegalMove(Exception):
    """A move that cannot be read or that the rules forbid; one line that the player is told."""


def take(game: Game, action: str) -> str:
    """Make the move that a turn ends in, `#move` or just the move; return why not, or an empty string."""
    move = final_text(action, plain=True)
    if move is None:
        return "say a move"
    if len(move) > LONGEST_MOVE:
        return f"a move has at most {LONGEST_MOVE} characters"
    try:
        game.play(move)
    except IllegalMove as problem:
        return str(problem)[:_LONGEST_REFUSAL]
    return ""


class Game(ABC):
    """A game in progress. Players are numbered from 0."""

    players: ClassVar[int] = 1

    @property
    @abstractmethod
    def over(self) -> bool:
        """Whether nobody can move any more."""

    @abstractmethod
    def observe(self, player: int = 0) -> str:
        """Return what a player sees now: all that it needs to know to move."""

    @abstractmethod
    def play(self, move: str) -> None:
        """Make a move of the player whose turn it is. Raises `IllegalMove`, and then nothing has changed."""

    @abstractmethod
    def moves(self) -> Sequence[str]:
        """Return the legal moves of the player whose turn it is, where they can be listed."""

    @abstractmethod
    def score(self, player: int = 0) -> float:
        """Return how the game stands for a player, in [0, 1]; 1 is the best that can be had."""

    @property
    def to_move(self) -> int:
        """Whose turn it is."""
        return 0

    def won(self, player: int = 0) -> bool:
        """Whether the player has reached its goal: what counts as correct."""
        return self.over and self.score(player) == 1.0
