"""`sudoku`: every row, column and box holds every digit once, and the givens are kept.

`task.target` is the puzzle: its cells row by row, `.` or `0` for an empty one. Sizes 4 (boxes 2×2), 6 (2 high, 3 wide)
and 9 (3×3). An answer is the cells row by row; white space and the lines of a drawn grid (`|`, `+`, `-`) do not matter,
anything else does. Any filling that keeps the rules is right, so a puzzle may have several solutions.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.verifiers.text.base import AnswerVerifier

BOXES = {4: (2, 2), 6: (2, 3), 9: (3, 3)}
"""Size: height and width of a box."""
_DRAWING = re.compile(r"[\s|+\-]+")


class Grid(NamedTuple):
    """Cells row by row, 0 where empty."""

    size: int
    cells: tuple[int, ...]

    def units(self) -> list[tuple[str, list[int]]]:
        """Return the name and the cells of each row, column and box, in reading order."""
        n, (height, width) = self.size, BOXES[self.size]
        lines = range(n)
        units = [(f"row {r + 1}", [r * n + c for c in lines]) for r in lines]
        units += [(f"column {c + 1}", [r * n + c for r in lines]) for c in lines]
        corners = [(r, c) for r in range(0, n, height) for c in range(0, n, width)]
        for number, (r, c) in enumerate(corners, 1):
            units.append((f"box {number}", [(r + i) * n + c + j for i in range(height) for j in range(width)]))
        return units


class SudokuVerifier(AnswerVerifier[Grid]):
    """Right when the filled grid keeps the rules and the givens."""

    name = "sudoku"
    tidied = False

    def read_gold(self, task: Task) -> Grid:
        """Return the puzzle."""
        if not isinstance(task.target, str):
            raise ValueError("the target is the puzzle as text, '.' or 0 for an empty cell")
        grid = _read(task.target.replace(".", "0"))
        if clash := _clash(grid):
            raise ValueError(f"the givens cannot be: {clash}")
        return grid

    def read_answer(self, text: str, task: Task) -> Grid:
        """Return the filled grid."""
        grid = _read(text)
        if 0 in grid.cells:
            raise ValueError("a cell is empty")
        return grid

    def same(self, answer: Grid, gold: Grid) -> bool:
        """Whether the answer solves the puzzle."""
        return not _mistake(answer, gold)

    def compare(self, value: Grid, gold: Grid, extracted: str) -> Verdict:
        """Say which rule is broken."""
        mistake = _mistake(value, gold)
        return wrong(mistake, extracted=extracted[:200]) if mistake else right(extracted=extracted[:200])


def _read(text: str) -> Grid:
    digits = _DRAWING.sub("", text)
    size = next((n for n in BOXES if n * n == len(digits)), 0)
    if not size:
        raise ValueError(f"a grid has 16, 36 or 81 cells, not {len(digits)}")
    if not re.fullmatch(f"[0-{size}]+", digits):
        raise ValueError(f"the cells of this grid are digits up to {size}")
    return Grid(size, tuple(map(int, digits)))


def _mistake(answer: Grid, puzzle: Grid) -> str:
    if answer.size != puzzle.size:
        return f"the grid is {puzzle.size}×{puzzle.size}, not {answer.size}×{answer.size}"
    for cell, (given, digit) in enumerate(zip(puzzle.cells, answer.cells, strict=True)):
        if given not in (0, digit):
            row, column = divmod(cell, puzzle.size)
            return f"row {row + 1}, column {column + 1} is given as {given}"
    return _clash(answer)


def _clash(grid: Grid) -> str:
    for name, cells in grid.units():
        digits = [grid.cells[cell] for cell in cells if grid.cells[cell]]
        if len(set(digits)) < len(digits):
            return f"{name} holds a digit twice"
    return ""
