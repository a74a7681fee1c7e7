"""assay/Maze-v0: walk through a maze to the goal, seeing the map, the position, or only the walls around.

    walls: up, left; you are at 1,1; the goal is at 5,3

is answered by `#right`. The three views are those of LMRL-Gym's mazes: with the position the maze must be remembered
from the walk, with walls alone also where one is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.games.grid import DIRECTIONS, Cell, find, read_direction, shortest, step
from assay.envs.procedural import check_between, prompt, task_source

ENV_ID = "assay/Maze-v0"
View = Literal["map", "position", "walls"]


class Maze(Game):
    """A maze in progress: `#` is wall, `.` floor, `G` the goal, `P` the start."""

    def __init__(self, rows: Sequence[str], view: View = "map") -> None:
        self.rows, self.view = rows, view
        (self.goal,), (self.at,) = find(rows, "G"), find(rows, "P")

    @property
    def over(self) -> bool:
        """Whether the goal is reached."""
        return self.at == self.goal

    def is_open(self, cell: Cell) -> bool:
        """Whether one can stand on a cell."""
        return self.rows[cell[0]][cell[1]] != "#"

    def observe(self, player: int = 0) -> str:
        """Return the map, or the walls around with or without the position."""
        if self.view == "map":
            return "\n".join(
                "".join("P" if (r, c) == self.at else "." if found == "P" else found for c, found in enumerate(row))
                for r, row in enumerate(self.rows)
            )
        walls = ", ".join(d for d in DIRECTIONS if not self.is_open(step(self.at, d))) or "none"
        if self.view == "walls":
            return f"walls: {walls}"
        return f"walls: {walls}; you are at {_written(self.at)}; the goal is at {_written(self.goal)}"

    def play(self, move: str) -> None:
        """Walk one cell."""
        after = step(self.at, read_direction(move))
        if not self.is_open(after):
            raise IllegalMove("there is a wall")
        self.at = after

    def moves(self) -> list[str]:
        """Return the open directions."""
        return [d for d in DIRECTIONS if self.is_open(step(self.at, d))]

    def score(self, player: int = 0) -> float:
        """1 at the goal."""
        return float(self.over)

    def way(self) -> list[str]:
        """Return a shortest way to the goal."""
        way = shortest(
            self.at,
            lambda cell: cell == self.goal,
            lambda cell: ((d, step(cell, d)) for d in DIRECTIONS if self.is_open(step(cell, d))),
        )
        assert way is not None  # a maze is connected
        return way


@dataclass(frozen=True)
class MazeGenerator:
    """Mazes of `size` x `size` rooms without loops, by a random walk that turns back where it is stuck."""

    size: int = 3
    view: View = "position"
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("size", self.size, 2, 20)
        if self.view not in get_args(View):
            raise ConfigError(f"view must be one of {', '.join(get_args(View))}, not {self.view!r}")

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one maze with a start and a goal."""
        side = 2 * self.size + 1
        grid = [["#"] * side for _ in range(side)]
        rooms = [(2 * r + 1, 2 * c + 1) for r in range(self.size) for c in range(self.size)]
        path = [rooms[int(rng.integers(len(rooms)))]]
        grid[path[0][0]][path[0][1]] = "."
        while path:
            r, c = path[-1]
            new = [
                (r + 2 * dr, c + 2 * dc, r + dr, c + dc)
                for dr, dc in DIRECTIONS.values()
                if 0 < r + 2 * dr < side and 0 < c + 2 * dc < side and grid[r + 2 * dr][c + 2 * dc] == "#"
            ]
            if not new:
                path.pop()
                continue
            to_r, to_c, wall_r, wall_c = new[int(rng.integers(len(new)))]
            grid[to_r][to_c] = grid[wall_r][wall_c] = "."
            path.append((to_r, to_c))
        start, goal = (rooms[i] for i in rng.choice(len(rooms), 2, replace=False).tolist())
        grid[start[0]][start[1]], grid[goal[0]][goal[1]] = "P", "G"
        rows = ["".join(row) for row in grid]
        maze = Maze(rows, self.view)
        return {
            "prompt": prompt(maze.observe(), self.instructions),
            "key": "\n".join(rows),
            "difficulty": float(len(maze.way())),
            "target": None if self.view == "map" else " ".join(rows),
            "metadata": {"rows": rows},
        }


class MazeEnv(GameEnv):
    """Find the way through a maze.

    Options: `size` (rooms on a side, 2 to 20), `view` (`map`; `position`: the walls around, where one is and where
    the goal is; `walls`: only the walls around), `max_turns` (default: four times the number of rooms),
    `instructions`, `split`.

    Demonstrations: `solve` walks a shortest way, `random` walks at random.
    """

    def __init__(
        self,
        *,
        size: int = 3,
        view: View = "position",
        max_turns: int | None = None,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        turns = 4 * size * size if max_turns is None else max_turns
        told = (
            "Walk to the goal of a maze. Coordinates are row,column from the top left. End every turn with # and one "
            f"of up, down, left, right, such as #up. You have {turns} moves."
        )
        generator = MazeGenerator(size, view, told if instructions else "")
        super().__init__(
            task_source(ENV_ID, split, generator, MazeGenerator()), max_turns=turns, render_mode=render_mode
        )
        self.view: View = view

    def start(self, task: Task, rng: np.random.Generator) -> Maze:
        """Return the maze of a task."""
        return Maze(task.metadata["rows"], self.view)

    def oracle(self) -> Iterator[str]:
        """Walk a shortest way."""
        assert isinstance(self.game, Maze)
        yield from self.game.way()


def _written(cell: Cell) -> str:
    return f"{cell[0]},{cell[1]}"
