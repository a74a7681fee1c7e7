"""assay/Minesweeper-v0: uncover every cell that hides no mine; a number counts the mines around it.

    01?
    12?
    ???

is answered by row and column, `#1 3`, counted from 1 at the top left. Some cells are uncovered at the start, and every
field can be cleared by deduction: no guess is ever needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.games.grid import Cell
from assay.envs.procedural import check_between, prompt, task_source

ENV_ID = "assay/Minesweeper-v0"
_MOVE = re.compile(r"\D*([0-9]{1,3})\D+([0-9]{1,3})\D*")


class Minesweeper(Game):
    """A square field in progress."""

    def __init__(self, size: int, mines: frozenset[Cell], first: Cell) -> None:
        self.size, self.mines = size, mines
        self.cells = frozenset((r, c) for r in range(size) for c in range(size))
        self.shown: set[Cell] = set()
        self.exploded = False
        self.uncover(first)

    @property
    def over(self) -> bool:
        """Whether the field is cleared or a mine went off."""
        return self.exploded or len(self.shown) == len(self.cells) - len(self.mines)

    def around(self, cell: Cell) -> frozenset[Cell]:
        """Return the neighbours of a cell, diagonal ones too."""
        r, c = cell
        near = ((r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
        return frozenset(other for other in near if other in self.cells)

    def count(self, cell: Cell) -> int:
        """Return the number of mines around a cell."""
        return len(self.around(cell) & self.mines)

    def observe(self, player: int = 0) -> str:
        """Return the field as it is uncovered."""
        return "\n".join(
            "".join(str(self.count((r, c))) if (r, c) in self.shown else "?" for c in range(self.size))
            for r in range(self.size)
        )

    def play(self, move: str) -> None:
        """Uncover a cell."""
        match = _MOVE.fullmatch(move)
        if match is None:
            raise IllegalMove("a move is a row and a column, such as 1 3")
        cell = (int(match[1]) - 1, int(match[2]) - 1)
        if cell not in self.cells:
            raise IllegalMove(f"rows and columns go from 1 to {self.size}")
        if cell in self.shown:
            raise IllegalMove("this cell is uncovered already")
        self.uncover(cell)

    def uncover(self, cell: Cell) -> None:
        """Uncover a cell, and around a 0 everything that touches it."""
        if cell in self.mines:
            self.exploded = True
            return
        waiting = [cell]
        while waiting:
            here = waiting.pop()
            if here not in self.shown:
                self.shown.add(here)
                if self.count(here) == 0:
                    waiting.extend(self.around(here))

    def moves(self) -> list[str]:
        """Return all covered cells."""
        return [_written(cell) for cell in sorted(self.cells - self.shown)]

    def score(self, player: int = 0) -> float:
        """1 when the field is cleared."""
        return float(self.over and not self.exploded)

    def deduced(self) -> set[Cell]:
        """Return covered cells that what is shown proves to be safe, by counting and by comparing pairs of counts."""
        facts = {(self.around(cell) - self.shown, self.count(cell)) for cell in self.shown}
        facts.add((self.cells - self.shown, len(self.mines)))
        facts = {(cells, mines) for cells, mines in facts if cells}
        while True:
            new = {
                (larger - smaller, more - fewer)
                for smaller, fewer in facts
                for larger, more in facts
                if smaller < larger
            }
            if new <= facts:
                break
            facts |= new
        return {cell for cells, mines in facts if mines == 0 for cell in cells}


@dataclass(frozen=True)
class MinesweeperGenerator:
    """Fields of `size` x `size` cells with `mines` mines that deduction alone can clear."""

    size: int = 4
    mines: int = 3
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("size", self.size, 3, 8)
        check_between("mines", self.mines, 1, 20)
        if self.mines > self.size * self.size // 5:
            raise ConfigError(
                f"mines={self.mines} on {self.size}x{self.size} cells leave few fields that deduction can clear; "
                f"at most {self.size * self.size // 5}"
            )

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one field with its first cell uncovered."""
        cells = [(r, c) for r in range(self.size) for c in range(self.size)]
        while True:
            order = [cells[i] for i in rng.permutation(len(cells)).tolist()]
            mines, first = frozenset(order[: self.mines]), order[-1]
            game = Minesweeper(self.size, mines, first)
            text, turns = game.observe(), 0
            while not game.over and (safe := game.deduced()):
                game.uncover(min(safe))
                turns += 1
            if game.over and turns:
                break
        return {
            "prompt": prompt(text, self.instructions),
            "key": str(sorted(mines)),
            "difficulty": float(turns),
            "target": "; ".join(map(_written, sorted(mines))),
            "metadata": {"mines": sorted(mines), "first": first},
        }


class MinesweeperEnv(GameEnv):
    """Clear a minefield.

    Options: `size` (3 to 8), `mines` (at most a fifth of the cells), `max_turns` (default: the number of cells),
    `instructions`, `split`.

    Demonstrations: `solve` uncovers what is proved to be safe, `random` any covered cell.
    """

    def __init__(
        self,
        *,
        size: int = 4,
        mines: int = 3,
        max_turns: int | None = None,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        turns = size * size if max_turns is None else max_turns
        told = (
            f"Uncover every cell that hides no mine; there are {mines} mines. A number counts the mines around "
            "its cell, ? is covered. End every turn with # and a row and a column, counted from 1 at the top left, "
            "such as #1 3."
        )
        generator = MinesweeperGenerator(size, mines, told if instructions else "")
        super().__init__(
            task_source(ENV_ID, split, generator, MinesweeperGenerator()), max_turns=turns, render_mode=render_mode
        )
        self.size = size

    def start(self, task: Task, rng: np.random.Generator) -> Minesweeper:
        """Return the field of a task."""
        mines = frozenset((r, c) for r, c in task.metadata["mines"])
        row, column = task.metadata["first"]
        return Minesweeper(self.size, mines, (row, column))

    def oracle(self) -> Iterator[str]:
        """Uncover what is proved to be safe."""
        assert isinstance(self.game, Minesweeper)
        while True:
            yield _written(min(self.game.deduced()))


def _written(cell: Cell) -> str:
    return f"{cell[0] + 1} {cell[1] + 1}"
