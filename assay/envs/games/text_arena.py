"""assay/TextArena-v0: games of TextArena (Guertler et al. 2025), on its own engine and in its own words.

    Submitted [1 2 3 4]. Feedback: 1 black peg(s), 2 white peg(s).

is answered by `#2 1 3 5`, or `[2 1 3 5]` as the games say themselves.

What is different from TextArena, so that nothing but winning pays: a share of the way, which it pays even for words
that are no move and for falling into a hole, is worth 0; a turn holds one move; what one player writes reaches the
other as the move that was made and never as text; its generators draw from a state of chance of their own. Which
games are taken, and why others are not, says `text_arena_rules`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from assay.core.errors import ConfigError, UnknownNameError
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.games.base import GameEnv
from assay.envs.games.game import Game, IllegalMove
from assay.envs.games.text_arena_rules import REFUSED, RULES
from assay.envs.procedural import prompt, task_source

try:
    import textarena
except ImportError as missing:
    raise ConfigError("TextArena-v0 needs textarena: pip install 'assay-rl[textarena]'") from missing

ENV_ID = "assay/TextArena-v0"
Opponent = Literal["random", "solver"]
_BRACKETED = re.compile(r"\[([^\[\]\n]{1,100})\]")
_ANY_NUMBER = 10**9
_CHANCE = Lock()


@contextmanager
def _own_chance() -> Iterator[None]:
    """Keep the engine's draws, which come from Python's global generator, apart from everybody else's."""
    with _CHANCE:
        before = random.getstate()
        try:
            yield
        finally:
            random.setstate(before)


class TextArena(Game):
    """A game of one player in progress."""

    def __init__(self, name: str, seed: int, options: dict[str, Any], opening: list[str]) -> None:
        self.rules = RULES[name]
        with _own_chance():
            self.engine: Any = textarena.make(f"{name}-v0-raw", **options)
            self.engine.reset(num_players=self.rules.players, seed=seed)
        self.engine.state.error_allowance = _ANY_NUMBER  # turns are counted above
        self._seen = [0] * self.rules.players
        for move in opening:
            self.play(move)

    @property
    def position(self) -> dict[str, Any]:
        """The engine's own state."""
        state: dict[str, Any] = self.engine.state.game_state
        return state

    @property
    def over(self) -> bool:
        """Whether the engine says so."""
        return bool(self.engine.state.done)

    @property
    def to_move(self) -> int:
        """Whose turn it is."""
        return int(self.engine.state.current_player_id)

    def observe(self, player: int = 0) -> str:
        """Return what the engine has told the player since its last move, without the words of players."""
        kinds = textarena.ObservationType
        told = [m for m in self.engine.state.observations[player][self._seen[player] :] if m[2] != kinds.PLAYER_ACTION]
        boards = [m for m in told if m[2] == kinds.GAME_BOARD]
        return "\n".join(m[1].strip() for m in told if m[2] != kinds.GAME_BOARD or m is boards[-1])

    def play(self, move: str) -> None:
        """Make the move in the last brackets, or the whole text where there are none."""
        found = _BRACKETED.findall(move) or _BRACKETED.findall(f"[{move.strip().strip('.')}]")
        if not found:
            raise IllegalMove("a move is one line, such as " + self.moves()[0])
        state, mover = self.engine.state, self.to_move
        told = {player: len(messages) for player, messages in state.observations.items()}
        errors = state.error_count
        with _own_chance():
            self.engine.step(f"[{found[-1].strip()}]")
        if state.error_count > errors:
            problem = str(state.observations[mover][-1][1])
            reason = next((m[1] for m in reversed(state.observations[mover]) if "Reason: " in m[1]), problem)
            for player, messages in state.observations.items():
                del messages[told[player] :]
            raise IllegalMove(reason.partition("Reason: ")[2].partition(" Please resubmit")[0] or "that is no move")
        self._seen[mover] = told[mover]

    def moves(self) -> list[str]:
        """Return the legal moves, without brackets."""
        return list(self.rules.moves(self.position))

    def score(self, player: int = 0) -> float:
        """1 for a win, 0.5 for a draw of two players, 0 for all else."""
        if not self.over:
            return 0.0
        reward = float(self.engine.state.rewards[player])
        return 1.0 if reward == 1.0 else 0.5 if self.players == 2 and reward == 0.0 else 0.0


class TextArenaMatch(TextArena):
    """A game of two players in progress."""

    players: ClassVar[int] = 2


def start(name: str, seed: int, options: dict[str, Any], opening: list[str]) -> TextArena:
    """Return a game at its beginning."""
    kind = TextArenaMatch if RULES[name].players == 2 else TextArena
    return kind(name, seed, options, opening)


@dataclass(frozen=True)
class ArenaGenerator:
    """Beginnings of one of the games, by the engine's seeds."""

    game: str = "Mastermind"
    opponent: Opponent = "random"
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.game in REFUSED:
            raise ConfigError(f"game {self.game!r} of TextArena is not taken: {REFUSED[self.game]}")
        if self.game not in RULES:
            raise UnknownNameError("game of TextArena", self.game, RULES)
        if self.opponent not in get_args(Opponent):
            raise ConfigError(f"opponent must be one of {', '.join(get_args(Opponent))}, not {self.opponent!r}")

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one beginning."""
        rules = RULES[self.game]
        while True:
            made: dict[str, Any] = {"seed": int(rng.integers(2**31)), "options": rules.options(rng), "opening": []}
            try:
                game = start(self.game, **made)
            except ZeroDivisionError:  # LightsOut with no light on
                continue
            break
        for _ in range(int(rng.integers(rules.opening + 1))):
            move = str(rng.choice(game.moves()))
            made["opening"].append(move)
            game.play(move)
        return {
            "prompt": prompt(game.observe(game.to_move), self.instructions),
            "key": f"{self.game} {json.dumps(game.position, sort_keys=True, default=sorted)}",
            "target": game.position.get("secret_code"),
            "tags": (self.game,),
            "metadata": made,
        }


class TextArenaEnv(GameEnv):
    """Win a game of TextArena. A draw scores 0.5 and is not correct.

    Options: `game` (`FrozenLake`, `LightsOut`, `Mastermind`; of two players `ConnectFour`, `Nim`), `opponent` (`random`
    or `solver`), `instructions`, `split`. The agent moves first; at Connect Four after up to four random moves.

    Demonstrations: `solve` plays what the solver plays, `random` any legal move.
    """

    def __init__(
        self,
        *,
        game: str = "Mastermind",
        opponent: Opponent = "random",
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        told = "Play to win. End every turn with # and one move, as the game says but without brackets."
        generator = ArenaGenerator(game, opponent, told if instructions else "")
        tasks = task_source(ENV_ID, split, generator, ArenaGenerator())
        super().__init__(tasks, max_turns=RULES[game].turns, render_mode=render_mode)
        self._name, self.opponent = game, opponent

    def start(self, task: Task, rng: np.random.Generator) -> TextArena:
        """Return the beginning of a task; the agent is to move."""
        game = start(self._name, **task.metadata)
        self.seat, self._rng = game.to_move, rng
        return game

    def reply(self) -> None:
        """Let the opponent move."""
        assert isinstance(self.game, TextArena)
        while not self.game.over and self.game.to_move != self.seat:
            solver = self.opponent == "solver"
            self.game.play(self._solution() if solver else str(self._rng.choice(self.game.moves())))

    def oracle(self) -> Iterator[str]:
        """Play as the solver does."""
        while True:
            yield self._solution()

    def _solution(self) -> str:
        assert isinstance(self.game, TextArena)
        return self.game.rules.solve(self.game.position)
