"""assay/FrozenLake-v0: cross the ice without falling into a hole; Gymnasium's own FrozenLake, in words.

    P...
    .O.O
    ...O
    O..G

is answered by `#down`. `P` is the player, `O` a hole, `G` the goal. With `slippery` the ice carries one off to the
side two times in three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv as GymnasiumFrozenLake
from gymnasium.envs.toy_text.frozen_lake import generate_random_map

from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game
from assay.envs.games.grid import read_direction
from assay.envs.procedural import check_between, prompt, task_source

ENV_ID = "assay/FrozenLake-v0"
_ACTIONS = {"left": 0, "down": 1, "right": 2, "up": 3}
_SHOWN = str.maketrans("SFHG", "..OG")


class FrozenLake(Game):
    """A walk over the ice, on Gymnasium's environment."""

    def __init__(self, rows: list[str], slippery: bool, seed: int) -> None:
        self.rows = rows
        self.lake = GymnasiumFrozenLake(desc=rows, is_slippery=slippery)
        self.at = int(self.lake.reset(seed=seed)[0])

    @property
    def over(self) -> bool:
        """Whether the goal is reached or the player fell in."""
        return self._ground in "HG"

    @property
    def _ground(self) -> str:
        return "".join(self.rows)[self.at]

    def observe(self, player: int = 0) -> str:
        """Return the map."""
        row, column = divmod(self.at, len(self.rows[0]))
        shown = [line.translate(_SHOWN) for line in self.rows]
        shown[row] = shown[row][:column] + "P" + shown[row][column + 1 :]
        return "\n".join(shown)

    def play(self, move: str) -> None:
        """Take a step; against the edge one stays where one is."""
        self.at = int(self.lake.step(_ACTIONS[read_direction(move)])[0])  # type: ignore[no-untyped-call]

    def moves(self) -> list[str]:
        """Return all four directions."""
        return list(_ACTIONS)

    def score(self, player: int = 0) -> float:
        """1 at the goal."""
        return float(self._ground == "G")

    def policy(self, sweeps: int = 400) -> list[str]:
        """Return the best direction for each cell, by value iteration; a small cost of time prefers short ways."""
        values = np.zeros(len(self.lake.P))

        def worth(cell: int, action: int) -> float:
            outcomes = self.lake.P[cell][action]
            return float(sum(p * (reward + (0 if done else 0.999 * values[to])) for p, to, reward, done in outcomes))

        for _ in range(sweeps):
            before = values.copy()
            for cell in self.lake.P:
                values[cell] = max(worth(cell, action) for action in range(4))
            if np.abs(values - before).max() < 1e-9:
                break
        names = {action: name for name, action in _ACTIONS.items()}
        return [names[int(np.argmax([worth(cell, action) for action in range(4)]))] for cell in self.lake.P]


@dataclass(frozen=True)
class LakeGenerator:
    """Lakes with a way across; each cell is frozen with probability 0.8, as Gymnasium has it."""

    size: int = 4
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("size", self.size, 2, 20)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one lake."""
        rows = generate_random_map(self.size, 0.8, int(rng.integers(2**31)))
        text = FrozenLake(rows, False, 0).observe()
        return {
            "prompt": prompt(text, self.instructions),
            "key": "\n".join(rows),
            "difficulty": float(self.size),
            "metadata": {"rows": rows},
        }


class FrozenLakeEnv(GameEnv):
    """Cross a frozen lake.

    Options: `size` (2 to 20), `slippery`, `max_turns` (default: the cells of the lake; slippery: eight times that),
    `instructions`, `split`.

    Demonstrations: `solve` follows the best policy (value iteration), `random` any direction.
    """

    def __init__(
        self,
        *,
        size: int = 4,
        slippery: bool = False,
        max_turns: int | None = None,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        turns = size * size * (8 if slippery else 1) if max_turns is None else max_turns
        told = (
            "Cross the frozen lake: P is you, O a hole, G the goal. End every turn with # and one of up, down, left, "
            f"right, such as #down. You have {turns} moves."
        )
        if slippery:
            told += " The ice is slippery: you may slide to the left or right of where you wanted to go."
        generator = LakeGenerator(size, told if instructions else "")
        super().__init__(
            task_source(ENV_ID, split, generator, LakeGenerator()), max_turns=turns, render_mode=render_mode
        )
        self.slippery = slippery

    def start(self, task: Task, rng: np.random.Generator) -> FrozenLake:
        """Return the lake of a task."""
        return FrozenLake(task.metadata["rows"], self.slippery, int(rng.integers(2**31)))

    def oracle(self) -> Iterator[str]:
        """Follow the best policy."""
        assert isinstance(self.game, FrozenLake)
        policy = self.game.policy()
        while True:
            yield policy[self.game.at]
