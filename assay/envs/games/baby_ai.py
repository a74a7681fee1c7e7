"""assay/BabyAI-v0: errands in a grid world that one sees a part of (BabyAI, Chevalier-Boisvert et al. 2019), in words.

    go to the red key
    you see: a red key 2 ahead and 1 to the left, a wall 4 ahead

is answered by `#forward`; moves are left, right (turns), forward, pickup, drop, toggle and done. The worlds, their
missions and the judgement are the package minigrid's; the words are ours.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.procedural import prompt, task_source

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pygame's greetings
        import minigrid  # noqa: F401 - registers the levels
        from minigrid.core.constants import IDX_TO_COLOR, IDX_TO_OBJECT
        from minigrid.utils.baby_ai_bot import BabyAIBot
except ImportError as missing:
    raise ConfigError("BabyAI needs minigrid: pip install 'assay-rl[games]'") from missing

ENV_ID = "assay/BabyAI-v0"
MOVES = ("left", "right", "forward", "pickup", "drop", "toggle", "done")
"""In minigrid's order: a move's place is its number."""
_NOTHING = {"unseen", "empty", "floor", "agent"}
_DOORS = ("open", "closed", "locked")


class BabyAI(Game):
    """A mission in progress."""

    def __init__(self, level: str, seed: int) -> None:
        self.world: Any = gymnasium.make(f"BabyAI-{level}-v0", disable_env_checker=True).unwrapped
        seen, _ = self.world.reset(seed=seed)
        self._see(seen)
        self._ended, self._reward = False, 0.0

    def _see(self, seen: dict[str, Any]) -> None:
        self.mission, self.view = str(seen["mission"]), seen["image"]

    @property
    def over(self) -> bool:
        """Whether the mission is accomplished, or cannot be any more."""
        return self._ended

    def observe(self, player: int = 0) -> str:
        """Return the mission and what is seen, nearest first."""
        carried = self.world.carrying
        held = f"; you carry a {carried.color} {carried.type}" if carried is not None else ""
        return f"{self.mission}\nyou see: {', '.join(self._seen()) or 'nothing'}{held}"

    def _seen(self) -> list[str]:
        width, height, _ = self.view.shape
        things: list[tuple[int, str]] = []
        for column in range(width):
            for row in range(height):
                kind, colour, state = (int(number) for number in self.view[column, row])
                ahead, aside = height - 1 - row, column - width // 2
                name = IDX_TO_OBJECT[kind]
                # Of walls only the one straight ahead: the others say little and are many.
                if name in _NOTHING or (ahead, aside) == (0, 0) or (name == "wall" and aside):
                    continue
                words = name if name == "wall" else f"{IDX_TO_COLOR[colour]} {name}"
                if name == "door":
                    words = f"{_DOORS[state]} {words}"
                things.append((ahead + abs(aside), f"{_article(words)} {_where(ahead, aside)}"))
        return [words for _, words in sorted(things)]

    def play(self, move: str) -> None:
        """Act; what has no effect in the world has none here."""
        word = move.strip().strip(".").lower()
        if word not in MOVES:
            raise IllegalMove(f"a move is one of {', '.join(MOVES)}")
        seen, self._reward, terminated, truncated, _ = self.world.step(MOVES.index(word))
        self._see(seen)
        self._ended = bool(terminated or truncated)

    def moves(self) -> list[str]:
        """Return all moves."""
        return list(MOVES)

    def score(self, player: int = 0) -> float:
        """1 when the mission is accomplished, however long it took."""
        return float(self._ended and self._reward > 0)


def _article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _where(ahead: int, aside: int) -> str:
    parts = [f"{ahead} ahead"] if ahead else []
    if aside:
        parts.append(f"{abs(aside)} to the {'left' if aside < 0 else 'right'}")
    return " and ".join(parts)


@dataclass(frozen=True)
class MissionGenerator:
    """Missions of a level, by minigrid's seeds."""

    level: str = "GoToLocal"
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if f"BabyAI-{self.level}-v0" not in gymnasium.registry:
            known = sorted(n[7:-3] for n in gymnasium.registry if n.startswith("BabyAI-") and n.endswith("-v0"))
            raise ConfigError(f"level {self.level!r} is not one of minigrid's: {', '.join(known)}")

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one mission."""
        seed = int(rng.integers(2**31))
        game = BabyAI(self.level, seed)
        world = game.world
        key = f"{game.mission} {world.agent_pos} {world.agent_dir} {world.grid.encode().tobytes().hex()}"
        return {
            "prompt": prompt(game.observe(), self.instructions),
            "key": key,
            "tags": (self.level,),
            "metadata": {"seed": seed},
        }


class BabyAIEnv(GameEnv):
    """Run an errand in a grid world.

    Options: `level` (one of minigrid's BabyAI levels, such as `GoToRedBall`, `GoToLocal`, `PickupLoc`, `PutNextLocal`,
    `BossLevel`), `max_turns` (default: the level's own), `instructions`, `split`.

    Demonstrations: `solve` is minigrid's own bot, `random` any move.
    """

    def __init__(
        self,
        *,
        level: str = "GoToLocal",
        max_turns: int | None = None,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        told = (
            "Do the mission. You see a part of the world, in the direction that you look. End every turn with # and "
            f"one of {', '.join(MOVES)}, such as #forward: left and right turn you, toggle opens doors and boxes."
        )
        generator = MissionGenerator(level, told if instructions else "")
        tasks = task_source(ENV_ID, split, generator, MissionGenerator())
        turns = BabyAI(level, 0).world.max_steps if max_turns is None else max_turns
        super().__init__(tasks, max_turns=turns, render_mode=render_mode)
        self.level = level

    def start(self, task: Task, rng: np.random.Generator) -> BabyAI:
        """Return the world of a task."""
        return BabyAI(self.level, task.metadata["seed"])

    def oracle(self) -> Iterator[str]:
        """Follow minigrid's bot."""
        assert isinstance(self.game, BabyAI)
        bot = BabyAIBot(self.game.world)
        while True:
            yield MOVES[int(bot.replan())]
