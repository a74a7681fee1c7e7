"""assay/ConnectFour-v0: four in a row on a board of 7 columns and 6 rows, against an opponent of a chosen strength.

    .......
    .......
    .......
    ...O...
    ..XX...
    .OXO...

is answered by the number of a column, `#4`. The agent plays `X`, and begins in half of the tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal, get_args

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.procedural import prompt, task_source

ENV_ID = "assay/ConnectFour-v0"
Opponent = Literal["random", "greedy", "search"]
COLUMNS, ROWS = 7, 6
_HEIGHT = ROWS + 1
"""One spare bit on top of each column keeps lines from running over into the next one."""
_FROM_THE_MIDDLE = (3, 2, 4, 1, 5, 0, 6)


class ConnectFour(Game):
    """A game in progress, on bit boards: bit `column * 7 + row`, row 0 at the bottom."""

    players: ClassVar[int] = 2

    def __init__(self) -> None:
        self.stones = [0, 0]
        self.heights = [0] * COLUMNS
        self.played = 0

    @property
    def to_move(self) -> int:
        """Whose turn it is."""
        return self.played % 2

    @property
    def winner(self) -> int | None:
        """Who has four in a row."""
        return next((player for player in (0, 1) if connected(self.stones[player])), None)

    @property
    def over(self) -> bool:
        """Whether somebody won or the board is full."""
        return self.winner is not None or self.played == COLUMNS * ROWS

    def observe(self, player: int = 0) -> str:
        """Return the board; the player's own stones are `X`."""
        mine, theirs = self.stones[player], self.stones[1 - player]

        def mark(column: int, row: int) -> str:
            bit = 1 << (column * _HEIGHT + row)
            return "X" if mine & bit else "O" if theirs & bit else "."

        return "\n".join("".join(mark(c, r) for c in range(COLUMNS)) for r in reversed(range(ROWS)))

    def play(self, move: str) -> None:
        """Drop a stone into a column."""
        text = move.strip().strip(".")
        if text not in {str(column + 1) for column in range(COLUMNS)}:
            raise IllegalMove(f"a move is the number of a column, 1 to {COLUMNS}")
        if self.heights[int(text) - 1] == ROWS:
            raise IllegalMove(f"column {text} is full")
        self.drop(int(text) - 1)

    def drop(self, column: int) -> None:
        """Drop a stone; columns are counted from 0."""
        self.stones[self.to_move] |= 1 << (column * _HEIGHT + self.heights[column])
        self.heights[column] += 1
        self.played += 1

    def take_back(self, column: int) -> None:
        """Undo the last move, which was in this column."""
        self.played -= 1
        self.heights[column] -= 1
        self.stones[self.to_move] &= ~(1 << (column * _HEIGHT + self.heights[column]))

    def columns(self) -> list[int]:
        """Return the columns that are not full, the middle ones first."""
        return [column for column in _FROM_THE_MIDDLE if self.heights[column] < ROWS]

    def moves(self) -> list[str]:
        """Return the columns that are not full."""
        return [str(column + 1) for column in sorted(self.columns())]

    def score(self, player: int = 0) -> float:
        """1 for a win, 0.5 for a full board, 0 for a loss or a game that goes on."""
        if not self.over:
            return 0.0
        return 0.5 if self.winner is None else float(self.winner == player)


def connected(stones: int) -> bool:
    """Whether four stones stand in a row."""
    for shift in (1, _HEIGHT, _HEIGHT - 1, _HEIGHT + 1):
        pairs = stones & (stones >> shift)
        if pairs & (pairs >> (2 * shift)):
            return True
    return False


def choose(game: ConnectFour, strength: Opponent, rng: np.random.Generator, depth: int = 4) -> str:
    """Return a move: any; one that wins or prevents a loss at once; or the best by search to `depth`."""
    columns = game.columns()
    if strength != "random":
        for player in (game.to_move, 1 - game.to_move):
            for column in columns:
                if connected(game.stones[player] | 1 << (column * _HEIGHT + game.heights[column])):
                    return str(column + 1)
    if strength == "search":
        values = {}
        for column in columns:
            game.drop(column)
            values[column] = -_search(game, depth - 1, -1e9, 1e9)
            game.take_back(column)
        best = max(values.values())
        columns = [column for column in columns if values[column] == best][:1]
    return str(columns[int(rng.integers(len(columns)))] + 1)


