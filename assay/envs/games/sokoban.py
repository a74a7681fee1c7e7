"""assay/Sokoban-v0: push every box onto a goal; boxes cannot be pulled.

    ######
    #..G.#
    #.$..#
    #.P..#
    ######

is answered by `#left`. `$` is a box, `*` a box on a goal, `+` the player on a goal. Every level is solvable: it is
found by walking backward from solved positions, which also gives the exact length of its shortest solution.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.games.grid import DIRECTIONS, Cell, read_direction, shortest, step
from assay.envs.procedural import check_between, prompt, span, task_source

ENV_ID = "assay/Sokoban-v0"
Position = tuple[Cell, frozenset[Cell]]
"""The player and the boxes."""


class Sokoban(Game):
    """A level in progress, in the usual notation."""

    def __init__(self, rows: Sequence[str]) -> None:
        marks = {(r, c): mark for r, row in enumerate(rows) for c, mark in enumerate(row)}
        self.size = (len(rows), len(rows[0]))
        self.floor = frozenset(cell for cell, mark in marks.items() if mark != "#")
        self.goals = frozenset(cell for cell, mark in marks.items() if mark in "G*+")
        self.boxes = frozenset(cell for cell, mark in marks.items() if mark in "$*")
        (self.player,) = (cell for cell, mark in marks.items() if mark in "P+")
        self._begun_with = len(self.boxes & self.goals)

    @property
    def over(self) -> bool:
        """Whether every box is on a goal."""
        return self.boxes == self.goals

    def observe(self, player: int = 0) -> str:
        """Return the map."""
        return draw(self.size, self.floor, self.goals, (self.player, self.boxes))

    def play(self, move: str) -> None:
        """Walk or push."""
        after = push((self.player, self.boxes), read_direction(move), self.floor)
        if after is None:
            raise IllegalMove("that way is blocked")
        self.player, self.boxes = after

    def moves(self) -> list[str]:
        """Return the directions that are not blocked."""
        here = (self.player, self.boxes)
        return [direction for direction in DIRECTIONS if push(here, direction, self.floor) is not None]

    def score(self, player: int = 0) -> float:
        """Return the share of boxes that were brought onto goals; those that began there pay nothing."""
        if self.over:
            return 1.0
        brought = len(self.boxes & self.goals) - self._begun_with
        return max(0.0, brought / (len(self.goals) - self._begun_with))

    def solution(self) -> list[str] | None:
        """Return a shortest solution from here, or None when there is none any more."""

        def neighbours(here: Position) -> Iterator[tuple[str, Position]]:
            for direction in DIRECTIONS:
                if (after := push(here, direction, self.floor)) is not None:
                    yield direction, after

        return shortest((self.player, self.boxes), lambda here: here[1] == self.goals, neighbours)


def push(here: Position, direction: str, floor: frozenset[Cell]) -> Position | None:
    """Return the position after a move, or None when it is blocked."""
    player, boxes = here
    to = step(player, direction)
    if to not in floor:
        return None
    if to not in boxes:
        return to, boxes
    beyond = step(to, direction)
    if beyond not in floor or beyond in boxes:
        return None
    return to, boxes - {to} | {beyond}


def draw(size: tuple[int, int], floor: frozenset[Cell], goals: frozenset[Cell], here: Position) -> str:
    """Return a position as a map."""

    def mark(cell: Cell) -> str:
        if cell not in floor:
            return "#"
        kinds = "P$." if cell not in goals else "+*G"
        return kinds[0 if cell == here[0] else 1 if cell in here[1] else 2]

    return "\n".join("".join(mark((r, c)) for c in range(size[1])) for r in range(size[0]))


@dataclass(frozen=True)
class SokobanGenerator:
    """Levels in a room of `size` x `size` cells whose shortest solution has a number of moves in `moves`."""

    size: int = 4
    boxes: int = 1
    moves: tuple[int, int] = (3, 12)
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("size", self.size, 3, 8)
        check_between("boxes", self.boxes, 1, 3)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one level."""
        while True:
            cells = [(r, c) for r in range(1, self.size + 1) for c in range(1, self.size + 1)]
            walls = int(rng.integers(0, len(cells) // 5 + 1))
            order = [cells[i] for i in rng.permutation(len(cells)).tolist()]
            floor, goals = frozenset(order[walls:]), frozenset(order[walls : walls + self.boxes])
            found = [here for here, depth in _pulled(floor, goals) if self.moves[0] <= depth <= self.moves[1]]
            found = [here for here in found if here[1] != goals]
            if found:
                break
        size = (self.size + 2, self.size + 2)
        text = draw(size, floor, goals, found[int(rng.integers(len(found)))])
        solution = Sokoban(text.splitlines()).solution()
        assert solution is not None  # it was reached from a solved position
        return {
            "prompt": prompt(text, self.instructions),
            "key": text,
            "difficulty": float(len(solution)),
            "metadata": {"rows": text.splitlines()},
        }


def _pulled(floor: frozenset[Cell], goals: frozenset[Cell], most: int = 20_000) -> list[tuple[Position, int]]:
    """Return positions from which the level can be solved, with the length of the shortest solution, nearest first."""
    starts: list[Position] = [(cell, goals) for cell in floor - goals]
    depth = dict.fromkeys(starts, 0)
    queue = deque(starts)
    while queue and len(depth) < most:
        here = queue.popleft()
        player, boxes = here
        for direction in DIRECTIONS:
            back = step(player, _OPPOSITE[direction])
            if back not in floor or back in boxes:
                continue
            ahead = step(player, direction)
            for before in ((back, boxes), (back, boxes - {ahead} | {player}) if ahead in boxes else None):
                if before is not None and before not in depth:
                    depth[before] = depth[here] + 1
                    queue.append(before)
    return list(depth.items())


_OPPOSITE = {"up": "down", "down": "up", "left": "right", "right": "left"}


class SokobanEnv(GameEnv):
    """Push all boxes onto the goals.

    Options: `size` (cells on a side, 3 to 8), `boxes` (1 to 3), `moves` (length of the shortest solution, a number or
    a range), `max_turns` (default: three times the longest such solution), `instructions`, `split`. The score of an
    unfinished level is the share of boxes brought onto goals.

    Demonstrations: `solve` plays a shortest solution, `random` walks and pushes at random.
    """

    def __init__(
        self,
        *,
        size: int = 4,
        boxes: int = 1,
        moves: int | Sequence[int] = (3, 12),
        max_turns: int | None = None,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        length = span("moves", moves, low=1, high=100)
        turns = 3 * length[1] if max_turns is None else max_turns
        told = (
            "Push every box ($) onto a goal (G). P is you, # is wall, * a box on a goal, + you on a goal. End every "
            f"turn with # and one of up, down, left, right, such as #up. You have {turns} moves."
        )
        generator = SokobanGenerator(size, boxes, length, told if instructions else "")
        super().__init__(
            task_source(ENV_ID, split, generator, SokobanGenerator()), max_turns=turns, render_mode=render_mode
        )

    def start(self, task: Task, rng: np.random.Generator) -> Sokoban:
        """Return the level of a task."""
        return Sokoban(task.metadata["rows"])

    def oracle(self) -> Iterator[str]:
        """Play a shortest solution."""
        assert isinstance(self.game, Sokoban)
        solution = self.game.solution()
        assert solution is not None
        yield from solution
