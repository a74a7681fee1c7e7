"""What the games on a grid share: directions, maps of characters, shortest ways."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from assay.envs.games.game import IllegalMove

Cell = tuple[int, int]
"""Row and column, from 0 at the top left."""

DIRECTIONS: dict[str, Cell] = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}

State = TypeVar("State", bound=Hashable)


def read_direction(move: str) -> str:
    """Return one of the four directions, or raise `IllegalMove`."""
    word = move.strip().strip(".!").lower()
    if word not in DIRECTIONS:
        raise IllegalMove(f"a move is {', '.join(DIRECTIONS)}")
    return word


def step(cell: Cell, direction: str) -> Cell:
    """Return the neighbour of a cell."""
    down, right = DIRECTIONS[direction]
    return cell[0] + down, cell[1] + right


def find(rows: Sequence[str], mark: str) -> list[Cell]:
    """Return all cells that hold a character."""
    return [(r, c) for r, row in enumerate(rows) for c, found in enumerate(row) if found == mark]


def shortest(
    start: State, done: Callable[[State], bool], neighbours: Callable[[State], Iterable[tuple[str, State]]]
) -> list[str] | None:
    """Return the moves of a shortest way to a state that is `done` (breadth first), or None when there is none."""
    came: dict[State, tuple[State, str] | None] = {start: None}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        if done(state):
            moves: list[str] = []
            while (link := came[state]) is not None:
                state, move = link
                moves.append(move)
            return moves[::-1]
        for move, after in neighbours(state):
            if after not in came:
                came[after] = (state, move)
                queue.append(after)
    return None