def _search(game: ConnectFour, depth: int, low: float, high: float) -> float:
    """Return the worth of a position for the player to move (negamax with alpha-beta); a sooner win is worth more."""
    if connected(game.stones[1 - game.to_move]):
        return -1000.0 - depth
    if game.played == COLUMNS * ROWS:
        return 0.0
    if depth == 0:
        mine, theirs = game.stones[game.to_move], game.stones[1 - game.to_move]
        return _promise(mine, theirs) - _promise(theirs, mine)
    for column in game.columns():
        game.drop(column)
        value = -_search(game, depth - 1, -high, -low)
        game.take_back(column)
        low = max(low, value)
        if low >= high:
            break
    return low


def _promise(stones: int, others: int) -> float:
    """Judge a position for one side: empty cells that would complete four, and stones in the middle."""
    return 5.0 * (completing(stones) & _BOARD & ~others).bit_count() + (stones & _MIDDLE).bit_count()


_COLUMN = (1 << ROWS) - 1
_MIDDLE = _COLUMN << (3 * _HEIGHT)
_BOARD = sum(_COLUMN << (column * _HEIGHT) for column in range(COLUMNS))


def completing(stones: int) -> int:
    """Return the cells that would complete four in a row, occupied or not, on the board or beside it."""
    cells = (stones << 1) & (stones << 2) & (stones << 3)
    for shift in (_HEIGHT, _HEIGHT - 1, _HEIGHT + 1):
        pairs = (stones << shift) & (stones << 2 * shift)
        cells |= pairs & (stones << 3 * shift) | pairs & (stones >> shift)
        pairs = (stones >> shift) & (stones >> 2 * shift)
        cells |= pairs & (stones >> 3 * shift) | pairs & (stones << shift)
    return cells & ~stones


@dataclass(frozen=True)
class OpeningGenerator:
    """The empty board, or a few moves that were made at random; who is to move, and which opponent."""

    opponent: Opponent = "greedy"
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.opponent not in get_args(Opponent):
            raise ConfigError(f"opponent must be one of {', '.join(get_args(Opponent))}, not {self.opponent!r}")

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one opening of up to four random moves."""
        opening = [int(column) for column in rng.integers(0, COLUMNS, size=int(rng.integers(0, 5)))]
        game = ConnectFour()
        for column in opening:
            game.drop(column)
        text = game.observe(game.to_move)
        return {
            "prompt": prompt(text, self.instructions),
            "key": text,
            "difficulty": float(get_args(Opponent).index(self.opponent)),
            "metadata": {"opening": opening},
        }


class ConnectFourEnv(GameEnv):
    """Win at Connect Four. A draw scores 0.5 and is not correct.

    Options: `opponent` (`random`; `greedy`: wins or blocks where it can at once; `search`: four moves ahead),
    `instructions`, `split`. Tasks start after up to four random moves, with the agent to move.

    Demonstrations: `solve` searches five moves ahead, `random` drops anywhere.
    """

    def __init__(
        self,
        *,
        opponent: Opponent = "greedy",
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        told = (
            "Connect Four: get four of your stones (X) in a row, column or diagonal before the opponent (O) does. End "
            "every turn with # and the number of a column from 1 to 7, such as #4."
        )
        generator = OpeningGenerator(opponent, told if instructions else "")
        tasks = task_source(ENV_ID, split, generator, OpeningGenerator())
        super().__init__(tasks, max_turns=COLUMNS * ROWS, render_mode=render_mode)
        self.opponent: Opponent = opponent

    def start(self, task: Task, rng: np.random.Generator) -> ConnectFour:
        """Return the opening of a task; the agent is to move."""
        game = ConnectFour()
        for column in task.metadata["opening"]:
            game.drop(column)
        self.seat, self._rng = game.to_move, rng
        return game

    def reply(self) -> None:
        """Let the opponent move."""
        assert isinstance(self.game, ConnectFour)
        while not self.game.over and self.game.to_move != self.seat:
            self.game.play(choose(self.game, self.opponent, self._rng))

    def oracle(self) -> Iterator[str]:
        """Search five moves ahead."""
        assert isinstance(self.game, ConnectFour)
        rng = np.random.default_rng(0)
        while True:
            yield choose(self.game, "search", rng, depth=5)
