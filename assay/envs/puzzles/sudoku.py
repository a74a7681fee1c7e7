"""assay/Sudoku-v0: fill a grid so that every row, column and box holds every digit once.

    1.34
    34.2
    .14.
    432.

is answered by all cells row by row, `#1234341221434321`; white space between them does not matter. The verifier
`sudoku` checks the rules, and every puzzle has exactly one solution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.final_answer import MarkedAnswerEnv
from assay.envs.procedural import check_between, prompt, span, task_source
from assay.verifiers.puzzles.sudoku import BOXES, Grid, SudokuVerifier

ENV_ID = "assay/Sudoku-v0"


def solutions(grid: Grid) -> Iterator[tuple[int, ...]]:
    """Yield the ways to fill a grid, trying the cell with the fewest choices first."""
    peers: list[set[int]] = [set() for _ in grid.cells]
    for _, unit in grid.units():
        for cell in unit:
            peers[cell].update(unit)

    def choices(cells: list[int], cell: int) -> set[int]:
        return set(range(1, grid.size + 1)) - {cells[peer] for peer in peers[cell]}

    def fill(cells: list[int]) -> Iterator[tuple[int, ...]]:
        empty = [cell for cell, digit in enumerate(cells) if not digit]
        if not empty:
            yield tuple(cells)
            return
        cell = min(empty, key=lambda cell: len(choices(cells, cell)))
        for digit in sorted(choices(cells, cell)):
            cells[cell] = digit
            yield from fill(cells)
        cells[cell] = 0

    yield from fill(list(grid.cells))


@dataclass(frozen=True)
class SudokuGenerator:
    """Grids of `size` x `size` cells with a number of empty ones in `empty` and exactly one solution."""

    size: int = 4
    empty: tuple[int, int] = (4, 8)
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.size not in BOXES:
            raise ConfigError(f"size must be one of {', '.join(map(str, BOXES))}, not {self.size!r}")
        check_between("empty", self.empty[1], 1, self.size * self.size * 2 // 3)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one puzzle: a full grid, cells taken out while the solution stays the only one."""
        while True:
            cells, wanted = list(_full(self.size, rng)), int(rng.integers(self.empty[0], self.empty[1] + 1))
            for cell in rng.permutation(len(cells)).tolist():
                digit, cells[cell] = cells[cell], 0
                found = solutions(Grid(self.size, tuple(cells)))
                if next(found, None) is None or next(found, None) is not None:
                    cells[cell] = digit
                if cells.count(0) == wanted:
                    break
            if cells.count(0) >= self.empty[0]:
                break
        text = "".join(map(str, cells)).replace("0", ".")
        rows = "\n".join(text[row : row + self.size] for row in range(0, len(text), self.size))
        return {
            "prompt": prompt(rows, self.instructions),
            "key": text,
            "target": text,
            "difficulty": float(cells.count(0)),
        }


def _full(size: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Return a filled grid: a pattern whose digits, rows within bands and columns within stacks are shuffled."""
    height, width = BOXES[size]

    def lines(within: int) -> list[int]:
        blocks = [[block * within + i for i in rng.permutation(within).tolist()] for block in range(size // within)]
        return [line for block in rng.permutation(len(blocks)).tolist() for line in blocks[block]]

    rows, columns, digits = lines(height), lines(width), rng.permutation(size).tolist()
    return tuple(
        digits[(width * (row % height) + row // height + column) % size] + 1 for row in rows for column in columns
    )


class SudokuEnv(MarkedAnswerEnv):
    """Solve a sudoku.

    Options: `size` (4, 6 or 9), `empty` (how many cells are empty, a number or a range; fewer where more would leave
    several solutions), `instructions`, `split`.

    Demonstrations: `solve` says the solution, `guess` fills the empty cells with any digits.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("solve", "guess")

    def __init__(
        self,
        *,
        size: int = 4,
        empty: int | Sequence[int] = (4, 8),
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        told = (
            f"Fill the empty cells (.) so that every row, column and box holds each digit from 1 to {size} once. Think "
            "step by step, and end with # and all cells row by row."
        )
        cells = span("empty", empty, low=1, high=54)
        generator = SudokuGenerator(size, cells, told if instructions else "")
        tasks = task_source(ENV_ID, split, generator, SudokuGenerator())
        super().__init__(tasks, SudokuVerifier(source="whole"), render_mode=render_mode)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn."""
        puzzle = self.verifier.read_gold(task) if isinstance(self.verifier, SudokuVerifier) else None
        assert puzzle is not None
        if style == "solve":
            cells = next(solutions(puzzle))
        elif style == "guess":
            cells = tuple(digit or int(rng.integers(puzzle.size)) + 1 for digit in puzzle.cells)
        else:
            return super().demonstrate(task, style, rng)
        return [f"#{''.join(map(str, cells))}"]
