"""The games of TextArena that were read line by line and can be trusted: what may be moved in each, and a solver.

Invariants:

* A position is the engine's own `game_state`; nothing here changes it.
* The solver wins every game of one player. Of two players it wins at Nim where that can be done, and at Connect Four
  it looks four moves ahead.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Any

import numpy as np

from assay.envs.games.connect_four import COLUMNS, ROWS, ConnectFour, choose
from assay.envs.games.grid import DIRECTIONS, Cell, shortest, step

Position = Mapping[str, Any]


def _default(rng: np.random.Generator) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Rules:
    """What the engine does not tell about one of its games."""

    moves: Callable[[Position], Sequence[str]]
    """Legal moves, without brackets."""
    solve: Callable[[Position], str]
    """The move of the solver, for the player to move."""
    turns: int
    players: int = 1
    options: Callable[[np.random.Generator], dict[str, Any]] = _default
    """Draws the options that the engine is made with."""
    opening: int = 0
    """Up to so many moves are made at random before the agent's first."""


def _lake_moves(position: Position) -> list[str]:
    size, cell = len(position["grid"]), position["player_pos"]
    return [way for way in DIRECTIONS if all(0 <= n < size for n in step(cell, way))]


def _cross_lake(position: Position) -> str:
    grid = position["grid"]

    def neighbours(cell: Cell) -> Iterator[tuple[str, Cell]]:
        for way in _lake_moves({"grid": grid, "player_pos": cell}):
            row, column = step(cell, way)
            if grid[row][column] != "H":
                yield way, (row, column)

    way = shortest(position["player_pos"], lambda cell: cell == position["goal_pos"], neighbours)
    assert way
    return way[0]


def _presses(position: Position) -> list[str]:
    size = len(position["grid"])
    return [f"{row} {column}" for row in range(size) for column in range(size)]


def _lights_out(position: Position) -> str:
    """Chase the lights: what is pressed in the first row decides every other row. Of all ways take a shortest."""
    size = len(position["grid"])
    full = (1 << size) - 1
    ways = []
    for first in range(1 << size):
        pressed = [0, first]
        for row in position["grid"]:
            above, here = pressed[-2:]
            lit = sum(int(on) << column for column, on in enumerate(row))
            pressed.append((lit ^ above ^ here ^ here << 1 ^ here >> 1) & full)
        if pressed[-1] == 0:  # the row below the last one
            ways.append(pressed[1:-1])
    best = min(ways, key=lambda way: sum(row.bit_count() for row in way))
    return next(f"{r} {c}" for r, row in enumerate(best) for c in range(size) if row >> c & 1)


def _codes(position: Position) -> Iterator[tuple[int, ...]]:
    tried = {tuple(entry["guess"]) for entry in position["history"]}
    codes = itertools.permutations(range(1, position["num_numbers"] + 1), position["code_length"])
    return (code for code in codes if code not in tried)


def _guesses(position: Position) -> list[str]:
    return [" ".join(map(str, code)) for code in _codes(position)]


def _break_code(position: Position) -> str:
    """Guess a code that all answers so far allow."""

    def fits(code: tuple[int, ...]) -> bool:
        for entry in position["history"]:
            black = sum(a == b for a, b in zip(code, entry["guess"], strict=True))
            if (black, len(set(code) & set(entry["guess"])) - black) != (entry["black"], entry["white"]):
                return False
        return True

    return " ".join(map(str, next(code for code in _codes(position) if fits(code))))


def _piles(rng: np.random.Generator) -> dict[str, Any]:
    """Draw piles from which whoever begins can win."""
    while True:
        piles = rng.integers(1, 8, size=int(rng.integers(2, 5))).tolist()
        if reduce(xor, piles):
            return {"piles": piles}


def _takings(position: Position) -> list[str]:
    return [f"{pile} {n}" for pile, size in enumerate(position["piles"]) for n in range(1, size + 1)]


def _nim(position: Position) -> str:
    """Leave piles whose sizes sum to 0 in binary without carry (Bouton 1901); take one where that cannot be done."""
    piles = position["piles"]
    total = reduce(xor, piles)
    for pile, size in enumerate(piles):
        if size ^ total < size:
            return f"{pile} {size - (size ^ total)}"
    return _takings(position)[0]


def _columns(position: Position) -> list[str]:
    return [str(column) for column in range(COLUMNS) if position["board"][0][column] == "."]


def _connect_four(position: Position) -> str:
    game, height = ConnectFour(), ROWS + 1
    for depth, row in enumerate(position["board"]):
        for column, mark in enumerate(row):
            if mark != ".":
                game.stones["XO".index(mark)] |= 1 << (column * height + ROWS - 1 - depth)
                game.heights[column] += 1
                game.played += 1
    return str(int(choose(game, "search", np.random.default_rng(0), depth=4)) - 1)


RULES: dict[str, Rules] = {
    "ConnectFour": Rules(_columns, _connect_four, turns=ROWS * COLUMNS // 2, players=2, opening=4),
    "FrozenLake": Rules(_lake_moves, _cross_lake, turns=100, options=lambda rng: {"randomize_start_goal": True}),
    "LightsOut": Rules(_presses, _lights_out, turns=20),
    "Mastermind": Rules(_guesses, _break_code, turns=20),
    "Nim": Rules(_takings, _nim, turns=28, players=2, options=_piles),
}

REFUSED = {
    "FifteenPuzzle": "half of its positions cannot be solved",
    "Hangman": "needs word lists that nltk downloads",
    "PegJump": "it has one position only, and pays for what is no move",
    "ReverseTicTacToe": "does not load on Python 3.11",
    "TowerOfHanoi": "it has one position only, and takes many moves in one turn",
    "TwentyQuestions": "its answers come from a paid service",
    "Wordle": "needs word lists that nltk downloads",
}
"""Games that were read as well, and why they are not taken."""
