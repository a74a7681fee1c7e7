"""assay/Twenty48-v0: slide the tiles; equal tiles merge; reach the target tile before the board is full.

    2 . . 4
    . . . .
    . 2 . .
    . . . .

is answered by `#left`. After each move a 2 (or, one time in ten, a 4) appears on an empty cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.games.grid import DIRECTIONS, read_direction
from assay.envs.procedural import check_between, prompt, task_source

ENV_ID = "assay/Twenty48-v0"
Board = tuple[tuple[int, ...], ...]
"""Rows of tiles; 0 is empty."""


class Twenty48(Game):
    """A game in progress; `rng` places the new tiles."""

    def __init__(self, board: Board, target: int, rng: np.random.Generator) -> None:
        self.board, self.target, self._rng = board, target, rng

    @property
    def over(self) -> bool:
        """Whether the target is reached or nothing can move."""
        return self.largest >= self.target or not self.moves()

    @property
    def largest(self) -> int:
        """The largest tile."""
        return max(max(row) for row in self.board)

    def observe(self, player: int = 0) -> str:
        """Return the board."""
        return "\n".join(" ".join(str(tile or ".") for tile in row) for row in self.board)

    def play(self, move: str) -> None:
        """Slide all tiles and place a new one."""
        after = slide(self.board, read_direction(move))
        if after == self.board:
            raise IllegalMove("nothing moves that way")
        self.board = add_tile(after, self._rng)

    def moves(self) -> list[str]:
        """Return the directions in which something moves."""
        return [direction for direction in DIRECTIONS if slide(self.board, direction) != self.board]

    def score(self, player: int = 0) -> float:
        """Return how far the largest tile got, in doublings: 1 at the target."""
        return min(1.0, (math.log2(self.largest) - 1) / (math.log2(self.target) - 1))


@lru_cache(maxsize=1 << 16)
def _slide_left(row: tuple[int, ...]) -> tuple[int, ...]:
    out: list[int] = []
    merged = False
    for tile in row:
        if not tile:
            continue
        if out and out[-1] == tile and not merged:
            out[-1], merged = 2 * tile, True  # a tile that has just merged does not merge again
        else:
            out.append(tile)
            merged = False
    return tuple(out + [0] * (len(row) - len(out)))


def slide(board: Board, direction: str) -> Board:
    """Return the board after all tiles slid."""
    rows: Board = tuple(zip(*board, strict=True)) if direction in ("up", "down") else board
    if direction in ("right", "down"):
        rows = tuple(_slide_left(row[::-1])[::-1] for row in rows)
    else:
        rows = tuple(_slide_left(row) for row in rows)
    return tuple(zip(*rows, strict=True)) if direction in ("up", "down") else rows


def add_tile(board: Board, rng: np.random.Generator) -> Board:
    """Return the board with a new tile on an empty cell."""
    empty = [(r, c) for r, row in enumerate(board) for c, tile in enumerate(row) if not tile]
    row, column = empty[int(rng.integers(len(empty)))]
    return _with(board, row, column, 4 if rng.random() < 0.1 else 2)


def _with(board: Board, row: int, column: int, tile: int) -> Board:
    line = board[row][:column] + (tile,) + board[row][column + 1 :]
    return board[:row] + (line,) + board[row + 1 :]


@lru_cache(maxsize=1 << 16)
def _worth(board: Board) -> float:
    """Judge a board for the oracle: empty cells, and large tiles along a snake from one corner."""
    cells = [tile for r, row in enumerate(board) for tile in (row if r % 2 == 0 else row[::-1])]
    snake = sum(tile * 0.5**place for place, tile in enumerate(cells))
    return snake + 2.0 * cells.count(0)


def _look_ahead(board: Board, depth: int) -> float:
    """Return the expected worth of a board on which a tile is about to appear (expectimax)."""
    if depth == 0:
        return _worth(board)
    empty = [(r, c) for r, row in enumerate(board) for c, tile in enumerate(row) if not tile]
    total = 0.0
    for row, column in empty:
        after = _with(board, row, column, 2)
        options = [slide(after, direction) for direction in DIRECTIONS]
        total += max((_look_ahead(option, depth - 1) for option in options if option != after), default=-1e6)
    return total / len(empty)


@dataclass(frozen=True)
class Twenty48Generator:
    """Boards with two tiles."""

    size: int = 4
    target: int = 1024
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("size", self.size, 3, 6)
        check_between("target", self.target, 8, 4096)
        if self.target & (self.target - 1):
            raise ConfigError(f"target must be a power of two, not {self.target}")

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one board."""
        board: Board = tuple((0,) * self.size for _ in range(self.size))
        board = add_tile(add_tile(board, rng), rng)
        text = Twenty48(board, self.target, rng).observe()
        return {
            "prompt": prompt(text, self.instructions),
            "key": text,
            "difficulty": math.log2(self.target),
            "metadata": {"board": board},
        }


class Twenty48Env(GameEnv):
    """Reach a tile.

    Options: `size` (3 to 6), `target` (a power of two; sliding in a circle, blindly, mostly reaches 256 and hardly ever
    1024), `max_turns` (default: `target`, about twice what it needs), `instructions`, `split`. The score of a lost game
    tells how many doublings the largest tile got.

    Demonstrations: `solve` looks two to four moves ahead (expectimax), `random` slides anyhow.
    """

    def __init__(
        self,
        *,
        size: int = 4,
        target: int = 1024,
        max_turns: int | None = None,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        generator = Twenty48Generator(size, target)
        turns = target if max_turns is None else max_turns
        told = (
            f"Slide the tiles until two of them merge to {target}. End every turn with # and one of up, down, left, "
            f"right, such as #left. You have {turns} moves."
        )
        if instructions:
            generator = Twenty48Generator(size, target, told)
        super().__init__(
            task_source(ENV_ID, split, generator, Twenty48Generator()), max_turns=turns, render_mode=render_mode
        )
        self.target, self._caution = target, 0

    def start(self, task: Task, rng: np.random.Generator) -> Twenty48:
        """Return the board of a task."""
        return Twenty48(tuple(tuple(row) for row in task.metadata["board"]), self.target, rng)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Play a game in one of the styles; a lost one (1 in 100) is solved again with more caution."""
        for self._caution in range(4 if style == "solve" else 1):
            turns = super().demonstrate(task, style, rng)
            if self.game.won(self.seat):
                break
        return turns

    def oracle(self) -> Iterator[str]:
        """Look ahead: further when the board gets full."""
        game = self.game
        assert isinstance(game, Twenty48)
        while True:
            empty = sum(tile == 0 for row in game.board for tile in row) - self._caution
            depth = 1 if empty > 6 else 2 if empty > 2 else 3
            options = {move: slide(game.board, move) for move in game.moves()}
            yield max(options, key=lambda move: _look_ahead(options[move], depth))
